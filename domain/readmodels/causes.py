"""Why an event happened and what it led to: the chain upwards and the tree downwards, over the
tables of the stream read model. Both are bounded, and say so."""

from collections.abc import Sequence

from domain.kernel.value import Value
from domain.readmodels.stream import Count, Entry, capped, read_entries
from domain.stream.database import Connection

CHAIN_MAX = 25
"""Levels upwards and downwards; the longest story so far has nine."""
TREE_MAX = 100
TREE_COUNT_MAX = 1_000
"""A statement may cause thousands of events: counting them stops here."""


class Branch(Value):
    """An event below another one; direct consequences have depth 1."""

    entry: Entry
    depth: int


class Story(Value):
    """An event with its causes (the first cause first), what was recorded with it in one
    statement, and what it led to, each branch behind its cause. `more` are not shown."""

    entry: Entry
    causes: tuple[Entry, ...]
    together: tuple[Entry, ...]
    caused: tuple[Branch, ...]
    more: Count


def event(connection: Connection, feed_position: int) -> Story | None:
    """None when the stream does not reach that far."""
    entry = _by_position(connection, [feed_position]).get(feed_position)
    if entry is None:
        return None
    below = _below(connection, entry.event_id)
    shown = below[:TREE_MAX]
    found = _by_position(connection, [position for position, _ in shown])
    branches = [Branch(entry=found[position], depth=depth) for position, depth in shown]
    return Story(
        entry=entry,
        causes=tuple(_above(connection, entry)),
        together=tuple(_together(connection, entry)),
        caused=tuple(_in_tree_order(entry.event_id, branches)),
        more=capped(len(below) - len(shown), TREE_COUNT_MAX - TREE_MAX),
    )


_UP = """
WITH RECURSIVE up AS (
  SELECT feed_position, cause_id, 1 AS depth FROM read.stream_event WHERE event_id = %(cause)s
   UNION ALL
  SELECT e.feed_position, e.cause_id, up.depth + 1
    FROM up JOIN read.stream_event e ON e.event_id = up.cause_id
   WHERE up.depth < %(limit)s)
SELECT feed_position FROM up
"""
# Breadth first; the LIMIT outside ends the recursion.
_DOWN = """
WITH RECURSIVE down AS (
  SELECT feed_position, event_id, 1 AS depth FROM read.stream_event WHERE cause_id = %(event)s
   UNION ALL
  SELECT e.feed_position, e.event_id, down.depth + 1
    FROM down JOIN read.stream_event e ON e.cause_id = down.event_id
   WHERE down.depth < %(depth)s)
SELECT feed_position, depth FROM down LIMIT %(limit)s
"""


def _by_position(connection: Connection, positions: Sequence[int]) -> dict[int, Entry]:
    if not positions:
        return {}
    found = read_entries(connection, "WHERE feed_position = ANY(%s)", (list(positions),))
    return {entry.feed_position: entry for entry in found}


def _above(connection: Connection, entry: Entry) -> list[Entry]:
    if entry.cause_id is None:
        return []
    rows = connection.execute(_UP, {"cause": entry.cause_id, "limit": CHAIN_MAX})
    found = _by_position(connection, [position for (position,) in rows])
    return sorted(found.values(), key=lambda cause: cause.feed_position)


def _below(connection: Connection, event_id: str) -> list[tuple[int, int]]:
    limits = {"event": event_id, "depth": CHAIN_MAX, "limit": TREE_COUNT_MAX + 1}
    return [(position, depth) for position, depth in connection.execute(_DOWN, limits)]


def _together(connection: Connection, entry: Entry) -> list[Entry]:
    return read_entries(
        connection,
        "WHERE command_id = %s AND feed_position <> %s ORDER BY feed_position LIMIT %s",
        (entry.command_id, entry.feed_position, TREE_MAX),
    )


def _in_tree_order(root: str, branches: Sequence[Branch]) -> list[Branch]:
    """Each branch directly behind its cause, siblings in the order of the stream."""
    children: dict[str | None, list[Branch]] = {}
    for branch in sorted(branches, key=lambda one: -one.entry.feed_position):
        children.setdefault(branch.entry.cause_id, []).append(branch)
    ordered: list[Branch] = []
    waiting = children.pop(root, [])
    while waiting:
        branch = waiting.pop()
        ordered.append(branch)
        waiting += children.pop(branch.entry.event_id, [])
    return ordered
