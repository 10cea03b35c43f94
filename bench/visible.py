"""From append to visible on the screen while 100 events a second are recorded: a client process
asks for refunds at a fixed rate, a real follower feeds the screens. The whole way of one page,
through the web server, stands beside it."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from statistics import median
from uuid import uuid4

import httpx

from bench import report
from bench.house import House, opened
from config import Settings
from domain.dispatch import open_dispatcher
from domain.kernel.ids import on_shard, read_id, shard_of, write_id
from domain.payments.commands import RequestRefund
from domain.payments.events import Reason
from domain.readmodels.registry import READMODELS
from domain.stream.database import Connection, connect

EVENTS_PER_S, EVENTS_PER_COMMAND = 100, 3
EVERY_S = EVENTS_PER_COMMAND / EVENTS_PER_S
WARM_UP, SECONDS, PAGES = 60, 10.0, 20
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.001
_NEXT = b"SELECT min(cursor) FROM consumer WHERE name = ANY(%s)"
_WRITTEN = b"SELECT feed_position FROM feed WHERE shard = %s AND stream_id = %s AND version = %s"
_REFUNDABLE = b"""
SELECT payment_id FROM read.payment
 WHERE status = 'settled' AND debit_on < date '2026-11-25' AND refunded + reserved = 0
 ORDER BY payment_id
"""

Spot = tuple[str, int]
"""A stream and a version in it."""


@dataclass(frozen=True)
class Sent:
    """One command: when it was handed over, when it was recorded, and its last event."""

    started: float
    recorded: float
    last: Spot


def refundable(settings: Settings) -> list[str]:
    """Payments of the demo insurer that can be refunded today and have not been so far."""
    with connect(settings.database_url, settings.kek) as connection:
        return [row[0] for row in connection.execute(_REFUNDABLE)]


def wish(payment: str, cents: int, reason: Reason = Reason.GOODWILL) -> RequestRefund:
    refund = on_shard(uuid4(), shard_of(read_id(payment)))
    return RequestRefund(
        by="staff:bench",
        refund_id=write_id("rf", refund),
        payment_id=payment,
        amount=cents,
        reason=reason,
        note="",
    )


def _client(settings: Settings, payments: Sequence[str], commands: int, answer: Pipe) -> None:
    """Its own process. What comes too late is sent at once: the rate does not wait for us."""
    dispatcher = open_dispatcher(settings.database_url, settings.kek, settings.redis_url)
    sent = []
    begin = time.monotonic()
    for n in range(commands):
        time.sleep(max(0.0, begin + n * EVERY_S - time.monotonic()))
        started = time.monotonic()
        result = dispatcher.dispatch(wish(payments[n % len(payments)], 1), uuid4())
        recorded = time.monotonic()
        assert len(result.events) == EVENTS_PER_COMMAND
        sent += [Sent(started, recorded, (one.stream, one.version)) for one in result.events]
    answer.send(sent)
    dispatcher.database.close()


def _watch(connection: Connection, answer: Pipe) -> tuple[list[Sent], list[tuple[float, int]]]:
    """When the slowest screen had passed which position, until the last event is visible."""
    names = [model.name for model in READMODELS]
    passed, sent, goal = [], list[Sent](), None
    give_up = None
    while goal is None or passed[-1][1] < goal:
        reached = _number(connection, _NEXT, names)
        passed.append((time.monotonic(), reached))
        if goal is None and answer.poll():
            sent = answer.recv()
            give_up = time.monotonic() + PATIENCE_S
        if give_up is not None and goal is None:
            goal = _position(connection, sent[-1].last)
        if give_up is not None and time.monotonic() > give_up:
            raise RuntimeError(f"the screens stand at {passed[-1][1]}, not at {goal}")
        time.sleep(LOOK_EVERY_S)
    return sent, passed


def _latencies(
    connection: Connection, sent: Sequence[Sent], passed: Sequence[tuple[float, int]]
) -> list[float]:
    """Milliseconds from handing a command over until each of its events is visible."""
    positions = [(_position(connection, one.last) or 0, one.started) for one in sent]
    looks, found = iter(passed), []
    at, reached = next(looks)
    for position, started in sorted(positions):
        while reached < position:
            at, reached = next(looks)
        found.append((at - started) * 1000)
    return found


def _position(connection: Connection, spot: Spot) -> int | None:
    stream_id = read_id(spot[0])
    row = connection.execute(_WRITTEN, (shard_of(stream_id), stream_id, spot[1])).fetchone()
    return None if row is None else int(row[0])


def _number(connection: Connection, query: bytes, *values: object) -> int:
    row = connection.execute(query, values, prepare=True).fetchone()
    assert row is not None
    return int(row[0])


def _streamed(settings: Settings, payments: Sequence[str], commands: int) -> dict[str, float]:
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    client = context.Process(
        target=_client, args=(settings, payments, commands, theirs), daemon=True
    )
    with connect(settings.database_url, settings.kek) as connection:
        client.start()
        sent, passed = _watch(connection, mine)
        client.join()
        times = sorted(_latencies(connection, sent, passed))
    spent = sent[-1].recorded - sent[0].started
    return {
        "p50_ms": median(times),
        "p99_ms": times[int(len(times) * 0.99)],
        "max_ms": times[-1],
        "events_per_s": len(sent) / spent,
        "recorded_ms_p50": median((one.recorded - one.started) * 1000 for one in sent),
    }


def _pages(house: House, payments: Sequence[str]) -> dict[str, float]:
    """Recorded, waited for as every form does, and the payment's page fetched with it in it."""
    settings, times = house.settings, []
    dispatcher = open_dispatcher(settings.database_url, settings.kek, settings.redis_url)
    with httpx.Client(base_url=settings.url, trust_env=False, follow_redirects=True) as browser:
        sign_in(browser)
        for payment in payments[:PAGES]:
            command = wish(payment, 1)
            started = time.perf_counter()
            if not dispatcher.wait_visible(dispatcher.dispatch(command, uuid4())):
                raise RuntimeError("the screens did not catch up within their patience")
            page = browser.get(f"/payments/{payment}")
            times.append((time.perf_counter() - started) * 1000)
            assert command.refund_id in page.raise_for_status().text
    dispatcher.database.close()
    return {"page_ms_p50": median(times), "page_ms_max": max(times)}


def sign_in(browser: httpx.Client) -> None:
    form = browser.get("/login").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert token is not None
    answer = browser.post(
        "/login",
        data={"login": "mia", "password": "hafenlicht-mia", "csrf_token": token[1]},
    )
    assert "/logout" in answer.raise_for_status().text


def main() -> dict[str, float]:
    with opened("web", "follower") as house:
        payments = refundable(house.settings)
        _streamed(house.settings, payments, WARM_UP)
        numbers = _streamed(house.settings, payments, int(SECONDS / EVERY_S))
        numbers |= _pages(house, payments)
    return report.show("visible", numbers, {"p50_ms": "<= 20", "p99_ms": "<= 100"})


if __name__ == "__main__":
    main()
