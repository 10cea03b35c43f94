"""With which command a story began: the birth of a stream, or of the stream whose event caused
that birth, and so on upwards. What a timer begins is a story of its own. Traces are named by it."""

from typing import NamedTuple
from uuid import UUID

from psycopg.errors import UndefinedTable

from domain.kernel.ids import MalformedId, read_id, shard_of
from domain.stream.database import Connection

DEPTH_MAX = 25
"""The longest chain so far has nine."""
TIMER = "timer"


class Origin(NamedTuple):
    """`event_id` is the first event of the stream that was asked about."""

    command_id: UUID
    event_id: UUID


def origin(connection: Connection, stream: str) -> Origin | None:
    """None for a stream without events, and for a name that is none of ours."""
    first = None
    for _ in range(DEPTH_MAX):
        row = _birth(connection, stream)
        if row is None:
            return first
        command_id, event_id, cause_id, actor = row
        first = Origin(command_id, event_id if first is None else first.event_id)
        above = None if actor == TIMER else _home(connection, cause_id)
        if above is None or above == stream:
            return first
        stream = above
    return first


def _birth(connection: Connection, stream: str) -> tuple[UUID, UUID, UUID | None, str] | None:
    try:
        stream_id = read_id(stream)
    except MalformedId:
        return None
    row = connection.execute(
        "SELECT command_id, event_id, cause_id, actor FROM event"
        " WHERE shard = %s AND stream_id = %s AND version = 1",
        (shard_of(stream_id), stream_id),
        prepare=True,
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def _home(connection: Connection, event_id: UUID | None) -> str | None:
    """The stream of an event; it is a cause, so the screens have mostly seen it."""
    if event_id is None:
        return None
    try:
        row = connection.execute(
            "SELECT stream FROM read.stream_event WHERE event_id = %s",
            (str(event_id),),
            prepare=True,
        ).fetchone()
    except UndefinedTable:
        return None
    return None if row is None else str(row[0])
