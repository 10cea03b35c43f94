"""Moving the sandbox Clock, as people ask for it: a request, its progress, its end. The ticker
carries it out (jobs.advance); in production the Clock is the wall clock and nothing is asked."""

from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from domain.dispatch import Dispatcher
from domain.kernel.message import Refused
from domain.kernel.time import berlin, berlin_date, next_target_day
from domain.kernel.value import Value
from domain.stream import clock
from domain.stream.database import Connection

OFFICE_HOUR, OFFICE_MINUTE = 8, 30
"""When a banking day begins on the Sandbox page: the statement of the morning is there."""
DAYS_MAX = 400
"""A year with its notices; a longer move would take the ticker hours."""

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]


class Advance(Value):
    """`clock` is where the Clock stands now, between `started_from` and `target`."""

    id: UUID
    target: datetime
    started_from: datetime
    requested_by: str
    requested_at: datetime
    state: State
    cancel_wanted: bool
    done_steps: int
    message: str | None
    ended_at: datetime | None
    clock: datetime

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def done_percent(self) -> int:
        """By business time, which is what a person waits for."""
        whole, done = self.target - self.started_from, self.clock - self.started_from
        return max(0, min(100, int(100 * (done / whole))))


def office_time(day: date) -> datetime:
    return berlin(day, OFFICE_HOUR, OFFICE_MINUTE)


def next_banking_day(now: datetime) -> datetime:
    """08:30 in Berlin on the first TARGET day after today."""
    return office_time(next_target_day(berlin_date(now)))


def by_days(now: datetime, days: int) -> datetime:
    """The same time of day in Berlin, also across a change of the clocks."""
    local = berlin_date(now) + timedelta(days=days)
    return berlin(local) + (now - berlin(berlin_date(now)))


def request(dispatcher: Dispatcher, advance_id: UUID, target: datetime, by: str) -> None:
    """Raises Refused when the Clock does not move like that."""
    with dispatcher.database.connection() as connection:
        if clock.mode(connection) != "sandbox":
            raise Refused("Only the Clock of a sandbox can be moved.")
        now = clock.now(connection)
        if target <= now:
            raise Refused(
                "The Clock never goes back: it stands at %(now)s. Choose a later time.", now=now
            )
        if target > now + timedelta(days=DAYS_MAX):
            raise Refused("The Clock moves at most %(days)s days at once.", days=DAYS_MAX)
        try:
            connection.execute(
                "INSERT INTO advance (id, target, started_from, requested_by)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
                (advance_id, target, now, by),
            )
        except UniqueViolation:
            raise Refused(
                "The Clock is moving already. Wait until it stands, or stop it."
            ) from None


def cancel(dispatcher: Dispatcher) -> bool:
    """The running move ends after its step; False when none is under way."""
    with dispatcher.database.connection() as connection:
        wanted = connection.execute(
            "UPDATE advance SET cancel_wanted = true WHERE state IN ('waiting', 'running')"
        ).rowcount
    return bool(wanted)


def latest(connection: Connection) -> Advance | None:
    """The move that is under way, else the last one that was asked for."""
    return _one(connection, "ORDER BY requested_at DESC LIMIT 1")


def under_way(connection: Connection) -> Advance | None:
    return _one(connection, "WHERE state IN ('waiting', 'running')")


def progress(connection: Connection, advance_id: UUID, done_steps: int) -> bool:
    """Notes a finished step; False when somebody wants to stop."""
    row = connection.execute(
        "UPDATE advance SET state = 'running', done_steps = %s"
        " WHERE id = %s AND state IN ('waiting', 'running') RETURNING cancel_wanted",
        (done_steps, advance_id),
    ).fetchone()
    return row is not None and not row[0]


def end(connection: Connection, advance_id: UUID, state: State, message: str | None = None) -> None:
    connection.execute(
        "UPDATE advance SET state = %s, message = %s, ended_at = clock_timestamp()"
        " WHERE id = %s AND state IN ('waiting', 'running')",
        (state, message, advance_id),
    )


_READ = (
    "SELECT id, target, started_from, requested_by, requested_at, state, cancel_wanted,"
    " done_steps, message, ended_at, coalesce(clock, clock_timestamp())"
    " FROM advance CROSS JOIN installation "
)


def _one(connection: Connection, which: str) -> Advance | None:
    row = connection.execute((_READ + which).encode()).fetchone()
    return None if row is None else _advance(row)


def _advance(row: TupleRow) -> Advance:
    names = Advance.__struct_fields__
    return Advance(**dict(zip(names, row, strict=True)))
