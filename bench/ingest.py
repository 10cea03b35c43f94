"""Webhooks under load: how fast they are stored by 32 connections against the raw commit rate of
the same run, and 500 a second for a minute beside people who work: answers, losses, backlog."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection as Pipe
from statistics import median
from typing import Any
from uuid import uuid4

from bench import report
from bench.hooks import payload, sender
from bench.house import House, opened
from bench.rush import CLIENTS, STORY, Heard, Json, People, notifications, post_all
from bench.visible import refundable
from config import Settings
from domain.stream.database import Connection, connect
from jobs.control import Control

PROCESSES, SLICES, SLICE_S = 4, 6, 1.2
PER_S, SECONDS = 500, 60
OTHERS = 3_500
DRAIN_PATIENCE_S = 90.0
LOOK_EVERY_S = 0.25
WANTED = {
    "stored_to_raw": ">= 0.5",
    "answer_ms_p99": "<= 500",
    "not_200": "= 0",
    "lost": "= 0",
    "drained_s": "<= 60",
}

_INSERT = b"""
INSERT INTO inbox (provider, notification_id, object_id, headers, body, verdict, state, reason,
                   settled_at, effect_id)
VALUES ('raw', %s, %s, %s, %s, 'verified', 'ignored', 'bench', clock_timestamp(), %s)
"""


def _stores(settings: Settings, kind: str) -> Callable[[], None]:
    """One connection's way to store one notification: by the hook, or straight into the table."""
    if kind == "hook":
        send, numbers = sender(settings), itertools.count()
        name = uuid4().hex

        def by_hook() -> None:
            n = next(numbers)
            status, _body = send(payload(f"evt_{name}{n}", STORY[n % 4], f"pi_{name}{n // 4}"))
            assert status == 200

        return by_hook
    connection = connect(settings.database_url, settings.kek)
    headers, body = b"h" * 400, payload("evt_raw", STORY[0], "pi_raw")

    def straight() -> None:
        fresh = uuid4()
        connection.execute(_INSERT, (str(fresh), f"pi_{fresh}", headers, body, fresh), prepare=True)

    return straight


def _client(settings: Settings, barrier: Any, answer: Pipe) -> None:
    count = CLIENTS // PROCESSES
    rates: list[dict[str, float]] = []
    with ThreadPoolExecutor(count) as threads:
        acts = {kind: [_stores(settings, kind) for _ in range(count)] for kind in ("hook", "raw")}
        for _ in range(SLICES):
            slice_: dict[str, float] = {}
            for kind, stores in acts.items():
                barrier.wait()
                give_up = time.monotonic() + SLICE_S
                done = threads.map(lambda act, end=give_up: _until(end, act), stores)
                slice_[kind] = sum(done) / SLICE_S
            rates.append(slice_)
    answer.send(rates[1:])  # the first one warms up


def _until(give_up: float, act: Callable[[], None]) -> int:
    count = 0
    while time.monotonic() < give_up:
        act()
        count += 1
    return count


def _rate(settings: Settings) -> dict[str, float]:
    context = multiprocessing.get_context("fork")
    barrier, answers, clients = context.Barrier(PROCESSES), [], []
    for _ in range(PROCESSES):
        mine, theirs = context.Pipe(duplex=False)
        answers.append(mine)
        client = context.Process(target=_client, args=(settings, barrier, theirs), daemon=True)
        clients.append(client)
        client.start()
    slices = list(zip(*(answer.recv() for answer in answers), strict=True))
    for client in clients:
        client.join()
    totals = {kind: [sum(one[kind] for one in each) for each in slices] for kind in ("hook", "raw")}
    ratios = [hook / raw for hook, raw in zip(totals["hook"], totals["raw"], strict=True)]
    return {
        "stored_per_s": median(totals["hook"]),
        "raw_commits_per_s": median(totals["raw"]),
        "stored_to_raw": median(ratios),
    }


def _number(connection: Connection, query: str, *values: object) -> float:
    row = connection.execute(query.encode(), values).fetchone()
    return float(row[0] or 0) if row else 0.0


_WAITING = "SELECT count(*) FROM inbox WHERE state = 'waiting'"
_STORED = "SELECT count(*) FROM inbox WHERE notification_id = ANY(%s)"
_BEHIND = "SELECT (SELECT last FROM feed_state) - (SELECT min(cursor) FROM consumer)"


def _drained(connection: Connection) -> float:
    """Seconds until nothing in the inbox waits any more."""
    began = time.monotonic()
    while _number(connection, _WAITING) and time.monotonic() - began < DRAIN_PATIENCE_S:
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began


def _minute(house: House) -> dict[str, float]:
    settings, control = house.settings, Control(house.settings.simulator_control)
    _others(control)
    whole: Json = control.ask("GET", "/book")
    book = whole["payment_intent"]
    ours = [one for one in book if one["metadata"]["operation_id"]]
    others = [one for one in book if not one["metadata"]["operation_id"]]
    told = notifications(ours, others, PER_S * SECONDS)
    control.ask("PUT", "/calls", {})
    with connect(settings.database_url, settings.kek) as connection:
        with People(settings, refundable(settings)) as people:
            heard = post_all(settings, told, PER_S)
            backlog = _number(connection, _WAITING)
            drained = _drained(connection)
        ids = list({one.event_id for one in heard if one.status == 200})
        calls: Json = control.ask("GET", "/calls")
        return {
            **_answers(heard),
            "lost": len(ids) - _number(connection, _STORED, ids),
            "backlog_at_the_end": backlog,
            "drained_s": drained,
            "objects": len(ours) + len(others),
            "fetches_per_100_hints": 100 * calls["total"] / len(told),
            "calls_per_s_peak": calls["peak"],
            "pages_ms_p95": 1000 * sorted(people.pages_s)[int(0.95 * len(people.pages_s))],
            "refunds_meanwhile": len(people.refunds),
            "events_behind": _number(connection, _BEHIND),
        }


def _others(control: Control) -> None:
    """Debits that another shop of the same account made: fetched like ours, then ignored. The
    demo insurer alone has too few debits to be fetched once each."""
    book: Json = control.ask("GET", "/book")
    method = book["payment_method"][0]
    one = {
        "operation_id": "",
        "customer": method["customer"],
        "payment_method": method["id"],
        "amount": 100,
        "at": book["now"],
    }
    control.ask("POST", "/seed", {"collections": [one] * OTHERS})


def _answers(heard: list[Heard]) -> dict[str, float]:
    times = sorted(1000 * one.seconds for one in heard)
    span = SECONDS + max(0.0, heard[-1].seconds)
    return {
        "posted": len(heard),
        "answered_per_s": len(heard) / span,
        "not_200": sum(one.status != 200 for one in heard),
        "answer_ms_p50": median(times),
        "answer_ms_p99": times[int(0.99 * len(times))],
        "answer_ms_max": times[-1],
    }


def main() -> dict[str, float]:
    with opened("web") as house:
        numbers = _rate(house.settings)
        # What was stored for the rate is about things that nobody knows.
        with connect(house.settings.database_url, house.settings.kek) as connection:
            connection.execute("DELETE FROM effect WHERE kind = 'translate'")
            connection.execute("DELETE FROM inbox WHERE state = 'waiting'")
        for program in ("follower", "ticker", "effects"):
            house.start(program)
        numbers |= _minute(house)
    return report.show("ingest", numbers, WANTED)


if __name__ == "__main__":
    main()
