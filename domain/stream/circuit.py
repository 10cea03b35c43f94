"""The circuit of a provider, one row shared by all workers: may it be called now, how fast, how
many calls in a row have failed. Times are database time; what is recorded about an outage is an
event (`domain/payments/provider.py`)."""

from typing import TypeAlias

import msgspec

from domain.stream.database import Connection


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Calls per second of all workers together. After an outage it starts at `first_per_s` and
    doubles every `doubles_s` until it is `per_s`; `burst_s` of it may come at once."""

    per_s: float
    first_per_s: float = 4.0
    doubles_s: float = 4.0
    burst_s: float = 0.2


class Entered(msgspec.Struct, frozen=True):
    """The call may be made in `wait_s` seconds. `failures`: so many in a row before it."""

    wait_s: float
    failures: int


class Held(msgspec.Struct, frozen=True):
    """Not now: the circuit is open, the provider asked us to wait, or too many stand in line."""

    reason: str


Admission: TypeAlias = Entered | Held

LINE_S = 2.0
"""Nobody stands in line for longer than this: a worker that waits works on nothing else."""
WINDOW_S = 120.0
"""A failure after so long without another is a first one again. Longer than two time-outs."""

_ENTER = """
WITH old AS (
  SELECT greatest(next_call_at, clock_timestamp() - make_interval(secs => %(burst_s)s)) AS slot
    FROM circuit
   WHERE provider = %(provider)s AND closed >= opening
     AND (held_until IS NULL OR held_until <= clock_timestamp())
     AND next_call_at <= clock_timestamp() + make_interval(secs => %(line_s)s)
     FOR UPDATE)
UPDATE circuit c
   SET next_call_at = old.slot + make_interval(secs => 1.0 / least(%(per_s)s, coalesce(
         %(first_per_s)s * power(2.0, least(20.0, extract(epoch FROM
           clock_timestamp() - c.recovered_at)::float / %(doubles_s)s)), %(per_s)s)))
  FROM old
 WHERE c.provider = %(provider)s
RETURNING extract(epoch FROM old.slot - clock_timestamp())::float, c.failures
"""
_SUCCEEDED = """
UPDATE circuit SET failures = 0, failing_since = NULL, reason = ''
 WHERE provider = %s AND closed >= opening AND failures > 0
"""
# Calls that were under way together when the provider asked us to wait are one request of it.
_FAILED = """
WITH old AS (
  SELECT failures = 0 OR failed_at < clock_timestamp() - make_interval(secs => %(window_s)s)
           AS first,
         %(hold_s)s::float IS NOT NULL AND coalesce(held_until > clock_timestamp(), false)
           AS known
    FROM circuit WHERE provider = %(provider)s FOR UPDATE)
UPDATE circuit c
   SET failures = CASE WHEN old.first THEN 1 ELSE c.failures + (NOT old.known)::int END,
       failing_since = CASE WHEN old.first
         THEN (SELECT coalesce(clock, clock_timestamp()) FROM installation)
         ELSE c.failing_since END,
       failed_at = clock_timestamp(),
       reason = %(reason)s,
       held_until = greatest(c.held_until,
                             clock_timestamp() + make_interval(secs => %(hold_s)s)),
       recovered_at = greatest(c.recovered_at,
                               clock_timestamp() + make_interval(secs => %(hold_s)s))
  FROM old
 WHERE c.provider = %(provider)s
RETURNING c.failures
"""
_OPEN = "UPDATE circuit SET opening = greatest(opening, %s) WHERE provider = %s"
_CLOSE = """
UPDATE circuit
   SET closed = greatest(closed, %s), failures = 0, failing_since = NULL, failed_at = NULL,
       reason = '', held_until = NULL, next_call_at = '-infinity',
       recovered_at = clock_timestamp()
 WHERE provider = %s AND closed < %s
"""


def enter(connection: Connection, provider: str, pace: Pace) -> Admission:
    """Takes the next place in line, or says why there is none. Raises LookupError for a provider
    that no migration introduced."""
    values = {"provider": provider, "line_s": LINE_S, **msgspec.structs.asdict(pace)}
    row = connection.execute(_ENTER.encode(), values, prepare=True, binary=True).fetchone()
    if row is not None:
        return Entered(wait_s=max(0.0, row[0]), failures=row[1])
    found = connection.execute(
        "SELECT closed < opening, coalesce(held_until > clock_timestamp(), false)"
        "  FROM circuit WHERE provider = %s",
        (provider,),
        prepare=True,
    ).fetchone()
    if found is None:
        raise LookupError(f"{provider} has no circuit")
    is_open, is_held = found
    told = "its circuit is open" if is_open else "it asked us to wait"
    return Held(told if is_open or is_held else "too many calls stand in line")


def succeeded(connection: Connection, provider: str) -> None:
    """One answer ends the row of failures."""
    connection.execute(_SUCCEEDED.encode(), (provider,), prepare=True)


def failed(connection: Connection, provider: str, reason: str, hold_s: float | None = None) -> int:
    """Counts a failure; says how many in a row that makes. `hold_s`: the provider asked us to
    wait so long, and to come back slowly."""
    values = {"provider": provider, "reason": reason, "hold_s": hold_s, "window_s": WINDOW_S}
    row = connection.execute(_FAILED.encode(), values, prepare=True).fetchone()
    if row is None:
        raise LookupError(f"{provider} has no circuit")
    return int(row[0])


def open_(connection: Connection, provider: str, opening: int) -> None:
    """After the event was recorded. Too late for an outage that is over already."""
    connection.execute(_OPEN.encode(), (opening, provider))


def close(connection: Connection, provider: str, opening: int) -> None:
    """Before the event is recorded: whoever dies in between leaves the probe to be made again."""
    connection.execute(_CLOSE.encode(), (opening, provider, opening))
