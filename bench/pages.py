"""Pages with 100,000 payments, through the real web server, one after the other: the first, a
middle and the last page of each list, each sort, each filter, and filters that nothing fits."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from html import unescape
from statistics import median

import httpx

from bench import many, report
from bench.house import opened
from bench.visible import sign_in
from domain.readmodels.lists import Order, text_of
from domain.stream.database import connect
from webapp.lists import Listing
from webapp.lists.registry import LISTINGS

PAYMENTS, ROUNDS = 100_000, 4
MIDDLE = 20
"""Pages forward to the middle page: as far as anybody walks."""
LISTS = {
    "payments": "/payments",
    "invoices": "/invoices",
    "refunds": "/refunds",
    "work": "/work",
    "stream": "/stream",
}
FILTERS = {
    "payments": (
        *("status=settled", "status=failed", "status=failed&status=returned&status=announced"),
        *("customer=n", "customer=nadia+brandt", "amount=100,10", "min=400&max=410", "code=AC04"),
        *("refunded=yes", "refunded=no", "from=2025-06-01&to=2025-08-31", "provider=stripe"),
        *("day=settled&from=2025-06-01&to=2025-06-30", "contract=MANY-000100", "invoice=B2C-1"),
        "status=settled&customer=n&min=300&from=2025-06-01&sort=customer",
        "status=announced&sort=-settled",
    ),
    "invoices": (
        *("q=brandt", "q=b2c", "q=many-000100", "payment=returned", "document=reduced"),
        *("amount=100,10", "day=due&from=2025-06-01&to=2025-08-31", "kind=correction"),
    ),
    "refunds": ("status=requested", "customer=n", "reason=goodwill", "by=staff:stf_mia"),
    "work": ("type=payment-returned", "tab=closed", "tab=closed&customer=n", "owner=nobody"),
    "stream": (
        *("type=payment-settled", "service=invoices", "actor=stripe", "cause=1"),
        "from=2025-06-01&to=2025-06-30",
    ),
}
NOTHING = {
    "payments": ("customer=xyzzy", "amount=0,01", "status=failed&day=settled&from=2025-06-01"),
    "invoices": ("q=xyzzy", "amount=0,01"),
    "refunds": ("customer=xyzzy",),
    "work": ("customer=xyzzy",),
    "stream": ("customer=nobody", "stream=nothing"),
}
SEARCHES = ("/search?q=brandt", "/search?q=n", "/search?q=100,10", "/search?q=xyzzy")


def addresses(browser: httpx.Client, name: str) -> Iterator[tuple[str, str]]:
    """(kind of page, address) of one list."""
    base, listing = LISTS[name], LISTINGS[name]
    yield "first", base
    yield "last", f"{base}?at=last"
    yield "middle", _middle(browser, base)
    for sort in _sorts(listing):
        yield "sorted", f"{base}?sort={sort}"
        yield "sorted, last", f"{base}?sort={sort}&at=last"
    for query in FILTERS[name]:
        yield "filtered", f"{base}?{query}"
        yield "filtered, last", f"{base}?{query}&at=last"
    for query in NOTHING[name]:
        yield "nothing fits", f"{base}?{query}"


def _sorts(listing: Listing) -> Iterator[str]:
    for sort in listing.source.sorts:
        yield from (text_of(Order(sort=sort, down=down)) for down in (False, True))


def _middle(browser: httpx.Client, address: str) -> str:
    for _ in range(MIDDLE):
        page = browser.get(address).raise_for_status().text
        following = re.search(r'href="([^"]+)"[^>]*rel="next"', page)
        if following is None:
            break
        address = unescape(following[1])
    return address


def _times(browser: httpx.Client, address: str) -> list[float]:
    """Milliseconds; the first look warms up what a house in use has warm."""
    browser.get(address).raise_for_status()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        browser.get(address).raise_for_status()
        times.append((time.perf_counter() - started) * 1000)
    return times


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


def main() -> dict[str, float]:
    numbers: dict[str, float] = {}
    everything: list[float] = []
    slowest = (0.0, "")
    with opened() as house:
        started = time.perf_counter()
        many.fill(house.settings, PAYMENTS)
        numbers["filled_s"] = time.perf_counter() - started
        with connect(house.settings.database_url, house.settings.kek) as connection:
            row = connection.execute("SELECT count(*) FROM read.payment").fetchone()
        numbers["payments"] = float(row[0]) if row else 0.0
        house.start("web")
        with httpx.Client(
            base_url=house.settings.url, trust_env=False, follow_redirects=True
        ) as browser:
            sign_in(browser)
            for name in LISTS:
                kinds: dict[str, list[float]] = {}
                for kind, address in addresses(browser, name):
                    times = _times(browser, address)
                    slowest = max(slowest, (median(times), address))
                    kinds.setdefault(kind, []).extend(times)
                for kind, times in kinds.items():
                    told = f"p50 {median(times):7.1f}  p95 {_p95(times):7.1f} ms"
                    print(f"pages  {name:<10} {kind:<16} {told}", flush=True)
                of_list = [one for times in kinds.values() for one in times]
                numbers[f"{name}_p50_ms"], numbers[f"{name}_p95_ms"] = (
                    median(of_list),
                    _p95(of_list),
                )
                everything += of_list
            found = [one for address in SEARCHES for one in _times(browser, address)]
            numbers["search_p95_ms"] = _p95(found)
    numbers["p50_ms"], numbers["p95_ms"] = median(everything), _p95(everything)
    print(f"pages  the slowest address (p50 {slowest[0]:.1f} ms): {slowest[1]}")
    limits = {f"{name}_p95_ms": "<= 100" for name in (*LISTS, "search")}
    return report.show(
        "pages", numbers, {"payments": f">= {PAYMENTS}", "p95_ms": "<= 100", **limits}
    )


if __name__ == "__main__":
    main()
