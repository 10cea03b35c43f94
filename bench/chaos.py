"""400 refunds while workers are killed, answers are lost and Valkey is emptied: how many are lost
or paid twice, counted in the simulator's own book. `CHAOS_SEED` repeats a run's dice."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg

from bench import report
from bench.house import House, opened
from bench.visible import refundable, wish
from config import Settings
from domain.dispatch import Dispatcher, TooManyConflicts, open_dispatcher
from domain.kernel.ids import read_id, shard_of
from domain.operating.advancing import next_banking_day
from domain.payments.commands import RequestRefund
from domain.stream import clock, wake
from domain.stream.database import Connection, connect
from domain.work.commands import case_id
from domain.work.events import CaseType
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
AT_PROVIDER = ("refund-accepted", "refund-confirmed", "refund-failed")
ENDED = ("refund-confirmed", "refund-failed")
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
        with _connected(self._house.settings) as connection:
            give_up = time.monotonic() + 0.5
            while not _number(connection, _LEASED) and time.monotonic() < give_up:
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
_TOLD = """
SELECT count(DISTINCT stream_id) FROM event
 WHERE (shard, stream_id) IN (SELECT * FROM unnest(%s::smallint[], %s::uuid[]))
   AND type = ANY(%s)
"""
_TYPES = """
SELECT stream_id, type, data::json ->> 'why' FROM event
 WHERE (shard, stream_id) IN (SELECT * FROM unnest(%s::smallint[], %s::uuid[]))
"""
_CALLS = "SELECT sum(attempts) FROM effect WHERE kind = 'submit_refund' AND stream = ANY(%s)"


def _connected(settings: Settings) -> Connection:
    return connect(settings.database_url, settings.kek)


def _number(connection: Connection, query: str, *values: object) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    return int(row[0] or 0) if row else 0


def _ask_for(settings: Settings, wishes: Sequence[RequestRefund]) -> None:
    """At a steady rate, as people do: a form that failed is sent again with the same command id."""
    dispatcher = open_dispatcher(settings.database_url, settings.kek, settings.redis_url)
    begin = time.monotonic()
    with ThreadPoolExecutor(4) as clients:
        for n, one in enumerate(wishes):
            time.sleep(max(0.0, begin + n / REQUESTS_PER_S - time.monotonic()))
            clients.submit(_insist, dispatcher, one)
    dispatcher.database.close()


def _insist(dispatcher: Dispatcher, command: RequestRefund) -> None:
    command_id = uuid4()
    while True:
        with suppress(TooManyConflicts, psycopg.OperationalError):
            dispatcher.dispatch(command, command_id)
            return


def _until(
    connection: Connection, wishes: Sequence[RequestRefund], types: Sequence[str], give_up: float
) -> bool:
    """Whether one of these events stands in every refund before the patience ends."""
    ids = [read_id(one.refund_id) for one in wishes]
    spots = ([shard_of(id_) for id_ in ids], ids, list(types))
    while _number(connection, _TOLD, *spots) < len(ids):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.2)
    return True


def _next_day(settings: Settings, connection: Connection, control: Control) -> None:
    """The provider confirms refunds, and late failures come, on the banking days that follow."""
    moment = next_banking_day(clock.now(connection)).replace(hour=12)
    clock.move(connection, moment)
    control.set_clock(moment)
    with wake.open_redis(settings.redis_url) as redis:
        wake.publish(redis, wake.APPENDED)


def _live_through(house: House, control: Control, chaos: Chaos, wishes: list[RequestRefund]) -> int:
    """Asks, and moves the Clock until all have ended; says how many have not."""
    give_up = time.monotonic() + PATIENCE_S
    with _connected(house.settings) as connection, chaos:
        _ask_for(house.settings, wishes)
        if _until(connection, wishes, AT_PROVIDER, give_up):
            _next_day(house.settings, connection, control)
            _until(connection, wishes, ENDED, give_up)
        ids = [read_id(one.refund_id) for one in wishes]
        spots = ([shard_of(id_) for id_ in ids], ids, list(ENDED))
        return len(wishes) - _number(connection, _TOLD, *spots)


def _count(
    connection: Connection, control: Control, wishes: Sequence[RequestRefund]
) -> dict[str, float]:
    """The provider's book against what was asked and what we believe."""
    asked = {one.refund_id: one.amount for one in wishes}
    ids = {read_id(refund): refund for refund in asked}
    told: dict[str, list[str]] = {refund: [] for refund in asked}
    unknown = Counter[str]()
    spots = ([shard_of(id_) for id_ in ids], list(ids))
    for stream_id, wire, why in connection.execute(_TYPES.encode(), spots):
        told[ids[UUID(str(stream_id))]].append(wire)
        unknown[why] += wire == "refund-outcome-unknown"
    objects, moved = Counter[str](), Counter[tuple[str, int]]()
    book: dict[str, Any] = control.ask("GET", "/book")
    for refund in book["refund"]:
        objects[refund["metadata"].get("operation_id", "")] += 1
    for one in book["movements"]:
        if one["category"] == "refund":
            moved[one["operation_id"], -one["amount"]] += 1
    confirmed = [refund for refund, wires in told.items() if "refund-confirmed" in wires]
    failed = [refund for refund, wires in told.items() if "refund-failed" in wires]
    cases = [case_id(CaseType.REFUND_FAILED, refund) for refund in failed]
    return {
        "lost": sum(moved[refund, asked[refund]] == 0 for refund in confirmed),
        "doubled": sum(objects[refund] > 1 for refund in asked)
        + sum(number > 1 for (refund, _), number in moved.items() if refund in asked),
        "moved_but_not_confirmed": sum(
            number
            for (refund, _), number in moved.items()
            if refund in asked and refund not in confirmed
        ),
        "confirmed": len(confirmed),
        "failed": len(failed),
        "failed_without_case": len(cases) - _number(connection, _OPENED, cases),
        "unknown_met": sum(unknown.values()),
        "unknown_by_dead_worker": sum(n for why, n in unknown.items() if "worker" in (why or "")),
        "attempts": _number(connection, _CALLS, list(asked)),
    }


_OPENED = "SELECT count(*) FROM read.work_case WHERE case_id = ANY(%s)"


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
        with _connected(settings) as connection:
            numbers = _count(connection, control, wishes)
        control.close()
    numbers |= {"refunds": REFUNDS, "open_in_the_end": open_in_the_end, "seconds": seconds}
    numbers |= {name: float(count) for name, count in chaos.counts.items()} | {"seed": seed}
    print("chaos: after each kill all leases were ended at once, instead of waiting out 60 s")
    return report.show(
        "chaos",
        numbers,
        dict.fromkeys(MUST_BE_NONE, "= 0"),
    )


if __name__ == "__main__":
    main()
