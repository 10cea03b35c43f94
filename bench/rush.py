"""Notifications at a fixed rate and people who work meanwhile: what the measurement of ingest lets
loose on a house. It judges nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias
from uuid import uuid4

import httpx

from bench.hooks import payload, sender
from bench.visible import sign_in, wish
from config import Settings
from domain.dispatch import open_dispatcher

CLIENTS = 32
STORY = (
    "payment_intent.processing",
    "charge.pending",
    "payment_intent.succeeded",
    "charge.succeeded",
)
"""What Stripe tells of one debit within seconds; half of it says nothing that the rest does not."""
DUPLICATES = 0.1
Json: TypeAlias = dict[str, Any]
PAGES = ("/work", "/payments", "/invoices", "/stream", "/payments/{payment}")


@dataclass
class Heard:
    """One post: which event, how long after it was due it was answered, and how."""

    event_id: str
    seconds: float
    status: int


@dataclass
class People:
    """Page views and refunds at their own pace until the block ends."""

    settings: Settings
    payments: Sequence[str]
    pages_s: list[float] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> People:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=order, daemon=True)
            for order in ((5.0, self._pages), (1.0, self._refunds))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _repeat(self, per_s: float, acts: Callable[[], Iterator[None]]) -> None:
        begin, n = time.monotonic(), 0
        try:
            for _ in acts():
                n += 1
                if self._stopping.wait(max(0.0, begin + n / per_s - time.monotonic())):
                    return
        except Exception as error:  # noqa: BLE001  # of a thread: it is raised where the block ends
            self.errors.append(error)

    def _pages(self) -> Iterator[None]:
        with httpx.Client(base_url=self.settings.url, trust_env=False, timeout=30) as browser:
            browser.follow_redirects = True
            sign_in(browser)
            n = 0
            while True:
                payment = self.payments[n % len(self.payments)]
                began = time.perf_counter()
                browser.get(PAGES[n % len(PAGES)].format(payment=payment)).raise_for_status()
                self.pages_s.append(time.perf_counter() - began)
                n += 1
                yield

    def _refunds(self) -> Iterator[None]:
        ours = self.settings
        dispatcher = open_dispatcher(ours.database_url, ours.kek, ours.redis_url)
        for payment in (one for _ in range(50) for one in self.payments):
            command = wish(payment, 1)
            dispatcher.dispatch(command, uuid4())
            self.refunds.append(command.refund_id)
            yield


def notifications(
    ours: Sequence[Json], others: Sequence[Json], count: int
) -> list[tuple[str, bytes]]:
    """Stories of debits one after the other, each out of order, some of it told twice. Every other
    one is of a debit that only now is told of."""
    random, told = Random(7), list[tuple[str, bytes]]()
    n = 0
    while len(told) < count:
        book = (ours, others)[n % 2]
        intent = book[n // 2 % len(book)]
        ids = {"payment_intent": intent["id"], "charge": intent["latest_charge"]}
        for event_type in random.sample(STORY, len(STORY)):
            event_id = f"evt_bench{n}_{event_type}"
            body = payload(event_id, event_type, ids[event_type.partition(".")[0]])
            told += [(event_id, body)] * (1 + (random.random() < DUPLICATES))
        n += 1
    return told[:count]


def post_all(settings: Settings, told: Sequence[tuple[str, bytes]], per_s: float) -> list[Heard]:
    """Each at its time, whether the one before is answered or not; late counts from when it was
    due."""
    begin = time.monotonic() + 0.5
    local = threading.local()

    def post(n: int) -> Heard:
        due = begin + n / per_s
        time.sleep(max(0.0, due - time.monotonic()))
        if not hasattr(local, "send"):
            local.send = sender(settings)
        status, _body = local.send(told[n][1])
        return Heard(told[n][0], time.monotonic() - due, status)

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(post, range(len(told))))
