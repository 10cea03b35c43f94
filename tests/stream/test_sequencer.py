"""The sequencer: gapless positions, order within a stream, its own transaction, a new cluster."""

from __future__ import annotations

import pytest

from domain.stream.database import Connection
from domain.stream.feed import position_of, read_feed
from domain.stream.sequencer import NotItsOwnTransaction, last_position, resequence, tick
from domain.stream.store import append
from tests.stream.things import CODEC, batch, counted, new_stream, writes


def add(connection: Connection, stream: str, after: int = 0) -> None:
    append(connection, batch(writes(stream, [counted()], after=after)))


def fed(connection: Connection) -> list[tuple[int, str, int]]:
    return [(r.feed_position, r.stream, r.version) for r in read_feed(connection, CODEC, 0, 10_000)]


def test_positions_are_gapless_and_in_order(connection: Connection) -> None:
    a, b = new_stream(), new_stream()
    append(connection, batch(writes(a, [counted(), counted()])))
    assert tick(connection) == 2
    add(connection, b)
    add(connection, a, after=2)
    assert position_of(connection, [(a, 2), (b, 1)]) is None
    assert tick(connection) == 2
    assert fed(connection) == [(1, a, 1), (2, a, 2), (3, b, 1), (4, a, 3)]
    assert position_of(connection, [(a, 2), (b, 1)]) == 3
    assert last_position(connection) == 4


def test_an_idle_tick_writes_nothing(connection: Connection) -> None:
    add(connection, new_stream())
    tick(connection)
    query = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
    before = connection.execute(query).fetchone()
    assert [tick(connection) for _ in range(5)] == [0] * 5
    assert connection.execute(query).fetchone() == before


def test_an_open_transaction_holds_up_nobody_and_is_not_lost(
    connection: Connection, other: Connection
) -> None:
    early, late = new_stream(), new_stream()
    with other.transaction():
        add(other, early)
        add(connection, late)
        assert tick(connection) == 1
        assert tick(connection) == 0
    assert tick(connection) == 1
    assert fed(connection) == [(1, late, 1), (2, early, 1)]


def test_the_tick_refuses_a_transaction_that_has_written(connection: Connection) -> None:
    stream = new_stream()
    with connection.transaction():
        add(connection, stream)
        with pytest.raises(NotItsOwnTransaction):
            tick(connection)
    assert tick(connection) == 1


def test_the_tick_refuses_a_frozen_snapshot(connection: Connection) -> None:
    connection.execute("SET default_transaction_isolation = 'repeatable read'")
    with pytest.raises(NotItsOwnTransaction):
        tick(connection)


def test_two_sequencers_at_once_number_everything_once(
    connection: Connection, other: Connection
) -> None:
    for _ in range(20):
        add(connection, new_stream())
        assert {tick(connection) + tick(other)} == {1}
    assert [position for position, _, _ in fed(connection)] == list(range(1, 21))


def test_in_another_cluster_the_feed_goes_on(connection: Connection) -> None:
    """As after a restore: other system, and transaction ids that mean nothing there."""
    a, b = new_stream(), new_stream()
    add(connection, a)
    tick(connection)
    add(connection, b)
    connection.execute(
        "UPDATE event SET xid = '9000000000'; UPDATE feed_state SET system_id = 'another'"
    )
    assert tick(connection) == 1
    assert [tick(connection) for _ in range(3)] == [0, 0, 0]
    add(connection, a, after=1)
    assert tick(connection) == 1
    assert fed(connection) == [(1, a, 1), (2, b, 1), (3, a, 2)]
    assert resequence(connection) == 0
