"""400 refunds while workers are killed, answers are lost and Valkey is emptied: how many are lost
or paid twice, counted in the simulator's own book. `CHAOS_SEED` repeats a run's dice."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from random import Random
from typing import Any

from bench import report
from bench.books import (
    AT_PROVIDER,
    ENDED,
    ask_for,
    connected,
    count,
    next_day,
    number,
    until,
    without,
)
from bench.house import House, opened
from bench.visible import refundable, wish
from domain.payments.commands import RequestRefund
from domain.stream import wake
from jobs.control import Control

REFUNDS, REQUESTS_PER_S, CENTS = 400, 15, (5, 60)
WORKERS, WORKER_MIN_S = ("effects-1", "effects-2", "effects-3"), 3.0
KILL_EVERY_S, FLUSH_EVERY_S, FAULT_EVERY_S = 1.5, 7.0, 0.3
PATIENCE_S = 180.0
OPERATION = "refunds.create"
SLOW: dict[str, object] = {"hold_answers_ms": {OPERATION: 60}}
"""As slow as a provider far away, so that a kill finds workers in the middle of a call."""
FAULTS: dict[str, tuple[int, dict[str, object]]] = {
    "answers_lost": (REFUNDS * 5 // 100, {"lose_answers": {OPERATION: 1}}),
    "requests_lost": (REFUNDS * 3 // 100, {"lose_requests": {OPERATION: 1}}),
    "refused": (REFUNDS * 2 // 100, {"refuse_refunds": {"count": 1}}),
}
"""Name -> how often it strikes, and the simulator's fault for one time."""
MUST_BE_NONE = (
    "lost",
    "doubled",
    "moved_but_not_confirmed",
    "failed_without_case",
    "open_in_the_end",
)


class Chaos:
    """What goes wrong, each in its own rhythm, until the block ends."""

    def __init__(self, house: House, control: Control, random: Random) -> None:
        self.counts = Counter[str]()
        self._house, self._control, self._random = house, control, random
        self._left = {name: count for name, (count, _) in FAULTS.items()}
        self._born = dict.fromkeys(WORKERS, 0.0)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=rhythm, daemon=True)
            for rhythm in (
                (KILL_EVERY_S, self._kill),
                (FLUSH_EVERY_S, self._flush),
                (FAULT_EVERY_S, self._lose),
            )
        ]
        self._errors: list[BaseException] = []

    def __enter__(self) -> Chaos:
        self._control.ask("PUT", "/faults", SLOW)
        for name in WORKERS:
            self._start(name)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _repeat(self, every_s: float, act: Any) -> None:
        try:
            while not self._stopping.wait(every_s * self._random.uniform(0.7, 1.3)):
                act()
        except Exception as error:  # noqa: BLE001  # of a thread: it is raised where the block ends
            self._errors.append(error)

    def _start(self, name: str) -> None:
        self._house.start("effects", name)
        self._born[name] = time.monotonic()

    def _kill(self) -> None:
        """One that has had time to take up work, in the middle of an effect if there is any.

        A minute passes for the leases at once: the dead one's is free, and the living lose theirs
        in the middle of their calls, too."""
        old = [n for n in WORKERS if time.monotonic() - self._born[n] >= WORKER_MIN_S]
        if not old:
            return
        name = self._random.choice(old)
        with connected(self._house.settings) as connection:
            give_up = time.monotonic() + 0.5
            while not number(connection, _LEASED) and time.monotonic() < give_up:
                time.sleep(0.002)
            self._house.kill(name)
            self.counts["kills"] += 1
            self.counts["leases_ended"] += connection.execute(_END_LEASES).rowcount
        self._start(name)

    def _flush(self) -> None:
        with wake.open_redis(self._house.settings.redis_url) as redis:
            redis.flushall()
        self.counts["flushes"] += 1

    def _lose(self) -> None:
        """One more, when the last one has struck: then nothing is counted that did not happen."""
        wanted = [name for name, left in self._left.items() if left]
        if not wanted:
            return
        name = self._random.choice(wanted)
        if _waiting(self._control.ask("GET", "/faults")):
            return
        self._control.ask("PUT", "/faults", SLOW | FAULTS[name][1])
        self._left[name] -= 1
        self.counts[name] += 1


def _waiting(faults: dict[str, Any]) -> bool:
    lost = (faults[kind].get(OPERATION, 0) for kind in ("lose_answers", "lose_requests"))
    return any(lost) or faults["refuse_refunds"]["count"] > 0


_LEASED = "SELECT count(*) FROM effect WHERE status = 'leased' AND kind = 'submit_refund'"
_END_LEASES = "UPDATE effect SET lease_until = clock_timestamp() WHERE status = 'leased'"


def _live_through(house: House, control: Control, chaos: Chaos, wishes: list[RequestRefund]) -> int:
    """Asks, and moves the Clock until all have ended; says how many have not."""
    give_up = time.monotonic() + PATIENCE_S
    with connected(house.settings) as connection, chaos:
        ask_for(house.settings, wishes, REQUESTS_PER_S)
        if until(connection, wishes, AT_PROVIDER, give_up):
            next_day(house.settings, connection, control)
            until(connection, wishes, ENDED, give_up)
        return without(connection, wishes)


def main() -> dict[str, float]:
    seed = int(os.environ.get("CHAOS_SEED") or Random().randrange(10**6))
    random = Random(seed)
    with opened("web", "follower", "ticker") as house:
        settings = house.settings
        payments = refundable(settings)
        wishes = [wish(payments[n % len(payments)], random.randint(*CENTS)) for n in range(REFUNDS)]
        control = Control(settings.simulator_control)
        chaos = Chaos(house, control, random)
        started = time.monotonic()
        open_in_the_end = _live_through(house, control, chaos, wishes)
        seconds = time.monotonic() - started
        with connected(settings) as connection:
            numbers = count(connection, control, wishes)
        control.close()
    numbers |= {"refunds": REFUNDS, "open_in_the_end": open_in_the_end, "seconds": seconds}
    numbers |= {name: float(times) for name, times in chaos.counts.items()} | {"seed": seed}
    print("chaos: after each kill all leases were ended at once, instead of waiting out 60 s")
    return report.show(
        "chaos",
        numbers,
        dict.fromkeys(MUST_BE_NONE, "= 0"),
    )


if __name__ == "__main__":
    main()
