"""Every long list: its pages hold every row once in both directions and while others are added, it
asks the database little, and what nobody gave out is refused."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from domain.dispatch import Dispatcher
from domain.readmodels import lists as domain_lists
from domain.readmodels import paging, payments
from domain.readmodels.lists import LAST, Order, Place, Way
from domain.readmodels.model import Rows
from domain.readmodels.payment_queries import PAYMENTS
from tests.pages import AsRole, PageClient, log_in_as, words
from tests.servers import Servers
from tests.webapp.many import crowded
from tests.webapp.queries import asked
from webapp import lists
from webapp.lists.registry import LISTINGS

PAGE = 7
QUERIES_MAX = 3
FILTERED = {
    "work": "type=payment-returned&min=1",
    "payments": "status=settled&status=paid-out&customer=a",
    "refunds": "status=confirmed&reason=goodwill",
    "invoices": "q=b2c&payment=paid",
    "payouts": "state=listed",
    "statements": "from=2026-01-07",
    "statement-lines": "q=stripe&explained=no",
    "stream": "service=payments&from=2025-05-01",
    "customers": "q=k",
    "contracts": "q=hr",
}
HOSTILE = (
    "'",
    "' OR 1=1 --",
    "%",
    "%00",
    "%ff",
    "%F0%9F%98%80",
    "9" * 60,
    "-1",
    "0x10",
    "1e9",
    "NaN",
    "infinity",
    "2026-02-31",
    "2026-W01-1",
    "99999-01-01",
    "{}",
    "a" * 500,
    "<script>",
    "=1+1",
    "&#38;",
)


@pytest.fixture(scope="module")
def house(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    with crowded(servers, template_database, tmp_path_factory.mktemp("lists")) as app:
        yield app


@pytest.fixture(scope="module")
def eva(house: Flask) -> PageClient:
    return log_in_as(house, "eva")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_lists, "PAGE", PAGE)


def sorts() -> list[Any]:
    return [
        pytest.param(name, Order(sort=sort, down=down), id=f"{name}-{sort}-{down}")
        for name, listing in LISTINGS.items()
        for sort in listing.source.sorts
        for down in (False, True)
    ]


def keys(name: str, rows: Any) -> list[object]:
    column = LISTINGS[name].source.key.sql
    return [getattr(row, column) for row in rows]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("name", "order"), sorts())
def test_pages_hold_every_row_once_there_and_back(house: Flask, name: str, order: Order) -> None:
    source = LISTINGS[name].source
    kontor: Dispatcher = house.extensions["kontor"]
    with kontor.read() as connection:
        whole = keys(name, paging.everything(connection, source, {}, order))
        there, places, place = [], [], None
        while True:
            page = paging.page(connection, source, {}, order, place)
            assert page.first == (len(there) + 1 if page.rows else None)
            there += keys(name, page.rows)
            if page.after is None:
                break
            place = page.after
            places.append(place)
        back, place = [], LAST
        while place is not None:
            page = paging.page(connection, source, {}, order, place)
            found = keys(name, page.rows)
            if page.before is None:
                # The first page is a whole one, also when somebody comes from behind.
                assert found == whole[:PAGE]
                found = whole[: len(whole) - len(back)]
            back = found + back
            place = page.before
    assert there == whole
    assert back == whole
    assert len(set(whole)) == len(whole) == page.count.number


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("down", [True, False])
def test_rows_that_come_meanwhile_are_neither_doubled_nor_in_the_way(
    house: Flask, down: bool
) -> None:
    kontor: Dispatcher = house.extensions["kontor"]
    order = Order(sort="amount", down=down)
    with kontor.read() as connection, connection.transaction(force_rollback=True):
        before = keys("payments", paging.everything(connection, PAYMENTS, {}, order))
        row = next(paging.everything(connection, PAYMENTS, {}, order))
        seen, place, number = [], None, 0
        while True:
            page = paging.page(connection, PAYMENTS, {}, order, place)
            seen += keys("payments", page.rows)
            place = page.after
            if place is None:
                break
            # One of the same amount as the first row, on either side of the place.
            for letter in "0z":
                number += 1
                new = f"pay_{letter * 20}{number:06d}"
                rows = Rows(connection)
                rows.put(payments.PAYMENT, msgspec.structs.replace(row, payment_id=new))
                rows.flush()
    assert len(set(seen)) == len(seen)
    assert [one for one in seen if one in set(before)] == before


@pytest.mark.usefixtures("short")
def test_without_the_tie_breaker_rows_would_be_lost(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, order, place = paging._beside, Order(sort="amount"), None

    def first_only(terms: Any, marks: Any, *, down: bool) -> Any:
        return beside(terms[:1], marks[:1], down=down)

    monkeypatch.setattr(paging, "_beside", first_only)
    kontor: Dispatcher = house.extensions["kontor"]
    seen: list[object] = []
    with kontor.read() as connection:
        while True:
            page = paging.page(connection, PAYMENTS, {}, order, place)
            seen += keys("payments", page.rows)
            place = page.after
            if place is None:
                break
    assert len(seen) < page.count.number


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", FILTERED)
def test_every_page_asks_at_most_three_times(eva: PageClient, name: str) -> None:
    listing = LISTINGS[name]
    with eva.app.test_request_context():
        base = lists.url_for(listing.endpoint)
    first = eva.get(base)
    addresses = [base, f"{base}?{FILTERED[name]}", f"{base}?at=last"]
    addresses += [f"{base}?sort={sort}" for sort in listing.source.sorts]
    addresses += [str(link.get("href")) for link in first.select("#more a")]
    for address in addresses:
        with asked() as sent:
            eva.get(address)
        assert len(sent) <= QUERIES_MAX, f"{address}:\n" + "\n".join(sent)


@pytest.mark.parametrize("name", FILTERED)
def test_what_is_typed_into_a_filter_is_never_an_error(
    house: Flask, eva: PageClient, name: str
) -> None:
    """It is found, not found, or said at its field."""
    listing = LISTINGS[name]
    cookie = "; ".join(f"{one.key}={one.value}" for one in eva.client._cookies.values())
    kontor: Dispatcher = house.extensions["kontor"]
    mistaken = ""
    with house.test_request_context(headers={"Cookie": cookie}), kontor.read() as connection:
        house.preprocess_request()
        base = lists.url_for(listing.endpoint)
        for field in listing.fields:
            for typed in HOSTILE:
                wish = lists.read(listing, MultiDict([(field.name, unquote(typed))]))
                if not wish.errors:
                    paging.page(connection, listing.source, wish.filters, wish.order)
                elif not mistaken:
                    mistaken = field.name
    page = eva.get(f"{base}?{mistaken}=%27", status=422)
    assert words(page.one(f"#e-{mistaken}"))
    assert not page.select("#rows tr")


def place(**fields: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(fields)).decode().rstrip("=")


GIVEN = {"way": "after", "sort": "-debit", "values": ["2026-01-01"], "key": "pay_x", "position": 7}


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "e30",
        "%00",
        "é",
        "A" * 5_000,
        place(**{**GIVEN, "sort": "amount"}),
        place(**{**GIVEN, "way": "sideways"}),
        place(**{**GIVEN, "values": []}),
        place(**{**GIVEN, "values": ["2026-01-01", "2026-01-01"]}),
        place(**{**GIVEN, "values": ["soon"]}),
        place(**{**GIVEN, "values": ["2026-01-01\0"]}),
        place(**{**GIVEN, "key": "x" * 2_000}),
        place(**{**GIVEN, "key": None}),
        place(**{**GIVEN, "position": -1}),
        place(**{**GIVEN, "position": 2**63}),
        place(**{**GIVEN, "position": "7"}),
    ],
)
def test_a_place_that_nobody_gave_out_is_refused(eva: PageClient, text: str) -> None:
    eva.get(f"/payments?at={text}", status=400)
    eva.get(f"/payments?at={place(**GIVEN)}")


@pytest.mark.parametrize(
    ("sort", "values"),
    [
        ("amount", ["9" * 30]),
        ("amount", ["1_0e"]),
        ("amount", ["x"]),
        ("-confirmed", ["yesterday"]),
        ("customer", ["a"]),
    ],
)
def test_a_place_holds_what_its_columns_can_hold(
    eva: PageClient, sort: str, values: list[str]
) -> None:
    at = place(**{**GIVEN, "sort": sort, "values": values})
    eva.get(f"/payments?sort={sort}&at={at}", status=400)


@pytest.mark.parametrize("spelling", ["١٢", "1_000", " 7 ", "20260101", "-infinity", "infinity"])
def test_spellings_that_python_and_postgresql_read_differently(
    eva: PageClient, spelling: str
) -> None:
    """Whatever is no value of the column is 400; what is one never breaks the query."""
    for sort, values in (("amount", [spelling]), ("-debit", [spelling]), ("-settled", [spelling])):
        at = place(**{**GIVEN, "sort": sort, "values": values})
        answer = eva.client.get(f"/payments?sort={sort}&at={at}")
        assert answer.status_code in (200, 400), (sort, spelling)


def test_a_place_comes_back_as_it_was_written() -> None:
    given = Place(
        way=Way.BEFORE, sort="customer", values=("ä/+", "2026-01-01"), key="x", position=3
    )
    order = Order(sort="customer")
    assert lists.read_place(PAYMENTS, order, lists.write_place(given)) == given


@pytest.mark.usefixtures("short")
def test_counts_are_honest(eva: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_lists, "COUNT_MAX", 10)
    page = eva.get("/payments")
    assert words(page.one("#position")) == "1–7 of over 10"
    second = eva.get(str(page.one("#more a[rel=next]").get("href")))
    assert words(second.one("#position")) == "8–14 of over 10"
    last = eva.get("/payments?at=last")
    assert words(last.one("#position")) == "the last 7 of over 10"
    before = eva.get(str(last.one("#more a[rel=prev]").get("href")))
    assert words(before.one("#position")) == "7 of over 10"
    assert "over" not in words(eva.get("/payments?code=MD06").one("#position"))


def test_a_count_above_the_cap_changes_the_way_but_not_the_rows(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few rows are sorted, many are walked along the index: both give the same page."""
    kontor: Dispatcher = house.extensions["kontor"]
    wanted = {"customer_words": "a:* | o:* | m:* | i:* | e:* | b:* | c:* | g:* | h:* | n:* | j:*"}
    with kontor.read() as connection:
        for sort in PAYMENTS.sorts:
            for at in (None, LAST):
                order, pages = Order(sort=sort), []
                for cap in (10_000, 3):
                    monkeypatch.setattr(domain_lists, "COUNT_MAX", cap)
                    pages.append(paging.page(connection, PAYMENTS, wanted, order, at).rows)
                assert pages[0] == pages[1]
                assert len(pages[0]) > 3


