"""What a check answers, and the cursor over streams that checks share."""

from collections.abc import Iterator

from domain.deciding import CODEC
from domain.kernel.ids import write_id
from domain.kernel.message import Event
from domain.kernel.value import Value
from domain.stream import store
from domain.stream.database import Connection

STREAMS_AT_ONCE = 500
"""Streams loaded in one query: bounded memory, few round trips."""


class Broken(Value):
    """One violation: the invariant (RELIABILITY b), what it is about, what is wrong."""

    invariant: str
    subject: str
    what: str


def streams_with(
    connection: Connection, first: str, prefix: str
) -> Iterator[tuple[str, list[Event]]]:
    """Every stream that holds an event of type `first`, with all its events, decoded."""
    rows = connection.execute(
        "SELECT DISTINCT stream_id FROM event WHERE type = %s ORDER BY stream_id", (first,)
    ).fetchall()
    names = [write_id(prefix, row[0]) for row in rows]
    for start in range(0, len(names), STREAMS_AT_ONCE):
        chunk = names[start : start + STREAMS_AT_ONCE]
        for name, loaded in store.load(connection, CODEC, chunk).items():
            yield name, loaded.events
