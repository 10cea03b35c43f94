"""The data browser: every table to look at, for those who may, in both languages; filters, search,
sorts and files of it; and no way to change anything by it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import nullcontext
from uuid import UUID

import msgspec
import pytest
from flask import Request
from htmx_flask.requests import HtmxAwareRequest
from psycopg import errors, sql

from domain.readmodels import browse
from domain.readmodels.browse import VIEWS
from domain.readmodels.browse_kept import Group
from domain.readmodels.registry import READMODELS
from jobs.runs import export
from tests.pages import Page, PageClient, words
from tests.servers import Servers
from tests.webapp.bulk import many_payments
from tests.webapp.house import House, open_house
from webapp.access.permissions import ACTS, Role
from webapp.data import names
from webapp.models import Audit, db

MANY = 130
HOSTILE = "<script>alert(1)</script>"
SECRETS = {"staff", "staff_session", "login_throttle", "subject_key"}


@pytest.fixture(scope="module")
def house(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with open_house(servers, template_database, tmp_path_factory.mktemp("data")) as opened:
        many_payments(opened.kontor, MANY)
        opened.sql("UPDATE read.payment SET customer = %s WHERE amount = 7", HOSTILE)
        opened.sql("UPDATE read.payment SET customer = '100% sure' WHERE amount = 8")
        yield opened


@pytest.fixture(scope="module")
def uwe(house: House) -> PageClient:
    """The auditor may open everything."""
    return house.as_role("auditor")


def rows(page: Page) -> list[list[str]]:
    return [[words(cell) for cell in row.cssselect("th, td")] for row in page.select("#rows tr")]


def digest(house: House) -> dict[str, str]:
    """A hash over every row of every table, but for what a login itself leaves."""
    found = {}
    tables = house.sql(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN ('public', 'read') AND table_name <> 'staff_session'"
    )
    with house.kontor.read() as connection:
        for schema, table in tables:
            query = sql.SQL(
                "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
            ).format(sql.Identifier(str(schema), str(table)))
            row = connection.execute(query).fetchone()
            found[f"{schema}.{table}"] = str(row and row[0])
    return found


def test_every_read_model_is_a_table_and_no_secret_is() -> None:
    tables = {table.name for model in READMODELS for table in model.tables}
    assert tables <= set(VIEWS)
    assert not SECRETS & set(VIEWS)
    selected = " ".join(view.source.table for view in VIEWS.values())
    assert not [table for table in SECRETS if f" {table}" in selected]


def test_every_table_opens_and_nothing_changes(house: House, uwe: PageClient) -> None:
    """All GETs of all tables, with and without a row, leave the database as it was."""
    before = digest(house)
    assert len(uwe.get("/data/").select("main td a")) == len(VIEWS)
    with_rows = 0
    for name, view in VIEWS.items():
        page = uwe.get(f"/data/{name}/")
        assert page.h1 == name
        links = page.select("#rows th a.id")
        if links:
            with_rows += 1
            shown = uwe.get(str(links[0].get("href")))
            assert len(shown.select("main dt")) == len(view.fields)
        uwe.get(f"/data/{name}/details/?id=nonsense", status=404)
        uwe.get(f"/data/{name}/details/", status=404)
    assert with_rows > 15
    assert digest(house) == before


def test_every_sort_filter_and_search_of_every_table_is_understood(
    house: House, uwe: PageClient
) -> None:
    typed = {"number": "5", "money": "0,07", "day": "24.11.2026", "instant": "24.11.2026 10:00"}
    asked = 0
    for name in VIEWS:
        view = house.app.extensions["kontor.data"][name]
        for index, (column, _label) in enumerate(view._list_columns):
            if column in view._sortable_columns:
                answer = uwe.client.get(f"/data/{name}/?sort={index}&desc=1")
                assert answer.status_code == 200
                asked += 1
        query = "&".join(
            f"flt{n}_{view.get_filter_arg(n, one)}={typed.get(view.kinds[one.name], 'x')}"
            for n, one in enumerate(view._filters[:20])
        )
        uwe.get(f"/data/{name}/?{query}&search=%27x%25_")
        asked += len(view._filters)
    assert asked > 500


@pytest.mark.parametrize("role", list(Role))
def test_who_may_open_what(house: House, role: Role) -> None:
    browser = house.as_role(role)
    for name, view in VIEWS.items():
        may = role in ACTS[names.ACTS[view.group]].roles
        addresses = {f"/data/{name}/": 200, f"/data/{name}/details/?id=x": 404}
        for address, status in addresses.items():
            # The pages themselves are looked at elsewhere.
            assert browser.client.get(address).status_code == (status if may else 403), address
    opens = role in ACTS["data.open"].roles
    page = browser.get("/data/", status=200 if opens else 403)
    assert bool(page.select("nav a[href='/data/']")) == opens
    if opens:
        seen = {words(link) for link in page.select("main td a")}
        allowed = {n for n, v in VIEWS.items() if role in ACTS[names.ACTS[v.group]].roles}
        assert seen == allowed


def test_a_refused_look_is_in_the_audit_trail(house: House) -> None:
    house.as_role("support").get("/data/payment/", status=403)
    with house.app.app_context():
        last = db.session.query(Audit).order_by(Audit.id.desc()).first()
        assert last is not None
        assert (last.act, last.outcome) == ("data.read", "denied")
    newest = rows(house.as_role("auditor").get("/data/audit/?search=data.read"))[0]
    assert newest[2:5] == ["Mia Aydin", "data.read", "denied"]


def test_flask_admin_asks_the_table_of_permissions_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the gate in front of all views, the base view still refuses."""
    gate = house.app.before_request_funcs[None]
    without = [one for one in gate if one.__name__ != "check_permission"]
    monkeypatch.setitem(house.app.before_request_funcs, None, without)
    browser = house.as_role("support")
    browser.get("/data/payment/", status=403)
    browser.get("/data/", status=403)