def test_sorts_stand_in_the_headings(eva: PageClient) -> None:
    page = eva.get("/payments?sort=-amount&status=settled")
    heading = page.one("th[aria-sort]")
    assert heading.get("aria-sort") == "descending"
    link = str(heading.cssselect("a")[0].get("href"))
    assert "sort=amount" in link
    assert "status=settled" in link
    amounts = [words(row.cssselect("td")[-1]) for row in page.select("#rows tr")]
    assert amounts == sorted(amounts, key=lambda text: -float(text.split()[0].replace(",", ".")))
    assert eva.get("/payments").one("th[aria-sort]").get("aria-sort") == "descending"


def test_filters_are_counted_and_cleared(eva: PageClient) -> None:
    page = eva.get("/payments?status=failed&status=returned&code=ac04&day=returned&sort=returned")
    assert "2 filters are set." in words(page.one("#more"))
    clear = str(page.one("#more a:not(.button)").get("href"))
    assert "status" not in clear
    assert "sort=returned" in clear
    assert [words(th) for th in page.select("thead th")][1].startswith("Failed or returned")
    none = eva.get("/payments?amount=1,23")
    assert "No payment fits these filters" in none.text
    assert none.one(".empty a").get("href") == "/payments"


def test_the_day_of_a_list_is_what_from_and_to_are_about(eva: PageClient) -> None:
    whole = len(eva.get("/payments?status=settled").select("#rows tr"))
    assert whole
    settled = eva.get("/payments?day=settled&from=2025-03-01&to=2025-03-31")
    dates = {words(row.cssselect("td")[0]) for row in settled.select("#rows tr")}
    assert dates == {"09.03.2025"}
    assert not eva.get("/payments?day=settled&from=2025-03-10&to=2025-03-31").select("#rows tr")


def test_an_address_of_the_list_reads_back_as_itself(house: Flask) -> None:
    with house.test_request_context():
        given = MultiDict([("status", "failed"), ("status", "paid-out"), ("sort", "amount")])
        wish = lists.read(LISTINGS["payments"], given)
        pairs = [(name, text) for name, texts in wish.query.items() for text in texts]
        again = lists.read(LISTINGS["payments"], MultiDict(pairs))
    assert again.filters == wish.filters
    assert again.order == wish.order


def test_lists_need_their_own_permission(as_role: AsRole) -> None:
    admin = as_role("admin")
    for name in ("refunds", "payouts", "statements/lines", "payments", "stream"):
        admin.get(f"/{name}", status=403)
