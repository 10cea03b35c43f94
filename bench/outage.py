"""The provider answers 500 for a while, 400 refunds pile up, then it is back: how fast they are
sent against the ramp that was promised, what pages take meanwhile, and what the provider's own
book says was lost or paid twice."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from typing import Any

from bench import report
from bench.books import AT_PROVIDER, ENDED, ask_for, connected, count, next_day, until, without
from bench.house import House, opened
from bench.rush import People
from bench.visible import refundable, wish
from config import Settings
from domain.payments.commands import RequestRefund
from domain.stream.circuit import Pace
from domain.stream.database import Connection
from jobs.control import Control
from jobs.handlers.probes import FIRST_PAUSE_S
from jobs.providers.stripe.capabilities import CALLS_PER_SECOND, CALLS_PER_SECOND_MAX

REFUNDS, REQUESTS_PER_S = 400, 40
WORKERS = ("effects-1", "effects-2")
PACE = Pace(per_s=CALLS_PER_SECOND)
OUTAGE_CALLS_MAX = 5 + 3
"""What opens the circuit, and one question each 5, 10, 20 s."""
LATE_S = 0.25
"""A worker that got its place in line may be this late at the provider: the machine is full."""
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.02
WANTED = {
    "calls_while_away": f"<= {OUTAGE_CALLS_MAX}",
    "ahead_of_the_ramp": "<= 1",
    "ramp_used_at_most": "<= 1",
    "calls_per_s_peak": f"<= {CALLS_PER_SECOND_MAX}",
    "longest_pause_s": "<= 2",
    "pages_ms_p95": "<= 300",
    "lost": "= 0",
    "doubled": "= 0",
    "open_in_the_end": "= 0",
}
_CLOSED = """
SELECT extract(epoch FROM clock_timestamp() - recovered_at)::float FROM circuit
 WHERE provider = 'stripe' AND closed >= opening AND opening > 0
"""
_OPEN = "SELECT closed < opening FROM circuit WHERE provider = 'stripe'"
_WAITING = "SELECT count(*) FROM effect WHERE kind = 'submit_refund' AND status <> 'done'"


def rate(seconds: float) -> float:
    """Calls a second that are allowed so long after the recovery."""
    return min(PACE.per_s, PACE.first_per_s * math.exp2(seconds / PACE.doubles_s))


def allowed(seconds: float) -> float:
    """Calls in all that are allowed until then, with the burst of the first moment."""
    full = PACE.doubles_s * math.log2(PACE.per_s / PACE.first_per_s)
    ramp = PACE.first_per_s * PACE.doubles_s / math.log(2)
    begun = min(seconds, full)
    calls = ramp * (math.exp2(begun / PACE.doubles_s) - 1.0) + PACE.per_s * max(0.0, seconds - full)
    return calls + PACE.first_per_s * PACE.burst_s + 1.0


def against_the_ramp(calls: Sequence[float]) -> dict[str, float]:
    """`calls`: seconds after the recovery, in order. Ahead: more in all than was allowed by then.
    Used: the fullest second, as a part of what may be sent in it."""
    ahead = max(n - allowed(at) for n, at in enumerate(calls, start=1))
    used, first = 0.0, 0
    for last, at in enumerate(calls):
        while calls[first] <= at - 1.0:
            first += 1
        most = rate(at) * (1.0 + PACE.burst_s + LATE_S) + 1.0
        used = max(used, (last - first + 1) / most)
    pauses = [after - before for before, after in itertools.pairwise(calls)]
    return {
        "ahead_of_the_ramp": max(0.0, ahead),
        "ramp_used_at_most": used,
        "longest_pause_s": max(pauses, default=0.0),
    }


def _wait(connection: Connection, query: str, patience_s: float) -> float:
    """Until the one row is true; says what it is. Raises when it never is."""
    give_up = time.monotonic() + patience_s
    while time.monotonic() < give_up:
        row = connection.execute(query.encode()).fetchone()
        if row is not None and row[0]:
            return float(row[0])
        time.sleep(LOOK_EVERY_S)
    raise RuntimeError(f"never came true: {query}")


def _pile_up(
    settings: Settings, connection: Connection, control: Control, wishes: Sequence[RequestRefund]
) -> dict[str, float]:
    control.ask("PUT", "/calls", {})
    control.ask("PUT", "/faults", {"outage": {"mode": "server_error"}})
    began = time.monotonic()
    ask_for(settings, wishes, REQUESTS_PER_S)
    _wait(connection, _OPEN, FIRST_PAUSE_S)
    row = connection.execute(_WAITING.encode()).fetchone()
    calls: dict[str, Any] = control.ask("GET", "/calls")
    return {
        "piled_up": float(row[0]) if row else 0.0,
        "away_s": time.monotonic() - began,
        "calls_while_away": float(calls["total"]),
    }


def _come_back(
    connection: Connection, control: Control, wishes: Sequence[RequestRefund]
) -> dict[str, float]:
    """From the end of the outage until each refund was accepted."""
    control.ask("PUT", "/faults", {})
    ended = time.monotonic()
    _wait(connection, _CLOSED, PATIENCE_S)
    noticed = time.monotonic()
    sent = until(connection, wishes, AT_PROVIDER, noticed + PATIENCE_S)
    drained = time.monotonic() - noticed
    calls: dict[str, Any] = control.ask("GET", "/calls")
    ago = _wait(connection, _CLOSED, 1.0)
    after = [ago - one for one in calls["ago"] if one < ago]
    return {
        "noticed_after_s": noticed - ended,
        "drained_s": drained if sent else math.inf,
        "calls_to_drain": float(len(after)),
        "calls_per_s_peak": float(calls["peak"]),
        **against_the_ramp(after),
    }


def _live_through(house: House, wishes: list[RequestRefund]) -> dict[str, float]:
    settings, control = house.settings, Control(house.settings.simulator_control)
    with connected(settings) as connection, People(settings, refundable(settings)) as people:
        numbers = _pile_up(settings, connection, control, wishes)
        numbers |= _come_back(connection, control, wishes)
    pages = sorted(people.pages_s)
    with connected(settings) as connection:
        next_day(settings, connection, control)
        until(connection, wishes, ENDED, time.monotonic() + PATIENCE_S)
        found = count(connection, control, wishes)
        kept = ("lost", "doubled", "moved_but_not_confirmed", "confirmed", "unknown_met")
        numbers |= {name: found[name] for name in kept}
        numbers |= {"open_in_the_end": float(without(connection, wishes))}
    control.close()
    return numbers | {
        "pages_ms_p95": 1000 * pages[int(0.95 * len(pages))],
        "pages": float(len(pages)),
        "refunds_meanwhile": float(len(people.refunds)),
    }


def main() -> dict[str, float]:
    started = time.monotonic()
    with opened("web", "follower", "ticker") as house:
        for name in WORKERS:
            house.start("effects", name)
        payments = refundable(house.settings)
        wishes = [wish(payments[n % len(payments)], 1 + n % 7) for n in range(REFUNDS)]
        numbers = _live_through(house, wishes)
    return report.show("outage", numbers | {"seconds": time.monotonic() - started}, WANTED)


if __name__ == "__main__":
    main()
