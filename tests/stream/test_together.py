"""Several consumers in one transaction: they change together; one that fails holds up nobody."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from domain.kernel.message import Recorded
from domain.stream import subscription
from domain.stream.database import Connection
from domain.stream.sequencer import last_position
from domain.stream.subscription import advance, advance_together
from tests.stream.test_subscription import POISON, record
from tests.stream.things import CODEC, Counted, new_stream


class Kept:
    """Keeps amounts in a table of its own, whose constraint is what fails."""

    version = 1

    def __init__(self, name: str, refused: int = -1) -> None:
        self.name = name
        self.refused = refused
        self.transactions: list[int] = []

    def create(self, connection: Connection) -> None:
        check = f"CHECK (amount <> {self.refused})"
        connection.execute(f"CREATE TABLE rm_{self.name} (amount int {check})".encode())

    def apply(self, connection: Connection, batch: Sequence[Recorded]) -> None:
        row = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        assert row is not None
        self.transactions.append(row[0])
        for recorded in batch:
            assert isinstance(recorded.event, Counted)
            query = f"INSERT INTO rm_{self.name} VALUES (%s)".encode()
            connection.execute(query, (recorded.event.amount,))

    def amounts(self, connection: Connection) -> list[int]:
        query = f"SELECT amount FROM rm_{self.name} ORDER BY amount".encode()
        return [row[0] for row in connection.execute(query)]


def prepared(connection: Connection, *consumers: Kept) -> tuple[Kept, ...]:
    for consumer in consumers:
        subscription.prepare(connection, consumer, consumer.create)
    return consumers


def go(connection: Connection, *consumers: Kept) -> int:
    reached = subscription.cursors(connection)
    low = min(reached[one.name] for one in consumers)
    batch = subscription.read_feed(connection, CODEC, low, 10)
    return advance_together(connection, CODEC, consumers, 10, batch)


def test_they_take_a_batch_in_one_transaction(connection: Connection) -> None:
    one, two = prepared(connection, Kept("one"), Kept("two"))
    record(connection, new_stream(), 1, 2)
    assert go(connection, one, two) == 4
    assert one.transactions == two.transactions
    assert one.amounts(connection) == two.amounts(connection) == [1, 2]
    assert go(connection, one, two) == 0


def test_one_that_fails_parks_its_stream_and_the_others_go_on(connection: Connection) -> None:
    good, bad = prepared(connection, Kept("good"), Kept("bad", POISON))
    spoilt = new_stream()
    record(connection, spoilt, 1, POISON, 2)
    record(connection, new_stream(), 3)
    assert go(connection, good, bad) == 8
    assert good.amounts(connection) == [1, 2, 3, POISON]
    assert bad.amounts(connection) == [1, 3]
    parked = [(one.consumer, one.stream) for one in subscription.list_parked(connection)]
    assert parked == [("bad", spoilt)]
    # What is parked is left out from now on, and they go together again.
    record(connection, spoilt, 4, after=3)
    assert go(connection, good, bad) == 2
    assert good.amounts(connection) == [1, 2, 3, 4, POISON]
    assert bad.amounts(connection) == [1, 3]


def test_one_that_stands_elsewhere_goes_on_its_own(connection: Connection) -> None:
    old, new = prepared(connection, Kept("old"), Kept("new"))
    record(connection, new_stream(), 1, 2)
    advance(connection, CODEC, old, 10)
    record(connection, new_stream(), 3)
    while go(connection, old, new):
        pass
    assert old.amounts(connection) == new.amounts(connection) == [1, 2, 3]
    last = last_position(connection)
    assert subscription.cursors(connection) == {"old": last, "new": last}


def test_a_server_that_goes_away_parks_nothing(connection: Connection, other: Connection) -> None:
    class Cut(Kept):
        def apply(self, connection: Connection, batch: Sequence[Recorded]) -> None:
            other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            super().apply(connection, batch)

    steady, cut = prepared(connection, Kept("steady"), Cut("cut"))
    record(connection, new_stream(), 1)
    with pytest.raises(psycopg.OperationalError):
        go(connection, steady, cut)
    assert subscription.cursors(other) == {"steady": 0, "cut": 0}
    assert subscription.list_parked(other) == []
    assert steady.amounts(other) == []
