"""The circuit's row: who may call, how fast, when it opens and closes, whatever order workers come
in."""

from __future__ import annotations

import pytest

from domain.stream import circuit
from domain.stream.circuit import Entered, Held, Pace
from domain.stream.database import Connection

PACE = Pace(per_s=1, first_per_s=0.5, doubles_s=100_000, burst_s=0)
"""So slow that a busy machine makes no difference."""
NAME = "stripe"


def enters(connection: Connection, pace: Pace = PACE) -> float:
    """The place in line after this call, in seconds."""
    found = circuit.enter(connection, NAME, pace)
    assert isinstance(found, Entered)
    return seconds(connection, "next_call_at", "timestamptz '2026-01-01'")


def seconds(connection: Connection, column: str, since: str = "clock_timestamp()") -> float:
    row = connection.execute(
        f"SELECT extract(epoch FROM {column} - {since})::float FROM circuit".encode()
    ).fetchone()
    assert row is not None
    return float(row[0])


def test_calls_stand_in_line_one_pace_apart(connection: Connection) -> None:
    first = enters(connection)
    assert enters(connection) == pytest.approx(first + 1)
    found = circuit.enter(connection, NAME, PACE)
    assert isinstance(found, Entered)
    assert 0 < found.wait_s <= 2


def test_nobody_stands_in_line_for_long(connection: Connection) -> None:
    found = [circuit.enter(connection, NAME, PACE) for _ in range(5)]
    assert found[-1] == Held("too many calls stand in line")


def test_a_burst_may_come_at_once_but_no_more(connection: Connection) -> None:
    pace = Pace(per_s=1, burst_s=3)
    found = [circuit.enter(connection, NAME, pace) for _ in range(5)]
    waits = [one.wait_s for one in found if isinstance(one, Entered)]
    assert waits[:4] == [0] * 4
    assert waits[4] > 0


def test_after_an_outage_it_starts_slowly(connection: Connection) -> None:
    circuit.open_(connection, NAME, 1)
    circuit.close(connection, NAME, 1)
    first = enters(connection)
    assert enters(connection) == pytest.approx(first + 2, abs=0.01)
    connection.execute(
        "UPDATE circuit SET recovered_at = clock_timestamp() - interval '1 year',"
        " next_call_at = '-infinity'"
    )
    first = enters(connection)
    assert enters(connection) == pytest.approx(first + 1)


def test_failures_in_a_row_are_counted_and_one_answer_ends_them(connection: Connection) -> None:
    assert [circuit.failed(connection, NAME, "timeout") for _ in range(3)] == [1, 2, 3]
    circuit.succeeded(connection, NAME)
    assert circuit.failed(connection, NAME, "timeout") == 1
    connection.execute("UPDATE circuit SET failed_at = failed_at - interval '3 minutes'")
    assert circuit.failed(connection, NAME, "timeout") == 1


def test_an_open_circuit_lets_nobody_in(connection: Connection) -> None:
    circuit.open_(connection, NAME, 1)
    assert circuit.enter(connection, NAME, PACE) == Held("its circuit is open")
    circuit.succeeded(connection, NAME)  # somebody who was under way
    assert circuit.enter(connection, NAME, PACE) == Held("its circuit is open")
    circuit.close(connection, NAME, 1)
    assert isinstance(circuit.enter(connection, NAME, PACE), Entered)


def test_whoever_opens_too_late_opens_nothing(connection: Connection) -> None:
    """The probe was faster than the worker that noticed the outage."""
    circuit.close(connection, NAME, 1)
    circuit.open_(connection, NAME, 1)
    assert isinstance(circuit.enter(connection, NAME, PACE), Entered)
    circuit.open_(connection, NAME, 2)
    circuit.close(connection, NAME, 1)
    assert circuit.enter(connection, NAME, PACE) == Held("its circuit is open")


def test_the_longest_wait_that_was_asked_for_counts(connection: Connection) -> None:
    assert circuit.failed(connection, NAME, "rate_limited", 30) == 1
    assert circuit.failed(connection, NAME, "rate_limited", 5) == 1  # both were under way
    assert 25 < seconds(connection, "held_until") <= 30
    assert circuit.enter(connection, NAME, PACE) == Held("it asked us to wait")
    connection.execute("UPDATE circuit SET held_until = clock_timestamp()")
    assert isinstance(circuit.enter(connection, NAME, PACE), Entered)
    assert circuit.failed(connection, NAME, "rate_limited", 1) == 2
