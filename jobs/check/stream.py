"""Invariants 12 to 15: versions without gaps, a feed without gaps, consumers that missed nothing,
and read models that equal their own rebuild."""

from collections.abc import Iterator, Sequence
from typing import LiteralString

from domain.deciding import CODEC
from domain.flows.flow import Flow
from domain.kernel.ids import prefix_of, read_id, shard_of
from domain.kernel.message import Command, Recorded
from domain.readmodels.model import ReadModel, rebuild
from domain.readmodels.registry import READMODELS
from domain.registry import FLOWS, thing_of
from domain.stream import subscription
from domain.stream.database import Connection
from domain.stream.feed import read_feed
from jobs.check.broken import Broken

BATCH = 1_000
SCRATCH = "rebuilt_by_check"

QUESTIONS: tuple[tuple[str, str, LiteralString], ...] = (
    (
        "12",
        "its versions are not 1 to n, each once",
        "SELECT stream_id::text FROM event GROUP BY shard, stream_id"
        " HAVING min(version) <> 1 OR max(version) <> count(*)"
        " OR count(DISTINCT version) <> count(*)",
    ),
    (
        "13",
        "the feed has gaps or does not end where it says",
        "SELECT 'feed' FROM feed_state s WHERE (SELECT count(*) FROM feed) <> s.last"
        " OR (SELECT coalesce(max(feed_position), 0) FROM feed) <> s.last"
        " OR (SELECT coalesce(min(feed_position), 1) FROM feed) <> 1",
    ),
    (
        "13",
        "an event that the feed passed over",
        "SELECT e.stream_id::text || ' version ' || e.version FROM event e"
        " LEFT JOIN feed f USING (shard, stream_id, version) WHERE f.feed_position IS NULL"
        " AND e.xid < pg_snapshot_xmin((SELECT snap FROM feed_state))"
        " AND e.epoch <= (SELECT epoch FROM feed_state)",
    ),
    (
        "13",
        "a feed position whose event is gone",
        "SELECT f.feed_position::text FROM feed f"
        " LEFT JOIN event e USING (shard, stream_id, version) WHERE e.stream_id IS NULL",
    ),
    (
        "13",
        "its events stand in the feed in another order than they happened",
        "SELECT DISTINCT stream_id::text FROM (SELECT stream_id, version,"
        " lag(version) OVER (PARTITION BY shard, stream_id ORDER BY feed_position) AS before"
        " FROM feed) f WHERE before >= version",
    ),
    (
        "13",
        "a reader that recorded an event twice or not at all",
        "SELECT 'stream at ' || c.cursor FROM consumer c WHERE c.name = 'stream'"
        " AND (SELECT count(*) FROM read.stream_event WHERE feed_position <= c.cursor)"
        " <> c.cursor - (SELECT count(*) FROM feed f JOIN parked p"
        " ON p.consumer = 'stream' AND p.shard = f.shard AND p.stream_id = f.stream_id"
        " AND f.feed_position >= p.from_position WHERE f.feed_position <= c.cursor)",
    ),
    (
        "14",
        "its cursor is past the end of the feed",
        "SELECT name FROM consumer WHERE cursor > (SELECT last FROM feed_state)",
    ),
)


def positions(connection: Connection) -> Iterator[Broken]:
    """12, 13, 14 as plain questions."""
    for invariant, what, query in QUESTIONS:
        for row in connection.execute(query):
            yield Broken(invariant=invariant, subject=str(row[0]), what=what)


def flows(connection: Connection) -> Iterator[Broken]:
    """13, 14 for flows: every command that they owe for events up to their cursor is in the log,
    or the stream is parked for them."""
    cursors = subscription.cursors(connection)
    parked = {(one.consumer, one.stream) for one in subscription.list_parked(connection)}
    states: dict[str, object] = {}
    position = 0
    while batch := read_feed(connection, CODEC, position, BATCH):
        owed: list[tuple[str, int, str, Recorded]] = []
        for recorded in batch:
            thing = thing_of(recorded.stream)
            before = states.get(recorded.stream, thing.begin())
            states[recorded.stream] = thing.rebuild([recorded.event], before)
            for flow in FLOWS:
                name = f"flow:{flow.name}"
                if recorded.feed_position > cursors.get(name, 0):
                    continue
                if (name, recorded.stream) in parked:
                    continue
                owed.extend(_owed(flow, recorded, states[recorded.stream]))
        yield from _missing(connection, owed)
        position = batch[-1].feed_position


def _owed(
    flow: Flow, recorded: Recorded, state: object
) -> Iterator[tuple[str, int, str, Recorded]]:
    if prefix_of(recorded.stream) not in flow.watches:
        return
    for n, reaction in enumerate(flow.react(recorded.event, state)):
        if isinstance(reaction, Command):
            shard = shard_of(read_id(reaction.streams()[0]))
            yield flow.name, shard, str(flow.command_id(recorded.event_id, n)), recorded


def _missing(
    connection: Connection, owed: Sequence[tuple[str, int, str, Recorded]]
) -> Iterator[Broken]:
    rows = connection.execute(
        "SELECT command_id::text FROM command_log JOIN unnest(%s::smallint[], %s::uuid[])"
        " AS w (shard, command_id) USING (shard, command_id)",
        ([one[1] for one in owed], [one[2] for one in owed]),
    )
    known = {row[0] for row in rows}
    for flow, _, command_id, recorded in owed:
        if command_id not in known:
            yield Broken(
                invariant="13",
                subject=recorded.stream,
                what=f"flow {flow} did not answer position {recorded.feed_position}",
            )


def rebuilt(connection: Connection) -> Iterator[Broken]:
    """15: each read model, rebuilt up to its own cursor, has the row hash of the live one. Asked
    in a transaction that keeps its snapshot."""
    for model in READMODELS:
        with connection.transaction(force_rollback=True):
            for table in _differing(connection, model):
                yield Broken(
                    invariant="15",
                    subject=f"{model.name}.{table}",
                    what="the live rows are not those that the stream makes",
                )


def _differing(connection: Connection, model: ReadModel) -> list[str]:
    cursor = subscription.cursors(connection).get(model.name, 0)
    parked = {
        one.stream: one.from_position
        for one in subscription.list_parked(connection)
        if one.consumer == model.name
    }
    live = model.digest(connection)
    rebuild(connection, CODEC, model, cursor, SCRATCH, parked=parked)
    again = model.digest(connection, SCRATCH)
    return [table for table, digest in live.items() if digest != again[table]]
