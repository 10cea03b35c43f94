"""`python -m jobs.follow`: the sequencer and every consumer of the stream. It gives positions,
feeds the read models, sends the commands of flows, and rings workers for what is due now."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence

from config import Settings
from domain.deciding import CODEC
from domain.dispatch import Dispatcher
from domain.following import flow_readers
from domain.kernel.message import Recorded
from domain.observing import logs, traces
from domain.readmodels.registry import READMODELS
from domain.stream import clock, effects, failpoints, sequencer, subscription, wake
from domain.stream.database import Connection
from jobs.context import Context, open_context
from jobs.installed import end_unless_ours
from jobs.ring import ring_all

log = logging.getLogger("kontor.follow")

BATCH = 500
"""Small enough that a screen never waits for a long transaction, large enough to catch up fast."""
RINGS = 500
"""Effects rung in one go; the rest in the next round."""
POLL_S = 0.25
BEAT, BEAT_S = "follower", 5.0
"""Often enough to see within a minute that nobody follows, seldom enough to cost nothing."""


class Follower:
    """One of these runs at a time is enough; two are harmless, the cursors decide."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._flows = flow_readers(dispatcher)

    def prepare(self) -> None:
        """Starts consumers that are new or whose version rose."""
        with self._dispatcher.read() as connection:
            for model in READMODELS:
                if subscription.prepare(connection, model, model.create_tables):
                    log.info("read model %s is built from the first event on", model.name)
            for consumer in self._flows:
                subscription.prepare(connection, consumer)

    def round(self) -> int:
        """One tick and one batch for every consumer; says how much there was to do."""
        with self._dispatcher.read() as connection:
            done = sequencer.tick(connection)
            if not done and not any(subscription.lag(connection).values()):
                return 0
            return done + self._feed(connection)

    def _feed(self, connection: Connection) -> int:
        """All consumers usually stand at the same place: then one read serves them."""
        reached = subscription.cursors(connection)
        low = min(reached[model.name] for model in READMODELS)
        batch = subscription.read_feed(connection, CODEC, low, BATCH)
        done = subscription.advance_together(connection, CODEC, READMODELS, BATCH, batch)
        return done + self._send(connection, batch)

    def _send(self, connection: Connection, batch: Sequence[Recorded]) -> int:
        return sum(
            subscription.advance_outside(connection, CODEC, consumer, BATCH, batch)
            for consumer in self._flows
        )

    def answer(self) -> None:
        """Ticks and flows until nothing is left, for the demo: its screens are built at the end."""
        with self._dispatcher.read() as connection:
            while sequencer.tick(connection):
                reached = subscription.cursors(connection)
                low = min(reached[flow.name] for flow in self._flows)
                while batch := subscription.read_feed(connection, CODEC, low, BATCH):
                    self._send(connection, batch)
                    low = batch[-1].feed_position

    def catch_up(self) -> None:
        """Rounds until two in a row find nothing: another follower may have recorded something
        between our tick and our look at the cursors."""
        while self.round() or self.round():
            pass


def ring_fresh(context: Context) -> None:
    """Rings what became due and was never rung; the ticker's sweep rings what was missed."""
    with context.dispatcher.read() as connection:
        due = effects.due_unrung(connection, clock.now(connection), RINGS)
    failpoints.reach("append-to-ring")
    ring_all(context.redis, due)


def _beat(context: Context) -> float:
    with context.dispatcher.read() as connection:
        clock.beat(connection, BEAT)
    return time.monotonic()


def run(context: Context, stopping: threading.Event) -> None:
    follower = Follower(context.dispatcher)
    follower.prepare()
    listener = wake.Listener(context.redis, (wake.APPENDED,), POLL_S)
    log.info("following")
    beaten = -BEAT_S
    while not stopping.is_set():
        try:
            if time.monotonic() - beaten >= BEAT_S:
                beaten = _beat(context)
            done = follower.round()
            if done:
                wake.publish(context.redis, wake.SEQUENCED)
            ring_fresh(context)
            if done:
                continue
        except subscription.TRANSIENT as error:
            log.warning("the database is away, trying again: %s", error)
        listener.wait()
    listener.close()


def main() -> int:
    settings = Settings.from_env()
    logs.set_up("follower", settings.log)
    traces.set_up("follower", settings.otel_endpoint)
    end_unless_ours(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run(open_context(settings), stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
