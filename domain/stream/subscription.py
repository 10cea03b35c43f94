"""Reading the feed and following it: one cursor per consumer, moved together with its effect. An
event that a consumer cannot digest parks that stream for that consumer; the others go on."""

from collections.abc import Callable, Sequence
from typing import Protocol

import psycopg

from domain.kernel.message import Recorded
from domain.observing.errors import kept
from domain.stream import failpoints
from domain.stream.codec import Codec, Unreadable
from domain.stream.cursor import (
    Indigestible,
    Named,
    NotPrepared,
    Parked,
    all_locked,
    cursors,
    follow,
    lag,
    list_parked,
    locked,
    move,
    park,
    parked_from,
    passed,
    peek,
    unpark,
)
from domain.stream.database import Connection
from domain.stream.feed import read_feed, read_stream_feed
from domain.stream.store import Conflict

__all__ = [
    "TRANSIENT",
    "Consumer",
    "Indigestible",
    "NotPrepared",
    "Parked",
    "Sender",
    "advance",
    "advance_outside",
    "advance_together",
    "cursors",
    "lag",
    "list_parked",
    "passed",
    "prepare",
    "read_feed",
    "read_stream_feed",
    "release",
    "release_outside",
]

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, Conflict)
"""What is not the event's fault: the batch is tried again later, nothing is parked."""


class Consumer(Named, Protocol):
    """Writes through the connection it is given, inside the transaction of its cursor."""

    def apply(self, connection: Connection, batch: Sequence[Recorded]) -> None: ...


class Sender(Named, Protocol):
    """Acts in transactions of its own, each idempotent; its cursor follows."""

    def send(self, recorded: Recorded) -> None: ...


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
            cursor, parked = locked(connection, consumer)
            batch = _from(connection, codec, cursor, limit, batch)
            if batch:
                _apply(connection, consumer, [r for r in batch if r.stream not in parked])
                move(connection, [consumer], batch[-1].feed_position)
    except Indigestible:
        return _one_by_one(connection, consumer, batch or ())
    return len(batch)


def advance_together(
    connection: Connection,
    codec: Codec,
    consumers: Sequence[Consumer],
    limit: int,
    batch: Sequence[Recorded],
) -> int:
    """`advance` for several, with what follows the last of them: those that stand there take it in
    one transaction and few round trips, and change at the same moment. The others, and all when
    one of them cannot digest it, go on their own."""
    if not batch:
        return 0
    level = _take_together(connection, consumers, batch[:limit])
    alone = [consumer for consumer in consumers if consumer not in level]
    done = len(level) * len(batch[:limit])
    return done + sum(advance(connection, codec, one, limit, batch) for one in alone)


def _take_together(
    connection: Connection, consumers: Sequence[Consumer], batch: Sequence[Recorded]
) -> Sequence[Consumer]:
    """Those that did."""
    try:
        with connection.transaction():
            stand = all_locked(connection, consumers)
            before = batch[0].feed_position - 1
            level = [one for one in consumers if stand[one.name][0] == before]
            with connection.pipeline():
                for one in level:
                    parked = stand[one.name][1]
                    _apply(connection, one, [r for r in batch if r.stream not in parked])
                move(connection, level, batch[-1].feed_position)
    except TRANSIENT:
        raise
    except (Indigestible, psycopg.Error):
        return ()  # each alone finds out whose stream it is, and says so
    return level


def _one_by_one(connection: Connection, consumer: Consumer, batch: Sequence[Recorded]) -> int:
    """Finds the event that spoilt the batch, and parks its stream."""
    for done, recorded in enumerate(batch):
        try:
            with connection.transaction():
                cursor, parked = locked(connection, consumer)
                if cursor != recorded.feed_position - 1:
                    return done  # another follower has taken over
                if recorded.stream not in parked:
                    _apply(connection, consumer, [recorded])
                move(connection, [consumer], recorded.feed_position)
        except Indigestible as error:
            if not park(connection, consumer, recorded, error):
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
    start, parked = peek(connection, consumer)
    saved, sent, skipped = start, start, frozenset[str]()
    try:
        for recorded in _from(connection, codec, start, limit, batch):
            if recorded.stream in parked:
                skipped |= {recorded.stream}
                sent = recorded.feed_position
                continue
            try:
                _send(consumer, recorded)
            except Indigestible as error:
                if not follow(connection, consumer, saved, sent, skipped):
                    break
                saved = sent
                if not park(connection, consumer, recorded, error):
                    break
                saved = recorded.feed_position
                parked |= {recorded.stream}
            sent = recorded.feed_position
    finally:
        # Also when something transient stopped us: what was sent is not sent again.
        follow(connection, consumer, saved, max(saved, sent), skipped)
    return sent - start


def release(connection: Connection, codec: Codec, consumer: Consumer, stream: str) -> None:
    """Replays a parked stream up to the cursor and lets it go on; raises what it still raises."""
    with connection.transaction():
        cursor, _ = locked(connection, consumer)
        from_position = parked_from(connection, consumer, stream)
        if from_position is None:
            return
        missed = read_stream_feed(connection, codec, stream, from_position - 1, cursor)
        _apply(connection, consumer, missed)
        unpark(connection, consumer, stream)


def release_outside(connection: Connection, codec: Codec, consumer: Sender, stream: str) -> None:
    """Like `release`, for consumers that send commands."""
    from_position = parked_from(connection, consumer, stream)
    if from_position is None:
        return
    after = from_position - 1
    while True:
        cursor, _ = peek(connection, consumer)
        for recorded in read_stream_feed(connection, codec, stream, after, cursor):
            _send(consumer, recorded)
        after = cursor
        with connection.transaction():
            # Only when the cursor stood still is nothing of the stream left behind it.
            if locked(connection, consumer)[0] == after:
                unpark(connection, consumer, stream)
                return


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
        raise Indigestible(kept(error)) from error


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