@pytest.mark.parametrize("act", ["new", "edit", "delete", "action", "ajax/update", "ajax/lookup"])
def test_what_flask_admin_could_change_has_no_address(uwe: PageClient, act: str) -> None:
    for name in ("payment", "audit", "effect"):
        uwe.get(f"/data/{name}/{act}/", status=404)
        uwe.post(f"/data/{name}/{act}/", {"id": "1", "action": "delete"}, status=404)
    for address in ("/data/", "/data/payment/", "/data/payment/details/"):
        uwe.post(address, status=405)


def test_the_database_itself_refuses_a_write(house: House) -> None:
    """Every look runs in such a transaction: see the next test."""
    with (
        house.kontor.read() as connection,
        pytest.raises(errors.ReadOnlySqlTransaction),
        browse.looking(connection),
    ):
        connection.execute("UPDATE read.payment SET amount = 0")


def test_every_look_runs_in_it(
    house: House, uwe: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that writes is refused, on the list and on the page of a row; without that
    transaction it would write."""
    browsed = house.app.extensions["kontor.data"]["payment"]
    writing = "(SELECT * FROM read.payment WHERE nextval('event_position') > 0)"
    source = msgspec.structs.replace(browsed.table.source, table=writing)
    table = msgspec.structs.replace(browsed.table, source=source)
    row = str(uwe.get("/data/payment/").one("#rows tr:first-child a.id").get("href"))
    before = house.sql("SELECT last_value FROM event_position")
    monkeypatch.setattr(house.app, "testing", False)
    monkeypatch.setattr(browsed, "table", table)
    uwe.get("/data/payment/", status=500)
    uwe.get(row, status=500)
    assert house.sql("SELECT last_value FROM event_position") == before
    monkeypatch.setattr(browse, "looking", nullcontext)
    uwe.get("/data/payment/")
    assert house.sql("SELECT last_value FROM event_position") > before


def test_filters_search_and_sorts(house: House, uwe: PageClient) -> None:
    base = "/data/payment/"
    assert [row[2] for row in rows(uwe.get(f"{base}?flt0_amount_equals=0,07"))] == ["0,07 €"]
    both = uwe.get(f"{base}?flt0_amount_greater_than=0,10&flt1_amount_smaller_than=0,14")
    assert sorted(row[2] for row in rows(both)) == ["0,11 €", "0,12 €", "0,13 €"]
    assert [words(one).split(" remove")[0] for one in both.select("main ul.tags li")][:2] == [
        "amount greater than 0,10",
        "amount smaller than 0,14",
    ]
    kept = str(both.select("main ul.tags li a")[0].get("href"))
    assert "greater" not in kept
    assert "smaller" in kept
    found = uwe.get(f"{base}?search=100%25")
    assert [row[3] for row in rows(found)] == ["100% sure"], "a percent sign is itself"
    dearest = uwe.get(f"{base}?sort=2&desc=1")
    assert rows(dearest)[0][2] == "238,00 €"
    assert dearest.one("th[aria-sort=descending]") is not None
    assert [row[2] for row in rows(uwe.get(f"{base}?sort=2"))][:2] == ["0,01 €", "0,02 €"]
    none = uwe.get(f"{base}?flt0_status_equals=nothing")
    assert "No row fits these filters" in none.text
    filled = uwe.get("/data/event/?flt0_sealedbytes_not_empty=1")
    assert rows(filled)


def test_adding_a_filter_needs_no_script(uwe: PageClient) -> None:
    page = uwe.get("/data/payment/?flt0_status_equals=scheduled")
    form = page.one("form.filters")
    assert [f.get("name") for f in form.cssselect("input[type=hidden]")] == ["flt0_status_equals"]
    added = uwe.get(
        "/data/payment/?flt0_status_equals=scheduled&filter=amount_equals&value=0,09", status=303
    )
    assert [row[2] for row in rows(uwe.get(added.location))] == ["0,09 €"]
    uwe.get("/data/payment/?filter=nothing_equals&value=1", status=400)
    searched = uwe.get("/data/payment/?search=x&filter=&value=", status=303)
    assert searched.location == "/data/payment/?search=x"
    without_value = uwe.get("/data/payment/?filter=reference_not_empty&value=", status=303)
    page = uwe.get(without_value.location)
    assert "reference not empty" in page.text
    assert not page.select("#rows")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("flt0_amount_equals=lots", "This is not an amount."),
        ("flt0_debiton_equals=11/09/2026", "Do you mean 11.09.2026 or 09.11.2026?"),
        ("filter=&value=7", "Choose the column that shall have this value."),
        ("flt0_version_equals=99999999999999999999", "Invalid Filter Value"),
        ("flt0_status_equals=", "Invalid Filter Value"),
        ("flt0_amount_equals=1,00&flt1_amount_equals=2,00", "Each filter can be set once."),
    ],
)
def test_what_is_no_value_is_said(uwe: PageClient, query: str, said: str) -> None:
    page = uwe.get(f"/data/payment/?{query}")
    assert said in page.text
    assert not page.select("#rows")
    assert not page.select("#export"), "what was not understood is no file either"
    assert "Set-Cookie" not in page.response.headers


@pytest.mark.parametrize("query", ["at=nonsense", "at=e30", "at=%00"])
def test_an_address_nobody_gave_out(uwe: PageClient, query: str) -> None:
    uwe.get(f"/data/payment/?{query}", status=400)


@pytest.mark.parametrize("query", ["sort=99", "sort=-1", "sort=x", "page=9", "fltx_y=1", "a=%00"])
def test_an_address_that_means_nothing(uwe: PageClient, query: str) -> None:
    assert len(rows(uwe.get(f"/data/payment/?{query}"))) == 50


def test_pages_go_by_key(house: House, uwe: PageClient) -> None:
    """Three pages, every row once, and back."""
    seen, url = [], "/data/payment/?sort=2"
    while True:
        page = uwe.get(url)
        seen += [row[2] for row in rows(page)]
        more = page.select("#more a[rel=next]")
        if not more:
            break
        url = str(more[0].get("href"))
        assert "page=" not in url
    assert len(seen) == MANY + 1
    assert seen == sorted(seen, key=lambda cell: int(cell.removesuffix(" €").replace(",", "")))
    back = page.one("#more a[rel=prev]")
    assert words(uwe.get(str(back.get("href"))).one("#more [role=status]")) == "51–100 of 131"


def test_the_count_stops_and_says_so(
    house: House, uwe: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.readmodels.lists.COUNT_MAX", 100)
    assert words(uwe.get("/data/payment/").one("#more [role=status]")) == "1–50 of over 100"


def test_what_takes_too_long_is_ended(
    house: House, uwe: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "SECONDS_MAX", 0.001)
    monkeypatch.setitem(
        VIEWS["payment"].source.conditions,
        browse.SEARCH,
        "pg_sleep(1) IS NULL AND customer ILIKE %(search)s",
    )
    page = uwe.get("/data/payment/?search=x")
    assert "This would take too long" in page.text


def test_nothing_in_a_row_is_markup(uwe: PageClient) -> None:
    page = uwe.get("/data/payment/?flt0_amount_equals=0,07")
    assert rows(page)[0][3] == f"{HOSTILE[:21]}…"
    shown = uwe.get(str(page.one("#rows th a.id").get("href")))
    assert HOSTILE in shown.text
    assert not shown.select("main script")


def test_sealed_and_secret_bytes_stay_where_they_are(house: House, uwe: PageClient) -> None:
    """Lengths and hashes only; a look needs no key."""
    page = uwe.get("/data/event/?flt0_type_equals=customer-registered")
    shown = uwe.get(str(page.one("#rows th a.id").get("href"))).text
    assert "sealed_bytes" in shown
    assert "Nadia Brandt" not in shown
    for view in VIEWS.values():
        if view.group is not Group.READ:
            assert not {one.name for one in view.fields} & {"body", "sealed", "headers", "asked"}
    full = house.sql("SELECT count(*) FROM read.payment WHERE length(account) > 6")
    assert full == [(0,)], "the country and the last four"


def test_a_table_is_a_whole_safe_file(house: House, uwe: PageClient) -> None:
    """The same filters, all rows and columns, by the way of every export."""
    page = uwe.get("/data/payment/?flt0_amount_greater_than=0,05&sort=2")
    url = uwe.post(str(page.one("form#export").get("action"))).location
    assert export.carry_out(house.kontor.database, _id(url))
    text = uwe.get(f"{url}/file").response.get_data().decode()
    head, *cells = csv.reader(io.StringIO(text[1:]), delimiter=";")
    assert head == [field.name for field in VIEWS["payment"].fields]
    assert len(cells) == MANY - 5 + 1
    assert [row[2] for row in cells[:2]] == ["0,06", "0,07"]
    lead = house.as_role("lead")
    lead.post("/exports?list=data-audit", status=403)
    uwe.post("/exports?list=data-payment&flt0_amount_equals=lots", status=400)


def _id(url: str) -> UUID:
    return UUID(url.rpartition("/")[2])


def test_it_speaks_german(house: House) -> None:
    """Flask-Admin's own words come from its own catalogue."""
    browser = house.as_role("auditor")
    house.sql("UPDATE staff SET locale = 'de' WHERE login = 'uwe'")
    try:
        page = browser.get("/data/payment/?flt0_amount_equals=lots")
        assert page.one("html").get("lang") == "de"
        options = " ".join(words(option) for option in page.select("#filter option"))
        assert "amount ist gleich" in options or "amount gleich" in options
        assert "equals" not in options
        assert "Invalid Filter Value" not in page.text
    finally:
        house.sql("UPDATE staff SET locale = 'en' WHERE login = 'uwe'")


def test_only_our_own_files_are_loaded(uwe: PageClient) -> None:
    """No Bootstrap, no jQuery: the strict policy would refuse what they do."""
    page = uwe.get("/data/payment/")
    loaded = [str(one.get("href") or one.get("src")) for one in page.select("link, script")]
    assert loaded
    assert all(one.startswith("/static/") for one in loaded)
    uwe.get("/data/static/vendor/jquery-2.1.4.min.js", status=404)


def test_three_libraries_each_do_a_visible_job(house: House, uwe: PageClient) -> None:
    """Flask-Admin draws /data, htmx-flask tells dialogs from pages, Flask-SQLAlchemy holds who is
    logged in. Without each of them the thing named is gone."""
    app, payment = house.app, f"/payments/{house.story.payment_id}/refund"
    mia = house.as_role("support")
    assert mia.get(payment, htmx="dialog#dialog").html.lstrip().startswith("<header")

    without_admin = {k: v for k, v in app.view_functions.items() if not k.startswith("data")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "view_functions", without_admin)
        with pytest.raises(KeyError):
            uwe.client.get("/data/payment/")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HtmxAwareRequest, "__init__", Request.__init__)
        with pytest.raises(AttributeError, match="htmx"):
            mia.client.get(payment)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_app_engines", {})
        with pytest.raises(RuntimeError, match="SQLAlchemy"):
            mia.client.get("/payments")
