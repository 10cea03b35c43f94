"""Search in the browser's eyes: what is found is grouped, counted and linked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from domain.payments.events import Reason
from domain.readmodels import search
from tests.pages import AsRole, Page, words
from tests.readmodels.kit import Following, Story


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def groups(page: Page) -> list[str]:
    return [words(heading) for heading in page.select("#results caption")]


def links(page: Page) -> list[str]:
    return [str(link.get("href")) for link in page.select("#results th a")]


def test_nothing_typed_nothing_found(kit: Following, as_role: AsRole) -> None:
    browser = as_role("support")
    assert "What are you looking for?" in browser.get("/search").text
    page = browser.get("/search?q=nobody")
    assert "Nothing fits" in page.text
    assert page.one("#search-text").get("value") == "nobody"


def test_everything_of_a_name_with_links(kit: Following, as_role: AsRole) -> None:
    story = Story(kit, "Jörg Müller")
    story.confirmed()
    refund_id = story.refund(49_90)
    browser = as_role("support")
    page = browser.get("/search?q=muell")
    assert groups(page) == [
        "Customers 1",
        "Contracts 1",
        "Invoices 1",
        "Corrections 1",
        "Payments 1",
        "Refunds 1",
    ]
    assert f"/customers/{story.customer_id}" in links(page)
    assert f"/contracts/{story.contract_id}" in links(page)
    assert f"/payments/{story.payment_id}" in links(page)
    assert f"/refunds/{refund_id}" in links(page)
    for link in links(page):
        browser.get(link)


def test_amounts_and_the_question_about_them(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(49_90, Reason.GOODWILL)
    browser = as_role("auditor")
    assert links(browser.get("/search?q=49,90")) == [f"/refunds/{refund_id}"]
    page = browser.get("/search?q=1.234")
    assert "Do you mean 1.234,00 € or 1,23 €?" in words(page.one(".note"))


def test_typing_gets_only_the_results(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    page = as_role("support").get("/search?q=brandt", htmx="div#results")
    assert "Nadia Brandt" in page.text
    assert "<h1" not in page.html


def test_long_groups_are_cut_and_counted(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        Story(kit)
    monkeypatch.setattr(search, "GROUP_SIZE", 2)
    assert groups(as_role("support").get("/search?q=brandt"))[0] == "Customers 2 of 3"


def test_no_text_breaks_it(kit: Following, as_role: AsRole) -> None:
    browser = as_role("support")
    for text in ("%27", "%F0%9F%92%B6", "%00", "a%26b%7C%21", "%FF%FE", "x" * 3000):
        browser.get(f"/search?q={text}")


def test_admins_do_not_search(kit: Following, as_role: AsRole) -> None:
    as_role("admin").get("/search?q=x", status=403)
