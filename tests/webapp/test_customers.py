"""Customers in the browser's eyes: who it is, a balance whose parts lead to their lists, what moves
next, one timeline, and looks that leave a trace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import update

from domain.customers.commands import RegisterCustomer
from domain.kernel.ids import HOUSE, derive, write_id
from domain.readmodels import lists as long_lists
from domain.readmodels import timelines
from domain.readmodels.customers import CUSTOMER
from tests.pages import AsRole, Page, PageClient, words
from tests.readmodels.kit import Following, Story
from tests.webapp.queries import asked
from webapp.access.audit import LOOK_EVERY
from webapp.access.permissions import Role
from webapp.models import Audit, db


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def url(story: Story) -> str:
    return f"/customers/{story.customer_id}"


def table(page: Page, caption: str) -> list[list[str]]:
    """The rows of the table with that caption; none where it is not drawn."""
    for one in page.select("table"):
        if words(one.cssselect("caption")[0]) == caption:
            rows = one.cssselect("tbody tr")
            return [[words(cell) for cell in row.cssselect("th, td")] for row in rows]
    return []


def balance(page: Page) -> dict[str, str]:
    one = next(
        one for one in page.select("table") if words(one.cssselect("caption")[0]) == "Balance"
    )
    heads = [words(cell) for cell in one.cssselect("thead th")]
    return dict(zip(heads, table(page, "Balance")[0], strict=True))


def told(page: Page) -> list[str]:
    return [words(line.cssselect("span")[0]) for line in page.select("#happened li")]


def looks(app: Flask, story: Story) -> list[tuple[str | None, str]]:
    with app.app_context():
        found = db.session.query(Audit).filter_by(act="customer.read", subject=story.customer_id)
        return [(row.staff_id, row.outcome) for row in found]


def nobody(kit: Following, name: str = "Werkstatt Petersen GmbH") -> str:
    customer_id = write_id("cus", uuid4())
    kit.do(
        RegisterCustomer(
            by="demo",
            customer_id=customer_id,
            number="K-9",
            kind="business",
            name=name,
            street="Hafen 1",
            postcode="23552",
            city="Lübeck",
            email="post@example.org",
        )
    )
    kit.settle()
    return customer_id


def test_who_it_is_and_what_is_marked_as_personal(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    page = as_role("support").get(url(story))
    assert page.h1 == "Nadia Brandt"
    personal = words(page.one("section[aria-labelledby=t-who]"))
    for text in ("Am Sandtorkai 1", "20457 Hamburg", "nadia@example.org", "DE** **** 3000"):
        assert text in personal
    assert "Opening this page is recorded with your name." in personal
    assert "DE89" not in page.html
    assert not page.select("a[href$='/iban']")
    assert (
        as_role("auditor").get(url(story)).select(f"a[href='/contracts/{story.contract_id}/iban']")
    )


def test_the_balance_adds_up_and_leads_to_its_lists(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    browser = as_role("support")
    assert balance(browser.get(url(story)))["On its way"] == "238,00 €"
    story.confirmed()
    story.refund_confirmed(story.refund(50_00))
    page = browser.get(url(story))
    assert balance(page) == {
        "Billed": "238,00 €",
        "Reduced": "−50,00 €",
        "Paid": "188,00 €",
        "On its way": "0,00 €",
        "Due": "0,00 €",
        "Open again": "0,00 €",
        "Credit": "0,00 €",
        "Refunded": "50,00 €",
    }
    assert [words(chip) for chip in page.select(".head .chip")] == ["In order"]
    story.returned()
    page = browser.get(url(story))
    assert balance(page)["Open again"] == "188,00 €"
    assert words(page.one(".amount")) == "188,00 €"
    assert [words(chip) for chip in page.select(".head .chip")] == [
        "Open again",
        "Owes money back",
    ]
    assert "50,00 € left us twice" in page.text


def test_each_amount_leads_to_what_it_is_made_of(kit: Following, as_role: AsRole) -> None:
    billed, failed = Story(kit), Story(kit, "Otto Kraus")
    failed.failed()
    paid, returned = Story(kit, "Ida Paid"), Story(kit, "Ida Back")
    returned.rendered()
    paid.confirmed()
    returned.submitted()
    returned.returned()
    refund_id = paid.refund(50_00)
    browser = as_role("support")
    for story, part in (
        (billed, "On its way"),
        (billed, "Billed"),
        (failed, "Due"),
        (returned, "Open again"),
        (paid, "Paid"),
        (paid, "Credit"),
        (paid, "Reduced"),
    ):
        listed = behind(browser, story, part)
        assert len(listed.select("#rows tr")) == 1, (part, listed.text)
    paid.refund_confirmed(refund_id)
    assert "50,00 €" in words(behind(browser, paid, "Refunded").one("#rows tr"))


def behind(browser: PageClient, story: Story, part: str) -> Page:
    """The list that an amount of the balance leads to."""
    one = browser.get(url(story)).select("table")[0]
    place = [words(cell) for cell in one.cssselect("thead th")].index(part)
    link = one.cssselect("tbody td")[place].cssselect("a")[0]
    return browser.get(str(link.get("href")))


def test_contracts_and_what_moves_next(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(120_00)
    page = as_role("support").get(url(story))
    assert table(page, "Contracts") == [
        [story.contract_number, "Household", "In order", "01.01.2027", "2.856,00 €", "0,00 €"]
    ]
    moves = table(page, "Next money movements")
    assert moves[0] == [
        f"Refund {refund_id[:14]}",
        "09.12.2026",
        "Waits for approval",
        "−120,00 €",
    ]
    assert [row[1] for row in moves[1:]] == ["04.01.2027", "01.02.2027", "01.03.2027", "01.04.2027"]
    assert table(page, "Open work")[0][-1] == "120,00 €"


def test_one_timeline_with_a_filter_in_the_address(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    browser = as_role("support")
    page = browser.get(url(story))
    everything = told(page)
    assert "129,00" not in page.text
    assert any("Person registered as a customer" in line for line in everything)
    assert any("Invoice" in line for line in everything)
    assert [words(tab) for tab in page.select("nav.group a")] == [
        "All",
        "Payments",
        "Contracts",
        "Invoices",
        "Work",
    ]
    parts = {}
    for tab in page.select("nav.group a")[1:]:
        part = browser.get(str(tab.get("href")))
        assert words(part.one("nav.group a[aria-current]")) == words(tab)
        parts[words(tab)] = told(part)
    assert parts["Work"] == []
    assert sum(map(len, parts.values())) == len(everything)
    assert any(f"{story.payment_id[:14]}" in line for line in parts["Invoices"] + everything)
    browser.get(f"{url(story)}?show=nonsense", status=400)


def test_older_events_come_behind_the_last_one(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(kit)
    browser = as_role("support")
    everything = told(browser.get(url(story)))
    monkeypatch.setattr(timelines, "PAGE", 3)
    page, seen = browser.get(url(story)), []
    while True:
        seen += told(page)
        more = page.select("#older a")
        if not more:
            break
        assert more[0].get("hx-target") == "#happened"
        page = browser.get(str(more[0].get("href")))
        assert page.select("#history p a")[0].get("href") == url(story)
    assert seen == everything
    nothing = browser.get(f"{url(story)}?after=1")
    assert "Nothing older" in nothing.text


def test_a_look_leaves_one_row_an_hour(app: Flask, kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    mia, uwe = as_role("support"), as_role("auditor")
    mia.get(url(story))
    mia.get(f"{url(story)}?show=work")
    uwe.get(url(story))
    assert sorted(looks(app, story)) == [("stf_mia", "allowed"), ("stf_uwe", "allowed")]
    with app.app_context():
        db.session.execute(update(Audit).values(at=Audit.at - LOOK_EVERY - timedelta(minutes=1)))
        db.session.commit()
    mia.get(url(story))
    assert len(looks(app, story)) == 3
    as_role("admin").get(url(story), status=403)
    assert ("stf_ben", "denied") in looks(app, story)


def test_there_is_no_such_customer(app: Flask, kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    browser = as_role("lead")
    wrong = ("cus_nonsense", "%27", "%00", derive("cus", HOUSE, "nobody"), story.contract_id)
    for customer_id in wrong:
        browser.get(f"/customers/{customer_id}", status=404)
        browser.get(f"/customers/{customer_id}/beside", htmx="p#beside-told", status=404)
    with app.app_context():
        assert db.session.query(Audit).filter_by(act="customer.read").count() == 0


def test_everybody_but_admins_may_look(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    for role in Role:
        status = 403 if role is Role.ADMIN else 200
        browser = as_role(role)
        browser.get("/customers", status=status)
        browser.get(url(story), status=status)
        browser.get(f"{url(story)}/beside", htmx="p#beside-told", status=status)


def test_a_customer_without_a_contract(kit: Following, as_role: AsRole) -> None:
    page = as_role("support").get(f"/customers/{nobody(kit)}")
    assert "Nothing billed yet" in words(page.one(".head"))
    for text in ("No contract", "Nothing moves", "Nothing needs a person", "Company"):
        assert text in page.text
    assert set(balance(page).values()) == {"0,00 €"}
    assert not page.select("table a")


def test_an_erased_person_is_marked_and_the_page_stands(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    with kit.kontor.read() as connection:
        connection.execute("DELETE FROM subject_key WHERE subject = %s", (story.customer_id,))
        connection.execute(
            "UPDATE read.customer SET name = '', sorted_as = '', street = '', postcode = '',"
            " city = '', email = '', words = '{}'"
        )
        connection.execute("UPDATE read.contract_mandate SET account = ''")
        connection.execute("UPDATE read.contract SET customer = ''")
    browser = as_role("support")
    page = browser.get(url(story))
    assert page.h1 == f"Customer K-{story.number:06d}"
    assert "Name erased" in words(page.one(".head"))
    assert words(page.one("section[aria-labelledby=t-who] dl")).count("erased") == 4
    assert balance(page)["Billed"] == "238,00 €"
    listed = browser.get("/customers")
    assert words(listed.one("#rows th a")) == "erased"
    assert "erased" in browser.get(f"/contracts/{story.contract_id}").text


def test_names_are_text_wherever_they_stand(kit: Following, as_role: AsRole) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    customer_id = nobody(kit, evil)
    browser = as_role("support")
    assert browser.get(f"/customers/{customer_id}").h1 == evil
    assert evil in browser.get("/customers").text


def test_the_list_searches_sorts_and_pages(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    zander = Story(kit, "Xaver Zander")
    Story(kit, "Ada Ahrens"), Story(kit, "Österreich Özil")
    zander.failed()
    browser = as_role("support")
    page = browser.get("/customers")
    names = [words(cell) for cell in page.select("#rows th")]
    assert names == ["Ada Ahrens", "Österreich Özil", "Xaver Zander"]
    assert [words(c) for c in browser.get("/customers?q=oesterr hamb").select("#rows th")] == [
        "Österreich Özil"
    ]
    by_open = browser.get("/customers?sort=-open&money=open")
    assert [words(cell) for cell in by_open.select("#rows th")] == ["Xaver Zander"]
    assert "238,00 €" in words(by_open.one("#rows tr"))
    assert "No customer fits these filters" in browser.get("/customers?q=nobody").text
    browser.get("/customers?sort=nonsense", status=400)
    browser.get("/customers?kind=nonsense", status=422)
    monkeypatch.setattr(long_lists, "PAGE", 2)
    first = browser.get("/customers")
    assert words(first.one("#position")) == "1–2 of 3"
    following = browser.get(str(first.one("#more a[rel=next]").get("href")))
    assert [words(cell) for cell in following.select("#rows th")] == ["Xaver Zander"]


def test_an_empty_list_says_why(kit: Following, as_role: AsRole) -> None:
    assert "No customers yet" in as_role("support").get("/customers").text


def test_beside_a_payment(kit: Following, as_role: AsRole) -> None:
    story, other = Story(kit), Story(kit, "Otto Kraus")
    other.failed()
    browser = as_role("support")
    page = browser.get(f"/payments/{story.payment_id}")
    panel = page.one("#beside")
    assert panel.get("hx-trigger") == "load"
    assert words(panel.cssselect("a")[0]) == "Look at the customer"
    told_ = browser.get(str(panel.get("hx-get")), htmx="p#beside-told")
    assert words(told_.one("#beside-told")) == "1 payment, none returned"
    told_ = browser.get(f"{url(other)}/beside", htmx="p#beside-told")
    assert words(told_.one("#beside-told")) == "1 payment, 1 failed"
    assert browser.get(f"{url(other)}/beside", status=302).location == url(other)


def test_names_lead_to_the_customer_everywhere(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(120_00)
    browser = as_role("support")
    places = ["/payments", f"/payments/{story.payment_id}", f"/refunds/{refund_id}", "/work"]
    places += ["/invoices", f"/invoices/{story.invoice_id}", "/search?q=brandt", "/contracts"]
    places += [f"/contracts/{story.contract_id}"]
    for place in places:
        assert browser.get(place).select(f"a[href='{url(story)}']"), place
    places = [f"/payments/{story.payment_id}", f"/refunds/{refund_id}", "/payments"]
    places += [f"/invoices/{story.invoice_id}", f"/search?q={story.contract_number}", url(story)]
    for place in places:
        assert browser.get(place).select(f"a[href='/contracts/{story.contract_id}']"), place


def test_pages_ask_little(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    browser = as_role("support")
    for page, limit in {"/customers": 2, url(story): 4, f"{url(story)}/beside": 0}.items():
        browser.client.get(page)
        with asked() as sent:
            browser.client.get(page)
        written = [one for one in sent if one.lstrip().startswith("INSERT INTO audit")]
        assert len(written) <= 1
        assert len(sent) <= limit, f"{page}:\n" + "\n".join(sent)
    assert CUSTOMER.indexes
