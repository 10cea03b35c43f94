"""German in a real browser: the switch on the login page and inside, with and without JavaScript,
and longer words that still fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.readmodels.kit import Following, Story
from tests.ui.conftest import Opener

pytestmark = pytest.mark.browser
Axe = Callable[[Page], list[str]]


@pytest.mark.parametrize("javascript", [True, False])
def test_the_switch(page: Opener, javascript: bool) -> None:
    login = page("/login", javascript=javascript)
    login.get_by_role("button", name="Deutsch").click()
    expect(login.get_by_role("heading", name="Anmelden")).to_be_visible()
    login.get_by_role("button", name="Als Mia anmelden").click()
    expect(login.get_by_role("button", name="Abmelden")).to_be_visible()
    login.goto("/search?q=x")
    login.get_by_role("button", name="English").click()
    expect(login.get_by_role("button", name="Log out")).to_be_visible()
    assert login.url.endswith("/search?q=x")
    expect(login.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")


def test_german_has_no_barrier_and_fits(app: Flask, page: Opener, axe: Axe) -> None:
    story = Story(Following(app.extensions["kontor"]), "Wilhelmine Übersee-Großmann")
    story.confirmed()
    story.returned()
    view = page("/work", role="lead")
    view.get_by_role("button", name="Deutsch").click()
    payment, invoice = f"/payments/{story.payment_id}", f"/invoices/{story.invoice_id}"
    for path in ("/work", "/payments", payment, "/invoices", invoice, "/stream", "/nirgends"):
        view.goto(path)
        expect(view.locator("html")).to_have_attribute("lang", "de")
        for width in (1360, 900, 400):
            view.set_viewport_size({"width": width, "height": 900})
            assert view.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        assert axe(view) == [], path
