"""`python -m jobs.ticker`: what happens by time. It fires due timers, rings what was missed, asks
the provider for lost hints, looks for bank files, raises cases for what is parked, and advances the
sandbox Clock."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from psycopg.errors import UndefinedTable

from config import Settings
from domain.flows.timers import TIMERS
from domain.kernel.message import Refused
from domain.observing import logs, traces
from domain.observing.errors import kept
from domain.operating import raise_cases
from domain.payments.ports import Hint, Ignored, ProviderUnreachable
from domain.stream import clock, effects, inbox, timers
from domain.stream.subscription import TRANSIENT
from jobs.advance import Chores, work_one
from jobs.bank_files import LOOK_S, BankFiles
from jobs.context import Context, open_context
from jobs.installed import end_unless_ours
from jobs.providers.stripe.capabilities import EVENTS_LISTED_DAYS
from jobs.providers.stripe.translate import read_notification
from jobs.ring import ring_all
from jobs.runs.export import Exports

log = logging.getLogger("kontor.ticker")

BEAT = "ticker"
POLLED = "polled:stripe"
"""Up to which Clock time the provider was asked; it outlives this process."""
ROUND_S = 0.5
SWEEP_S = 5.0
POLL_S = {"sandbox": 10.0, "production": 60.0}
TIMERS_AT_ONCE = 200
RINGS_AT_ONCE = 2_000
FIRST_POLL = timedelta(days=EVENTS_LISTED_DAYS)
"""As far back as Stripe lists events (PROVIDERS 2.1): a long outage loses no hint."""
OVERLAP = timedelta(hours=1)
"""Events that became visible late are asked for again; the inbox knows those it has."""


def fire_timers(context: Context) -> int:
    """Sends the command of every due timer. The append that records it deletes the timer; one whose
    command is refused is set aside, and `raise_cases` tells a person."""
    with context.dispatcher.read() as connection:
        due = timers.due(connection, clock.now(connection), TIMERS_AT_ONCE)
    for one in due:
        timer = one.timer
        command = TIMERS[timer.kind](timer.stream, timer.payload)
        try:
            context.dispatcher.dispatch(
                command,
                one.timer_id,
                cause=timer.payload.get("cause"),
                fired=(one.shard, one.timer_id),
            )
        except Refused as refused:
            log.error("timer %s of %s was refused: %s", timer.kind, timer.stream, refused)
            with context.dispatcher.read() as connection:
                timers.refuse(connection, one, kept(refused))
    return len(due)


def sweep(context: Context) -> int:
    """Rings whatever is due or lost its worker; ringing twice is harmless."""
    with context.dispatcher.read() as connection:
        due = effects.due(connection, clock.now(connection), RINGS_AT_ONCE)
    ring_all(context.redis, due)
    return len(due)


class Poll:
    """Asks the provider which events we should have heard of since it was asked last."""

    def __call__(self, context: Context) -> int:
        with context.dispatcher.read() as connection:
            now, last = clock.now(connection), clock.last_beat(connection, POLLED)
        after = now - FIRST_POLL if last is None else last - OVERLAP
        try:
            events = context.stripe.poll_events(after)
        except ProviderUnreachable as error:
            log.warning("the provider's list of events was not readable: %s", error)
            return 0
        fresh = 0
        for event in events:
            read = read_notification(event.body)
            hint = inbox.Hint(
                provider="stripe",
                notification_id=event.event_id,
                object_id=read.object_id if isinstance(read, Hint) else None,
                headers={},
                body=event.body,
                verdict="verified",
                needless=read.reason if isinstance(read, Ignored) else "",
            )
            fresh += context.dispatcher.receive(hint) is not None
        with context.dispatcher.read() as connection:
            clock.beat(connection, POLLED, now)
        return fresh


class Ticker:
    """The chores and how often each is due. One that fails is logged and tried again."""

    def __init__(self, context: Context, stopping: threading.Event) -> None:
        self._context = context
        self._stopping = stopping
        mode = context.settings.mode
        self.poll = Poll()
        self.bank = BankFiles(context.settings.var / "bank")
        self._chores: list[tuple[float, Callable[[Context], object]]] = [
            (0.0, fire_timers),
            (LOOK_S, self.bank),
            (ROUND_S, Exports()),
            (SWEEP_S, sweep),
            (SWEEP_S, lambda context: raise_cases(context.dispatcher)),
            (POLL_S[mode], self.poll),
        ]
        if context.settings.sandbox:
            self._chores.append((ROUND_S, self._advance))
        self._last: dict[int, float] = {}

    def _fire(self, context: Context) -> int:
        """A long move is no stopped heart."""
        with context.dispatcher.read() as connection:
            clock.beat(connection, BEAT)
        return fire_timers(context)

    def _advance(self, context: Context) -> bool:
        """Carries out the move of the Clock that somebody asked for on the Sandbox page."""
        chores = Chores(
            fire=lambda: self._fire(context),
            sweep=lambda: sweep(context),
            look=lambda: self.bank.at_once(context) + self.poll(context),
            tell=lambda: raise_cases(context.dispatcher),
            stopping=self._stopping.is_set,
        )
        return work_one(context, chores)

    def round(self) -> None:
        with self._context.dispatcher.read() as connection:
            clock.beat(connection, BEAT)
        now = time.monotonic()
        for n, (every_s, chore) in enumerate(self._chores):
            if now - self._last.get(n, -every_s) >= every_s:
                self._last[n] = now
                chore(self._context)


def run(context: Context, stopping: threading.Event) -> None:
    ticker = Ticker(context, stopping)
    log.info("ticking")
    while not stopping.is_set():
        try:
            ticker.round()
        except (*TRANSIENT, Refused, UndefinedTable) as error:
            # Without its table: the follower is still making the screens.
            log.warning("a chore failed and is tried again: %s", error)
        stopping.wait(ROUND_S)


def main() -> int:
    settings = Settings.from_env()
    logs.set_up("ticker", settings.log)
    traces.set_up("ticker", settings.otel_endpoint)
    end_unless_ours(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run(open_context(settings), stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
