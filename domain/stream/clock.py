"""The Clock: movable in the sandbox, the wall clock in production. Leases and back-off do not
follow it, they use database time. The heartbeats of long-running processes stand here too."""

from datetime import datetime

from domain.stream.database import Connection


class ClockRefused(Exception):
    """The Clock cannot be moved like that."""


def now(connection: Connection) -> datetime:
    row = connection.execute(
        "SELECT coalesce(clock, clock_timestamp()) FROM installation", prepare=True
    ).fetchone()
    if row is None:
        raise RuntimeError(
            "the database is not stamped with its mode: run `python -m jobs.migrate`"
        )
    moment: datetime = row[0]
    return moment


def move(connection: Connection, to: datetime) -> None:
    """Sandbox only, and never backwards."""
    moved = connection.execute(
        "UPDATE installation SET clock = %(to)s WHERE clock <= %(to)s", {"to": to}
    ).rowcount
    if not moved:
        raise ClockRefused(
            f"the Clock does not move to {to.isoformat()}: it shows a later time"
            " or is the wall clock"
        )


def begin(connection: Connection, at: datetime) -> None:
    """Sets the Clock of a sandbox that holds no event yet, for a story that begins earlier."""
    begun = connection.execute(
        "UPDATE installation SET clock = %s"
        " WHERE clock IS NOT NULL AND NOT EXISTS (SELECT FROM event)",
        (at,),
    ).rowcount
    if not begun:
        raise ClockRefused("only a sandbox without any event begins at another time")


def mode(connection: Connection) -> str | None:
    """The mode this database was made for; None before its first migration has ended."""
    row = connection.execute("SELECT mode FROM installation").fetchone()
    return None if row is None else str(row[0])


def beat(connection: Connection, name: str, at: datetime | None = None) -> None:
    """Database time, or the moment up to which something was done."""
    connection.execute(
        "INSERT INTO heartbeat (name, at) VALUES (%s, coalesce(%s, clock_timestamp()))"
        " ON CONFLICT (name) DO UPDATE SET at = excluded.at",
        (name, at),
        prepare=True,
    )


def last_beat(connection: Connection, name: str) -> datetime | None:
    row = connection.execute("SELECT at FROM heartbeat WHERE name = %s", (name,)).fetchone()
    return None if row is None else row[0]
