"""Consumers: cursor and effect commit together, one bad event parks one stream, release replays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from threading import Thread

import psycopg
import pytest

from config import ROOT
from domain.kernel.message import Recorded
from domain.stream import subscription
from domain.stream.database import Connection
from domain.stream.sequencer import tick
from domain.stream.store import append
from domain.stream.subscription import Indigestible, Parked, advance, advance_outside
from tests.stream.things import CODEC, Counted, batch, counted, new_stream, writes

POISON = 13


class Totals:
    """A read model in one table, whose constraint finds the poison."""

    name = "totals"

    def __init__(self, version: int = 1, refused: int = POISON) -> None:
        self.version = version
        self.refused = refused
        self.crash = False

    def create(self, connection: Connection) -> None:
        connection.execute("DROP TABLE IF EXISTS rm_totals")
        connection.execute("CREATE TABLE rm_totals (position bigint PRIMARY KEY, amount int)")

    def apply(self, connection: Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            assert isinstance(recorded.event, Counted)
            connection.execute(
                "INSERT INTO rm_totals VALUES (%s, %s)",
                (recorded.feed_position, recorded.event.amount),
            )
            if recorded.event.amount == self.refused:
                raise ArithmeticError("thirteen")
        if self.crash:
            raise psycopg.OperationalError("the server went away")


class Sent:
    """Remembers what it sent; fails on the poison until it is cured."""

    name = "sent"
    version = 1

    def __init__(self) -> None:
        self.amounts: list[int] = []
        self.refused = POISON
        self.transient = 0

    def send(self, recorded: Recorded) -> None:
        assert isinstance(recorded.event, Counted)
        if recorded.event.amount == self.refused:
            raise ArithmeticError("thirteen")
        if recorded.event.amount == self.transient:
            raise psycopg.OperationalError("the server went away")
        self.amounts.append(recorded.event.amount)


def record(connection: Connection, stream: str, *amounts: int, after: int = 0) -> None:
    append(connection, batch(writes(stream, [counted(a) for a in amounts], after=after)))
    tick(connection)


def totals(connection: Connection) -> list[int]:
    rows = connection.execute("SELECT amount FROM rm_totals ORDER BY position").fetchall()
    return [row[0] for row in rows]


@pytest.fixture
def consumer(connection: Connection) -> Totals:
    consumer = Totals()
    assert subscription.prepare(connection, consumer, consumer.create)
    return consumer


def test_a_consumer_follows_in_batches(connection: Connection, consumer: Totals) -> None:
    record(connection, new_stream(), 1, 2, 3)
    assert advance(connection, CODEC, consumer, 2) == 2
    assert subscription.cursors(connection) == {"totals": 2}
    assert subscription.lag(connection) == {"totals": 1}
    assert advance(connection, CODEC, consumer, 2) == 1
    assert advance(connection, CODEC, consumer, 2) == 0
    assert totals(connection) == [1, 2, 3]


def test_a_batch_read_before_is_used_only_where_it_fits(
    connection: Connection, consumer: Totals
) -> None:
    record(connection, new_stream(), 1, 2, 3, 4)
    read = subscription.read_feed(connection, CODEC, 0, 3)
    assert advance(connection, CODEC, consumer, 10, read) == 3
    assert advance(connection, CODEC, consumer, 10, read) == 1
    assert totals(connection) == [1, 2, 3, 4]


def test_a_bad_event_parks_its_stream_and_no_other(
    connection: Connection, consumer: Totals
) -> None:
    bad, good = new_stream(), new_stream()
    record(connection, good, 1)
    record(connection, bad, 2, POISON, 3)
    record(connection, good, 4, after=1)
    assert advance(connection, CODEC, consumer, 100) == 5
    assert totals(connection) == [1, 2, 4]
    [parked] = subscription.list_parked(connection)
    assert parked == Parked(
        consumer="totals",
        stream=bad,
        from_position=3,
        error=parked.error,
        aside_at=parked.aside_at,
    )
    assert parked.error.startswith(f"ArithmeticError at {__name__}:")
    record(connection, bad, 5, after=3)
    record(connection, good, 6, after=2)
    advance(connection, CODEC, consumer, 100)
    assert totals(connection) == [1, 2, 4, 6]

    with pytest.raises(Indigestible, match="ArithmeticError"):
        subscription.release(connection, CODEC, consumer, bad)
    assert totals(connection) == [1, 2, 4, 6]
    consumer.refused = 0
    subscription.release(connection, CODEC, consumer, bad)
    assert sorted(totals(connection)) == [1, 2, 3, 4, 5, 6, POISON]
    assert subscription.list_parked(connection) == []
    subscription.release(connection, CODEC, consumer, bad)


def test_an_event_that_cannot_be_read_parks_its_stream(
    connection: Connection, consumer: Totals
) -> None:
    bad, good = new_stream(), new_stream()
    record(connection, bad, 1)
    record(connection, good, 2)
    connection.execute("UPDATE event SET data = data - 'amount' WHERE data->>'amount' = '1'")
    assert advance(connection, CODEC, consumer, 100) == 2
    assert totals(connection) == [2]
    assert [parked.stream for parked in subscription.list_parked(connection)] == [bad]


def test_a_crash_between_effect_and_cursor_leaves_neither(
    connection: Connection, consumer: Totals
) -> None:
    record(connection, new_stream(), 1, 2)
    consumer.crash = True
    with pytest.raises(psycopg.OperationalError):
        advance(connection, CODEC, consumer, 100)
    assert totals(connection) == []
    assert subscription.cursors(connection) == {"totals": 0}
    assert subscription.list_parked(connection) == []
    consumer.crash = False
    assert advance(connection, CODEC, consumer, 100) == 2
    assert totals(connection) == [1, 2]


def test_a_kill_in_the_middle_of_a_projection_leaves_neither(
    connection: Connection, consumer: Totals, database_url: str
) -> None:
    record(connection, new_stream(), 1, 2)
    code = (
        "import sys; from tests.stream.test_subscription import *;"
        "from domain.stream.database import connect; from tests.stream.things import KEK;"
        "advance(connect(sys.argv[1], KEK), CODEC, Totals(), 100)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, database_url],
        env={**os.environ, "KONTOR_FAILPOINT": "mid-projection"},
        cwd=ROOT,
    )
    assert killed.returncode == -signal.SIGKILL
    assert totals(connection) == []
    assert subscription.cursors(connection) == {"totals": 0}
    assert advance(connection, CODEC, consumer, 100) == 2
    assert totals(connection) == [1, 2]


def test_a_new_version_starts_again_and_forgets_what_was_parked(
    connection: Connection, consumer: Totals
) -> None:
    record(connection, new_stream(), 1, POISON)
    advance(connection, CODEC, consumer, 100)
    assert not subscription.prepare(connection, consumer, consumer.create)
    again = Totals(version=2, refused=0)
    assert subscription.prepare(connection, again, again.create)
    assert subscription.list_parked(connection) == []
    assert advance(connection, CODEC, again, 100) == 2
    assert totals(connection) == [1, POISON]


def test_a_consumer_without_a_cursor_is_told_to_prepare(connection: Connection) -> None:
    with pytest.raises(subscription.NotPrepared):
        advance(connection, CODEC, Totals(), 10)


def test_a_sender_parks_goes_on_and_is_released(connection: Connection) -> None:
    sender = Sent()
    subscription.prepare(connection, sender)
    bad, good = new_stream(), new_stream()
    record(connection, bad, 1, POISON, 2)
    record(connection, good, 3)
    assert advance_outside(connection, CODEC, sender, 100) == 4
    assert sender.amounts == [1, 3]
    assert subscription.cursors(connection) == {"sent": 4}
    assert [(p.stream, p.from_position) for p in subscription.list_parked(connection)] == [(bad, 2)]
    with pytest.raises(Indigestible):
        subscription.release_outside(connection, CODEC, sender, bad)
    sender.refused = 0
    subscription.release_outside(connection, CODEC, sender, bad)
    assert sender.amounts == [1, 3, POISON, 2]
    assert subscription.list_parked(connection) == []


def test_a_sender_keeps_its_place_when_the_server_goes_away(connection: Connection) -> None:
    sender = Sent()
    subscription.prepare(connection, sender)
    record(connection, new_stream(), 1, 2, 3)
    sender.transient = 3
    with pytest.raises(psycopg.OperationalError):
        advance_outside(connection, CODEC, sender, 100)
    assert subscription.cursors(connection) == {"sent": 2}
    assert subscription.list_parked(connection) == []
    sender.transient = 0
    assert advance_outside(connection, CODEC, sender, 100) == 1
    assert sender.amounts == [1, 2, 3]


def test_a_release_meanwhile_loses_nothing(
    connection: Connection, other: Connection, consumer: Totals
) -> None:
    """A follower that waited for the release must not go by what was parked before."""
    bad = new_stream()
    record(connection, bad, POISON)
    advance(connection, CODEC, consumer, 100)
    record(connection, bad, 7, after=1)
    follower = Thread(target=advance, args=(other, CODEC, Totals(), 100))

    class Slow(Totals):
        def apply(self, connection: Connection, batch: Sequence[Recorded]) -> None:
            super().apply(connection, batch)
            follower.start()
            time.sleep(0.3)  # long enough to wait for our lock

    subscription.release(connection, CODEC, Slow(refused=0), bad)
    follower.join()
    assert totals(connection) == [POISON, 7]


def test_a_release_while_a_sender_is_under_way_loses_nothing(
    connection: Connection, other: Connection
) -> None:
    sender = Sent()
    subscription.prepare(connection, sender)
    bad, good = new_stream(), new_stream()
    record(connection, bad, POISON)
    advance_outside(connection, CODEC, sender, 100)
    record(connection, bad, 7, after=1)
    record(connection, good, 8)
    sender.refused = 0

    class Released(Sent):
        def send(self, recorded: Recorded) -> None:
            sender.send(recorded)
            if recorded.stream == good and subscription.list_parked(other):
                subscription.release_outside(other, CODEC, sender, bad)

    while advance_outside(connection, CODEC, Released(), 100):
        pass
    assert 7 in sender.amounts
    assert subscription.cursors(connection) == {"sent": 3}


def test_of_two_followers_only_one_moves_the_cursor(
    connection: Connection, other: Connection
) -> None:
    sender = Sent()
    subscription.prepare(connection, sender)
    record(connection, new_stream(), 1, 2)

    class Overtaken(Sent):
        def send(self, recorded: Recorded) -> None:
            super().send(recorded)
            if recorded.feed_position == 1:
                advance_outside(other, CODEC, sender, 100)

    advance_outside(connection, CODEC, Overtaken(), 100)
    assert subscription.cursors(connection) == {"sent": 2}
