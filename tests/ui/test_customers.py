"""Customers and contracts in a real browser: axe in both themes, no page wider than its window,
older events behind the last one, and the panel beside a payment that survives polling."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from domain.readmodels import timelines
from tests.readmodels.kit import Following, Story
from tests.ui.conftest import Opener

pytestmark = pytest.mark.browser
Axe = Callable[[Page], list[str]]
LONG = "Hausrat mit allen Bausteinen " * 5


@pytest.fixture
def kit(app: Flask, site: str) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


@pytest.fixture
def story(kit: Following) -> Story:
    told = Story(kit, f"Freiherr von {LONG}")
    told.confirmed()
    told.refund(120_00)
    return told


def test_nothing_for_axe_and_nothing_too_wide(page: Opener, axe: Axe, story: Story) -> None:
    customer, contract = f"/customers/{story.customer_id}", f"/contracts/{story.contract_id}"
    for path in (customer, contract, "/customers", "/contracts"):
        opened = page(path, role="auditor")
        assert axe(opened) == [], path
        for width in (400, 900, 1100):
            opened.set_viewport_size({"width": width, "height": 900})
            wide = opened.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} at {width}"
            if width == 400:
                assert axe(opened) == [], f"{path} at {width}"


def test_older_events_come_behind_the_last_one(
    page: Opener, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "PAGE", 4)
    opened = page(f"/customers/{story.customer_id}", role="support")
    lines = opened.locator("#happened > li")
    newest = lines.first.inner_text()
    expect(lines).to_have_count(4)
    opened.get_by_role("link", name="More", exact=True).click()
    expect(lines).to_have_count(8)
    assert lines.first.inner_text() == newest
    opened.get_by_role("link", name="Invoices", exact=True).last.click()
    expect(opened).to_have_url(f"{page.site}/customers/{story.customer_id}?show=invoices#history")


def test_the_panel_beside_a_payment_survives_polling(
    page: Opener, kit: Following, story: Story
) -> None:
    opened = page(f"/payments/{story.payment_id}", role="support")
    told = opened.locator("#beside-told")
    expect(told).to_have_text("1 payment, none returned")
    story.returned()
    expect(opened.locator(".head .chip").first).to_have_text("Returned")
    expect(told).to_contain_text("1 payment, ")
    told.get_by_role("link").click()
    expect(opened.locator("#rows tr")).to_have_count(1)


def test_without_javascript(page: Opener, story: Story) -> None:
    opened = page(f"/payments/{story.payment_id}", role="finance", javascript=False)
    opened.get_by_role("link", name="Look at the customer").click()
    opened.get_by_role("link", name="Show the full IBAN…").click()
    expect(opened.get_by_role("heading", level=1)).to_contain_text("IBAN of the mandate")
    opened.get_by_role("link", name="Back").click()
    expect(opened.get_by_role("heading", level=1)).to_contain_text("Contract")
