"""1,000 refunds clicked in the browser with tracing on, to a collector in this process: of how many
the way from the click to the provider's notification is not one trace without a loose end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue
from uuid import uuid4

import httpx
from lxml import html
from msgspec.structs import replace

from bench import report
from bench.books import AT_PROVIDER, connected, number, until
from bench.collector import Collected, Seen, orphans, receiving
from bench.house import House, opened
from bench.visible import refundable, sign_in, wish
from domain.dispatch import open_dispatcher
from domain.payments.commands import RequestRefund
from domain.payments.events import Reason

STORIES, CLIENTS = 1_000, 6
WORKERS = ("effects-1", "effects-2")
WITH_PAPER = 20
"""Every so manieth refund reduces a premium, which a document corrects: the longest stories."""
PATIENCE_S = 120.0
LOOK_EVERY_S = 1.0
SENT_WITHIN_S = 3.0
"""Half a second of waiting for more, and a batch on a busy machine."""
CLICK = "POST /payments/<payment_id>/refund"
WAY = (
    CLICK,
    "command RequestRefund",
    "event refund-requested",
    "event refund-approved",
    "effect submit_refund",
    "command SubmitRefund",
    "event refund-submitted",
    "stripe POST /v1/refunds",
    "event refund-accepted",
    "POST /hooks/<provider>",
    "effect translate",
)
"""What every story has; the notification of a refund comes as soon as it was made."""
PAPER = ("flow refunding", "event correction-issued", "effect render")
"""And these, where a document corrects the premium."""
ACTOR = "staff:stf_mia"
WANTED = {"stories": f"= {STORIES}", "broken": "= 0", "dropped": "= 0", "not_done": "= 0"}
_UNDER_WAY = """
SELECT count(*) FROM effect
 WHERE status IN ('waiting', 'leased', 'unknown') AND due_at <= (SELECT clock FROM installation)
   AND (not_before IS NULL OR not_before <= clock_timestamp())
"""
# The demo insurer keeps some whose outcome is unknown: they are asked about again much later.


@dataclass(frozen=True)
class Story:
    """One refund and the command that its click sent, by which its trace is named."""

    asked: RequestRefund
    trace: str

    def breaks(self, found: dict[str, list[Seen]]) -> list[str]:
        paper = self.asked.reason is Reason.PREMIUM_REDUCTION
        return breaks(found.get(self.trace, []), (*WAY, *PAPER) if paper else WAY)


def breaks(spans: Sequence[Seen], way: Sequence[str] = WAY) -> list[str]:
    """What is wrong with one story: steps of the way that are missing, ends that hang on nothing,
    beginnings other than the click."""
    names = {one.name for one in spans}
    wrong = [f"no {step}" for step in way if step not in names]
    wrong += [f"loose {one.name}" for one in orphans(spans)]
    roots = [one.name for one in spans if not one.parent]
    if roots != [CLICK]:
        wrong.append(f"begins with {roots}")
    return wrong


class Clickers:
    """People who confirm what they saw; each has a browser for the moment. The page with what they
    saw is not asked for: it begins no story."""

    def __init__(self, house: House) -> None:
        ours = house.settings
        self._dispatcher = open_dispatcher(ours.database_url, ours.kek, ours.redis_url)
        self._free: Queue[tuple[httpx.Client, str]] = Queue()
        for _ in range(CLIENTS):  # one after the other: many at once are taken for guessing
            browser = httpx.Client(base_url=ours.url, trust_env=False, timeout=30)
            browser.follow_redirects = True
            sign_in(browser)
            page = html.fromstring(browser.get("/work").text)
            token = page.xpath("string(//input[@name='csrf_token']/@value)")
            browser.follow_redirects = False
            self._free.put((browser, str(token)))

    def click(self, asked: RequestRefund) -> Story:
        browser, token = self._free.get()
        command_id = uuid4()
        form = {
            "csrf_token": token,
            "command_id": str(command_id),
            "refund_id": asked.refund_id,
            "amount": f"0,{asked.amount:02}",
            "reason": asked.reason.value,
            "note": "",
        }
        # A payment moves on while others ask for it, too: then what is new is confirmed.
        for _ in range(CLIENTS):
            form["digest"] = self._dispatcher.preview(asked).digest
            answer = browser.post(f"/payments/{asked.payment_id}/refund", data=form)
            if answer.status_code != httpx.codes.CONFLICT:
                break
        self._free.put((browser, token))
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise RuntimeError(f"the click was answered {answer.status_code}: {answer.text[:2000]}")
        return Story(asked, command_id.hex)


def _wishes(payments: Sequence[str]) -> list[RequestRefund]:
    found = []
    for n in range(STORIES):
        reason = Reason.GOODWILL if n % WITH_PAPER else Reason.PREMIUM_REDUCTION
        asked = wish(payments[n % len(payments)], 1, reason)
        found.append(replace(asked, by=ACTOR))
    return found


def _arrived(collected: Collected, stories: Sequence[Story]) -> dict[str, list[Seen]]:
    """The spans of all traces, once no story lacks anything or nothing more comes."""
    before = -1
    while len(collected.spans) != before:
        before = len(collected.spans)
        found = collected.by_trace()
        if not any(one.breaks(found) for one in stories):
            break
        time.sleep(SENT_WITHIN_S)
    return found


def _told(found: dict[str, list[Seen]], stories: Sequence[Story]) -> dict[str, float]:
    wrong = {one.trace: one.breaks(found) for one in stories}
    for what, times in Counter(why for each in wrong.values() for why in each).most_common(10):
        print(f"traces: {times} x {what}")
    lengths = sorted(len(found.get(one.trace, [])) for one in stories)
    return {
        "stories": float(len(stories)),
        "broken": float(sum(bool(each) for each in wrong.values())),
        "spans_per_story_min": float(lengths[0]),
        "spans_per_story_max": float(lengths[-1]),
    }


def _live_through(house: House, collected: Collected) -> dict[str, float]:
    settings = house.settings
    wishes = _wishes(refundable(settings))
    clickers = Clickers(house)
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as people:
        stories = list(people.map(clickers.click, wishes))
    clicked = time.monotonic() - began
    with connected(settings) as connection:
        give_up = time.monotonic() + PATIENCE_S
        until(connection, wishes, AT_PROVIDER, give_up)
        while number(connection, _UNDER_WAY) and time.monotonic() < give_up:
            time.sleep(LOOK_EVERY_S)
        under_way = number(connection, _UNDER_WAY)
    found = _arrived(collected, stories)
    return {
        "traces": float(len(found)),
        "spans": float(len(collected.spans)),
        **_told(found, stories),
        "not_done": float(under_way),
        "dropped": float(house.said("Queue full, dropping")),
        "clicks_per_s": len(stories) / clicked,
    }


def main() -> dict[str, float]:
    started = time.monotonic()
    with receiving() as collected, opened() as house:
        house.give(KONTOR_OTEL_ENDPOINT=collected.url)
        for name in ("web", "follower", "ticker", "documents"):
            house.start(name)
        for name in WORKERS:
            house.start("effects", name)
        numbers = _live_through(house, collected)
    return report.show("traces", numbers | {"seconds": time.monotonic() - started}, WANTED)


if __name__ == "__main__":
    main()
