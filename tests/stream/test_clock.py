"""The Clock of the sandbox and of production, and heartbeats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.stream import clock
from domain.stream.clock import ClockRefused
from domain.stream.database import Connection
from jobs.migrate import SANDBOX_CLOCK


def test_the_sandbox_clock_stands_until_it_is_moved(connection: Connection) -> None:
    assert clock.mode(connection) == "sandbox"
    assert clock.now(connection) == SANDBOX_CLOCK
    later = SANDBOX_CLOCK + timedelta(days=14, microseconds=1)
    clock.move(connection, later)
    assert clock.now(connection) == later
    with pytest.raises(ClockRefused):
        clock.move(connection, later - timedelta(microseconds=1))
    assert clock.now(connection) == later


def test_in_production_it_is_the_wall_clock(connection: Connection) -> None:
    connection.execute("UPDATE installation SET mode = 'production', clock = NULL")
    before = datetime.now(UTC)
    assert before - timedelta(seconds=5) < clock.now(connection) < before + timedelta(seconds=5)
    with pytest.raises(ClockRefused):
        clock.move(connection, before + timedelta(days=1))


def test_a_database_without_a_stamp_has_no_time(connection: Connection) -> None:
    connection.execute("DELETE FROM installation")
    assert clock.mode(connection) is None
    with pytest.raises(RuntimeError, match="migrate"):
        clock.now(connection)


def test_heartbeats(connection: Connection) -> None:
    assert clock.last_beat(connection, "ticker") is None
    clock.beat(connection, "ticker")
    first = clock.last_beat(connection, "ticker")
    clock.beat(connection, "ticker")
    second = clock.last_beat(connection, "ticker")
    assert first is not None
    assert second is not None
    assert first < second
