"""Moving the sandbox Clock: step to the next due moment, let everything that follows from it come
to rest, repeat. The ticker does it for a request made on the Sandbox page."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from domain.dispatch import Dispatcher
from domain.kernel.message import Refused
from domain.kernel.time import BERLIN
from domain.operating import advancing
from domain.stream import clock, effects, inbox, sequencer, subscription, timers, wake
from domain.stream.database import Connection
from jobs.context import Context
from jobs.control import Control, ControlError

log = logging.getLogger("kontor.advance")

STILL_MAX_S = 60.0
"""Nothing moved for so long: it will not come to rest by itself."""
DRAIN_MAX_S = 1_800.0
"""A first of the month with thousands of documents on a small machine; beyond it something turns
in a circle."""
SWEEP_S = 2.0
FIRST_PAUSE_S, PAUSE_MAX_S = 0.01, 0.1
STEPS_MAX = 10_000
"""A year has some 1,500 due moments in the demo; more is a moment that never passes."""
_LOCK = 4713


class NotIdle(Exception):
    """Something did not come to rest; the text names it."""


class Stopped(Exception):
    """The process ends; the move goes on when it is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chores:
    """What the ticker does by time and lends to a move: fire due timers, ring due effects, ask
    provider and bank once for what nobody told us, open cases for what was set aside."""

    fire: Callable[[], object]
    sweep: Callable[[], object]
    look: Callable[[], object]
    tell: Callable[[], object]
    stopping: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Everything that has to move together."""

    dispatcher: Dispatcher
    control: Control
    chores: Chores
    nudge: Callable[[], object] = lambda: None


def advance(sandbox: Sandbox, target: datetime, on_progress: Callable[[int], bool]) -> int:
    """Says how many steps it took. `on_progress` is told after each and ends the move with False.
    Raises NotIdle, ControlError, ClockRefused; the Clock then stands where it was."""
    # After a restore the provider is ahead of us; it never goes back.
    theirs = sandbox.control.now() or sandbox.dispatcher.now()
    _move(sandbox, max(sandbox.dispatcher.now(), theirs))
    settle(sandbox)
    steps = 0
    while (now := sandbox.dispatcher.now()) < target and steps < STEPS_MAX:
        _move(sandbox, min(_next_due(sandbox, now) or target, target))
        settle(sandbox)
        steps += 1
        if not on_progress(steps):
            break
    return steps


def settle(sandbox: Sandbox) -> None:
    """Drains, looks once for what was not told, and drains again what that brought. A case of what
    was set aside opens before the Clock moves on."""
    drain(sandbox)
    for chore in (sandbox.chores.look, sandbox.chores.tell):
        if chore():
            drain(sandbox)


def drain(sandbox: Sandbox) -> None:
    """Waits until nothing is due and nothing is on its way. Raises NotIdle and Stopped.

    Twice idle at the same position: what one look missed behind its back would have moved it.
    """
    began = moved = swept = time.monotonic()
    pause, idle_at, last = FIRST_PAUSE_S, -1, ""
    while True:
        sandbox.chores.fire()
        busy, position = _look(sandbox)
        if not busy and position == idle_at:
            return
        idle_at = -1 if busy else position
        now = time.monotonic()
        if busy != last:
            moved, last = now, busy
        if now - moved > STILL_MAX_S or now - began > DRAIN_MAX_S:
            raise NotIdle(busy or "events keep coming")
        if sandbox.chores.stopping():
            raise Stopped
        if busy:
            if now - swept > SWEEP_S:
                sandbox.chores.sweep()
                sandbox.chores.tell()
                swept = now
            time.sleep(pause)
            pause = min(PAUSE_MAX_S, pause * 1.5)


def _look(sandbox: Sandbox) -> tuple[str, int]:
    """What is not at rest, from the outside in ("" when all is), and the end of the feed."""
    if not sandbox.control.quiet():
        return "the simulator has webhooks to deliver", -1
    with sandbox.dispatcher.read() as connection:
        now = clock.now(connection)
        # A longer back-off follows database time, which the Clock does not move: the next step
        # ends it.
        if pending := effects.pending(connection, now):
            kinds = ", ".join(f"{number} {kind}" for kind, number in pending.items())
            return f"due and not settled: {kinds}", -1
        if due := len(timers.due(connection, now, 100)):
            return f"{due} due timers have not fired", -1
        if waiting := inbox.waiting_count(connection):
            return f"{waiting} notifications in the inbox are not read", -1
        fresh = sequencer.tick(connection)
        behind = {name: lag for name, lag in subscription.lag(connection).items() if lag > 0}
        if fresh or behind:
            return f"readers are behind: {', '.join(behind) or 'all'}", -1
        return "", sequencer.last_position(connection)


def _next_due(sandbox: Sandbox, now: datetime) -> datetime | None:
    with sandbox.dispatcher.read() as connection:
        moments = [
            timers.next_due_at(connection),
            effects.next_due_at(connection, now),
            sandbox.control.next_at(),
        ]
    return min((at for at in moments if at is not None and at > now), default=None)


def _move(sandbox: Sandbox, to: datetime) -> None:
    """Our Clock first: what the simulator then tells us happened at that time. Where business
    time passes, every back-off has passed, too."""
    with sandbox.dispatcher.read() as connection:
        if to > clock.now(connection):
            connection.execute(
                "UPDATE effect SET not_before = NULL WHERE status IN ('waiting', 'unknown')"
                " AND not_before > clock_timestamp()"
            )
            timers.try_again(connection)
        clock.move(connection, to)
    sandbox.control.set_clock(to)
    sandbox.nudge()


def work_one(context: Context, chores: Chores) -> bool:
    """Carries out the move somebody asked for; False when there is none. What a killed ticker
    left behind goes on where the Clock stands."""
    with context.dispatcher.read() as connection:
        if advancing.under_way(connection) is None:
            return False
        taken = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if taken is None or not taken[0]:
            return False
        try:
            asked = advancing.under_way(connection)
            if asked is None:
                return False
            _carry_out(context, connection, asked, chores)
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return True


def _carry_out(
    context: Context, connection: Connection, asked: advancing.Advance, chores: Chores
) -> None:
    sandbox = Sandbox(
        dispatcher=context.dispatcher,
        control=Control(context.settings.simulator_control),
        chores=chores,
        nudge=partial(wake.publish, context.redis, wake.APPENDED),
    )

    def on_progress(steps: int) -> bool:
        return advancing.progress(connection, asked.id, asked.done_steps + steps)

    try:
        if on_progress(0):
            advance(sandbox, asked.target, on_progress)
        reached = context.dispatcher.now() >= asked.target
        advancing.end(connection, asked.id, "done" if reached else "cancelled")
    except Stopped:
        log.info("the move of the Clock goes on after the next start")
    except (NotIdle, ControlError, Refused, clock.ClockRefused) as error:
        where = f"{context.dispatcher.now().astimezone(BERLIN):%d.%m.%Y %H:%M}"
        log.warning("the Clock stopped at %s: %s", where, error)
        advancing.end(connection, asked.id, "failed", f"{error}")
    finally:
        sandbox.control.close()
