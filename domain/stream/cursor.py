"""Where consumers stand: cursors, and the streams that are parked for one of them. It applies
nothing; the calls that move a cursor belong into the transaction of what they stand for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.ids import read_id, shard_of
from domain.kernel.message import Recorded
from domain.stream.database import Connection

_ERROR_CHARS_MAX = 2000


class Named(Protocol):
    """The cursor's name; a higher version starts again from the first event."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    consumer: str
    stream: str
    from_position: int
    error: str
    aside_at: datetime


class Indigestible(Exception):
    """A consumer failed on an event, or the event cannot be read; the text says how."""


class NotPrepared(Exception):
    """The consumer has no cursor yet: `prepare` comes first."""


def cursors(connection: Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT name, cursor FROM consumer ORDER BY name").fetchall())


def passed(connection: Connection, names: Sequence[str], position: int) -> bool:
    """Whether all of these consumers have come to `position`."""
    row = connection.execute(
        "SELECT coalesce(min(cursor), 0) >= %s FROM consumer WHERE name = ANY(%s)",
        (position, list(names)),
        prepare=True,
    ).fetchone()
    return bool(row and row[0])


def lag(connection: Connection) -> dict[str, int]:
    """How many positions each consumer is behind the feed."""
    rows = connection.execute(
        "SELECT name, last - cursor FROM consumer, feed_state ORDER BY name", prepare=True
    )
    return dict(rows.fetchall())


def list_parked(connection: Connection) -> list[Parked]:
    rows = connection.execute(
        "SELECT consumer, stream, from_position, error, at FROM parked"
        " ORDER BY from_position, consumer"
    )
    names = Parked.__struct_fields__
    return [Parked(**dict(zip(names, row, strict=True))) for row in rows]


def peek(connection: Connection, consumer: Named) -> tuple[int, frozenset[str]]:
    """The cursor and the streams parked for this consumer, as they stand."""
    row = connection.execute(_PEEK, (consumer.name,), prepare=True).fetchone()
    if row is None:
        raise NotPrepared(consumer.name)
    return int(row[0]), frozenset(row[1])


def locked(connection: Connection, consumer: Named) -> tuple[int, frozenset[str]]:
    """The same, and nobody moves or releases them until the transaction ends."""
    return all_locked(connection, [consumer])[consumer.name]


def all_locked(
    connection: Connection, consumers: Sequence[Named]
) -> dict[str, tuple[int, frozenset[str]]]:
    """`locked` for several; always in the same order, so that two followers never block each
    other."""
    names = [consumer.name for consumer in consumers]
    # Two statements: one that waited for the lock would still see what was parked before.
    rows = connection.execute(_LOCK, (names,), prepare=True)
    reached: dict[str, int] = dict(rows.fetchall())
    parked: dict[str, set[str]] = {name: set() for name in names}
    for name, stream in connection.execute(_PARKED, (names,), prepare=True):
        parked[name].add(stream)
    for name in names:
        if name not in reached:
            raise NotPrepared(name)
    return {name: (reached[name], frozenset(parked[name])) for name in names}


_PEEK = (
    b"SELECT cursor, ARRAY(SELECT stream FROM parked WHERE consumer = name)"
    b" FROM consumer WHERE name = %s"
)
_LOCK = b"SELECT name, cursor FROM consumer WHERE name = ANY(%s) ORDER BY name FOR UPDATE"
_PARKED = b"SELECT consumer, stream FROM parked WHERE consumer = ANY(%s)"


def move(connection: Connection, consumers: Sequence[Named], to: int) -> None:
    connection.execute(
        "UPDATE consumer SET cursor = %s WHERE name = ANY(%s)",
        (to, [consumer.name for consumer in consumers]),
        prepare=True,
    )


def follow(
    connection: Connection, consumer: Named, from_: int, to: int, skipped: frozenset[str]
) -> bool:
    """Compare and set: False when the cursor was moved meanwhile, or a stream that was skipped
    was released, whose events would be lost."""
    if from_ == to:
        return True
    if not skipped:
        moved = connection.execute(_FOLLOW, (to, consumer.name, from_), prepare=True).rowcount
        return bool(moved)
    with connection.transaction():
        cursor, parked = locked(connection, consumer)
        if cursor != from_ or not skipped <= parked:
            return False
        move(connection, [consumer], to)
    return True


_FOLLOW = b"UPDATE consumer SET cursor = %s WHERE name = %s AND cursor = %s"


def park(connection: Connection, consumer: Named, recorded: Recorded, error: Indigestible) -> bool:
    """Sets the stream aside and steps over the event, unless somebody else has already."""
    stream_id: UUID = read_id(recorded.stream)
    with connection.transaction():
        if locked(connection, consumer)[0] != recorded.feed_position - 1:
            return False
        connection.execute(
            "INSERT INTO parked (consumer, shard, stream_id, stream, from_position, error)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                consumer.name,
                shard_of(stream_id),
                stream_id,
                recorded.stream,
                recorded.feed_position,
                str(error)[:_ERROR_CHARS_MAX],
            ),
        )
        move(connection, [consumer], recorded.feed_position)
    return True


def parked_from(connection: Connection, consumer: Named, stream: str) -> int | None:
    row = connection.execute(
        "SELECT from_position FROM parked WHERE consumer = %s AND stream = %s",
        (consumer.name, stream),
    ).fetchone()
    return None if row is None else int(row[0])


def unpark(connection: Connection, consumer: Named, stream: str) -> None:
    connection.execute(
        "DELETE FROM parked WHERE consumer = %s AND stream = %s", (consumer.name, stream)
    )
