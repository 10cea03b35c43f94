"""Reading the feed and following it: one cursor per consumer, moved together with its effect. An
event that a consumer cannot digest parks that stream for that consumer; the others go on."""

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

import msgspec
import psycopg

from domain.kernel.ids import read_id, shard_of
from domain.kernel.message import Recorded
from domain.stream import failpoints
from domain.stream.codec import Codec, Unreadable
from domain.stream.database import Connection
from domain.stream.feed import read_feed, read_stream_feed
from domain.stream.store import Conflict

__all__ = [
    "TRANSIENT",
    "Consumer",
    "Indigestible",
    "Parked",
    "Sender",
    "advance",
    "advance_outside",
    "cursors",
    "lag",
    "list_parked",
    "prepare",
    "read_feed",
    "read_stream_feed",
    "release",
    "release_outside",
]

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, Conflict)
"""What is not the event's fault: the batch is tried again later, nothing is parked."""

_ERROR_CHARS_MAX = 2000


class Named(Protocol):
    """The cursor's name; a higher version starts again from the first event."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...


class Consumer(Named, Protocol):
    """Writes through the connection it is given, inside the transaction of its cursor."""

    def apply(self, connection: Connection, batch: Sequence[Recorded]) -> None: ...


class Sender(Named, Protocol):
    """Acts in transactions of its own, each idempotent; its cursor follows."""

    def send(self, recorded: Recorded) -> None: ...


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    consumer: str
    stream: str
    from_position: int
    error: str


class Indigestible(Exception):
    """A consumer failed on an event, or the event cannot be read; the text says how."""


class NotPrepared(Exception):
    """The consumer has no cursor yet: `prepare` comes first."""


def prepare(
    connection: Connection,
    consumer: Named,
    create_tables: Callable[[Connection], None] | None = None,
) -> bool:
    """Starts a consumer, or starts it again when its version changed: fresh tables, cursor at 0,
    nothing parked, in one transaction. Says whether it did."""
    with connection.transaction():
        # Two followers that start together: the second waits here and finds it done.
        connection.execute("LOCK TABLE consumer IN SHARE ROW EXCLUSIVE MODE")
        row = connection.execute(
            "SELECT version FROM consumer WHERE name = %s", (consumer.name,)
        ).fetchone()
        if row is not None and row[0] == consumer.version:
            return False
        if create_tables is not None:
            create_tables(connection)
        connection.execute(
            "INSERT INTO consumer (name, version) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version, cursor = 0",
            (consumer.name, consumer.version),
        )
        connection.execute("DELETE FROM parked WHERE consumer = %s", (consumer.name,))
    return True


def advance(
    connection: Connection,
    codec: Codec,
    consumer: Consumer,
    limit: int,
    batch: Sequence[Recorded] | None = None,
) -> int:
    """One batch, applied in one transaction together with the cursor; says how far it came.

    `batch` spares reading when it starts right behind the cursor; otherwise it is not used.
    """
    try:
        with connection.transaction():
            cursor, parked = _locked(connection, consumer)
            batch = _from(connection, codec, cursor, limit, batch)
            if batch:
                _apply(connection, consumer, [r for r in batch if r.stream not in parked])
                _move(connection, consumer, batch[-1].feed_position)
    except Indigestible:
        return _one_by_one(connection, consumer, batch or ())
    return len(batch)


def _one_by_one(connection: Connection, consumer: Consumer, batch: Sequence[Recorded]) -> int:
    """Finds the event that spoilt the batch, and parks its stream."""
    for done, recorded in enumerate(batch):
        try:
            with connection.transaction():
                cursor, parked = _locked(connection, consumer)
                if cursor != recorded.feed_position - 1:
                    return done  # another follower has taken over
                if recorded.stream not in parked:
                    _apply(connection, consumer, [recorded])
                _move(connection, consumer, recorded.feed_position)
        except Indigestible as error:
            if not _park(connection, consumer, recorded, error):
                return done
    return len(batch)


def advance_outside(
    connection: Connection,
    codec: Codec,
    consumer: Sender,
    limit: int,
    batch: Sequence[Recorded] | None = None,
) -> int:
    """For consumers that send commands: each event first, the cursor afterwards. A crash between
    the two sends again, and the command log makes that harmless."""
    start, parked = _peek(connection, consumer)
    saved = sent = start
    try:
        for recorded in _from(connection, codec, start, limit, batch):
            if recorded.stream not in parked:
                try:
                    _send(consumer, recorded)
                except Indigestible as error:
                    if not _follow(connection, consumer, saved, sent):
                        break
                    saved = sent
                    if not _park(connection, consumer, recorded, error):
                        break
                    saved = recorded.feed_position
                    parked |= {recorded.stream}
            sent = recorded.feed_position
    finally:
        # Also when something transient stopped us: what was sent is not sent again.
        _follow(connection, consumer, saved, max(saved, sent))
    return sent - start


def release(connection: Connection, codec: Codec, consumer: Consumer, stream: str) -> None:
    """Replays a parked stream up to the cursor and lets it go on; raises what it still raises."""
    with connection.transaction():
        cursor, _ = _locked(connection, consumer)
        from_position = _parked_from(connection, consumer, stream)
        if from_position is None:
            return
        missed = read_stream_feed(connection, codec, stream, from_position - 1, cursor)
        _apply(connection, consumer, missed)
        _unpark(connection, consumer, stream)


def release_outside(connection: Connection, codec: Codec, consumer: Sender, stream: str) -> None:
    """Like `release`, for consumers that send commands."""
    from_position = _parked_from(connection, consumer, stream)
    if from_position is None:
        return
    after = from_position - 1
    while True:
        cursor, _ = _peek(connection, consumer)
        for recorded in read_stream_feed(connection, codec, stream, after, cursor):
            _send(consumer, recorded)
        after = cursor
        with connection.transaction():
            # Only when the cursor stood still is nothing of the stream left behind it.
            if _locked(connection, consumer)[0] == after:
                _unpark(connection, consumer, stream)
                return


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
        "SELECT consumer, stream, from_position, error FROM parked ORDER BY from_position, consumer"
    )
    return [
        Parked(consumer=consumer, stream=stream, from_position=position, error=error)
        for consumer, stream, position, error in rows
    ]


def _apply(connection: Connection, consumer: Consumer, batch: Sequence[Recorded]) -> None:
    def act() -> None:
        if batch:
            consumer.apply(connection, batch)

    _digest(batch, act)
    failpoints.reach("mid-projection")


def _send(consumer: Sender, recorded: Recorded) -> None:
    _digest([recorded], lambda: consumer.send(recorded))


def _digest(batch: Sequence[Recorded], act: Callable[[], None]) -> None:
    for recorded in batch:
        if isinstance(recorded.event, Unreadable):
            raise Indigestible(recorded.event.error)
    try:
        act()
    except TRANSIENT:
        raise
    except Exception as error:
        raise Indigestible(f"{type(error).__name__}: {error}") from error


def _from(
    connection: Connection,
    codec: Codec,
    cursor: int,
    limit: int,
    batch: Sequence[Recorded] | None,
) -> Sequence[Recorded]:
    if batch and batch[0].feed_position == cursor + 1:
        return batch[:limit]
    return read_feed(connection, codec, cursor, limit)


_STATE = """
SELECT cursor, ARRAY(SELECT stream FROM parked WHERE consumer = name)
  FROM consumer WHERE name = %s
"""


def _peek(connection: Connection, consumer: Named) -> tuple[int, frozenset[str]]:
    return _state(connection, consumer, _STATE)


def _locked(connection: Connection, consumer: Named) -> tuple[int, frozenset[str]]:
    return _state(connection, consumer, _STATE + " FOR UPDATE")


def _state(connection: Connection, consumer: Named, query: str) -> tuple[int, frozenset[str]]:
    row = connection.execute(query.encode(), (consumer.name,), prepare=True).fetchone()
    if row is None:
        raise NotPrepared(consumer.name)
    return row[0], frozenset(row[1])


def _move(connection: Connection, consumer: Named, to: int) -> None:
    connection.execute(
        "UPDATE consumer SET cursor = %s WHERE name = %s", (to, consumer.name), prepare=True
    )


def _follow(connection: Connection, consumer: Named, from_: int, to: int) -> bool:
    """Compare and set: False when another follower moved the cursor meanwhile."""
    if from_ == to:
        return True
    return bool(
        connection.execute(
            "UPDATE consumer SET cursor = %s WHERE name = %s AND cursor = %s",
            (to, consumer.name, from_),
            prepare=True,
        ).rowcount
    )


def _park(connection: Connection, consumer: Named, recorded: Recorded, error: Indigestible) -> bool:
    """Sets the stream aside and steps over the event, unless somebody else has already."""
    stream_id: UUID = read_id(recorded.stream)
    with connection.transaction():
        if _locked(connection, consumer)[0] != recorded.feed_position - 1:
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
        _move(connection, consumer, recorded.feed_position)
    return True


def _parked_from(connection: Connection, consumer: Named, stream: str) -> int | None:
    row = connection.execute(
        "SELECT from_position FROM parked WHERE consumer = %s AND stream = %s",
        (consumer.name, stream),
    ).fetchone()
    return None if row is None else int(row[0])


def _unpark(connection: Connection, consumer: Named, stream: str) -> None:
    connection.execute(
        "DELETE FROM parked WHERE consumer = %s AND stream = %s", (consumer.name, stream)
    )
