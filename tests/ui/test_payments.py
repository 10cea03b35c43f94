"""Payments, refunds and search in a real browser: axe in both themes with data, the dialog with its
live preview, polling that does not disturb, and everything without JavaScript."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from domain.payments import commands as pay
from domain.payments.events import Reason
from domain.readmodels import lists
from tests.readmodels.kit import Following, Story
from tests.ui.conftest import Opener

pytestmark = pytest.mark.browser
Axe = Callable[[Page], list[str]]
POSSIBLE = datetime.fromisoformat("2026-12-09T09:00:00+00:00")


@pytest.fixture
def kit(app: Flask, site: str) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


@pytest.fixture
def story(kit: Following) -> Story:
    told = Story(kit)
    told.confirmed()
    kit.at(POSSIBLE)
    return told


def look(page: Page, name: str) -> None:
    """Keeps a picture where `KONTOR_PICTURES` says."""
    if folder := os.environ.get("KONTOR_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def lost_answer(kit: Following, story: Story) -> None:
    story.rendered()
    ids = {"payment_id": story.payment_id}
    kit.do(pay.SubmitPayment(by="worker", mandate_id=story.mandate_id, key="k", **ids))
    kit.do(pay.RecordPaymentUnknown(by="worker", why="timeout", **ids))
    kit.settle()


def test_nothing_for_axe_with_data(page: Opener, axe: Axe, kit: Following) -> None:
    names = ("Nadia Brandt", "Otto Kraus", "Uwe Ott", "Ida Ott")
    story, returned, unknown, failed = (Story(kit, name) for name in names)
    failed.failed()
    lost_answer(kit, unknown)
    returned.rendered()
    story.confirmed()
    returned.confirmed()
    returned.returned()
    small = story.refund(49_90)
    large = story.refund(120_00, Reason.GOODWILL)
    story.refund_sent(small)
    seen = page("/payments", role="finance")
    paths = {
        "list": "/payments",
        "empty": "/payments?customer=nobody",
        "unclear": "/payments?amount=1.234",
        "payment": f"/payments/{story.payment_id}",
        "unknown": f"/payments/{unknown.payment_id}",
        "returned": f"/payments/{returned.payment_id}",
        "failed": f"/payments/{failed.payment_id}",
        "refund-page": f"/payments/{story.payment_id}/refund",
        "refund": f"/refunds/{large}",
        "approve": f"/refunds/{large}/approve",
        "reject": f"/refunds/{large}/reject",
        "iban": f"/payments/{story.payment_id}/iban",
        "search": "/search?q=brandt",
        "search-nothing": "/search?q=zzz",
    }
    for width in (1360, 900, 400):
        seen.set_viewport_size({"width": width, "height": 900})
        for name, path in paths.items():
            seen.goto(path)
            look(seen, f"{name}-{width}")
            if width != 900:
                assert axe(seen) == [], f"{path} at {width}"
            wide = seen.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} scrolls sideways at {width}"


def test_the_dialog_previews_while_somebody_types(
    page: Opener, axe: Axe, kit: Following, story: Story
) -> None:
    seen = page(f"/payments/{story.payment_id}", role="support")
    seen.get_by_role("link", name="Request refund…").click()
    dialog = seen.locator("dialog[open]")
    expect(dialog.locator("#amount")).to_be_focused()
    expect(dialog.get_by_text("Choose a reason to see")).to_be_visible()
    dialog.get_by_label("Premium reduction").check()
    expect(dialog.get_by_role("button", name="Request refund of 238,00")).to_be_visible()
    expect(dialog.get_by_text("A second person has to approve")).to_be_visible()
    dialog.locator("#amount").fill("1.234")
    expect(dialog.locator("#amount-error")).to_contain_text("Do you mean")
    expect(dialog.get_by_text("Do you mean 1.234,00")).to_be_visible()
    dialog.locator("#amount").fill("49,90")
    expect(dialog.locator("#amount-error")).to_be_empty()
    expect(dialog.get_by_role("button", name="Request refund of 49,90")).to_be_visible()
    expect(dialog.locator("#amount")).to_be_focused()
    dialog.locator("#note").fill("The bicycle was sold.")
    look(seen, "dialog")
    assert axe(seen) == []
    dialog.get_by_role("button", name="Request refund of 49,90").click()
    expect(seen.locator(".toast")).to_contain_text("Refund requested.")
    expect(seen.locator(".line")).to_contain_text("Refund of 49,90")
    look(seen, "after")
    assert axe(seen) == []


def test_what_moved_is_shown_in_the_dialog(
    page: Opener, axe: Axe, kit: Following, story: Story
) -> None:
    seen = page(f"/payments/{story.payment_id}", role="support")
    seen.get_by_role("link", name="Request refund…").click()
    dialog = seen.locator("dialog[open]")
    dialog.locator("#amount").fill("60")
    dialog.get_by_label("Goodwill").check()
    button = dialog.get_by_role("button", name="Request refund of 60,00")
    expect(button).to_be_visible()
    story.refund(60_00, Reason.GOODWILL)
    button.click()
    expect(dialog.get_by_text("Nothing was recorded")).to_be_visible()
    look(seen, "moved")
    assert axe(seen) == []
    dialog.get_by_role("button", name="Request refund of 60,00").click()
    expect(seen.locator(".toast")).to_contain_text("a second person decides")


def test_the_page_follows_without_disturbing(page: Opener, kit: Following, story: Story) -> None:
    seen = page(f"/payments/{story.payment_id}", role="support")
    seen.get_by_role("link", name="Request refund…").focus()
    story.refund(20_00, Reason.GOODWILL)
    expect(seen.locator(".line")).to_contain_text("Refund of 20,00", timeout=8_000)
    expect(seen.get_by_role("link", name="Request refund…")).to_be_focused()


def test_typing_filters_and_pages_follow_each_other(
    page: Opener, axe: Axe, kit: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE", 2)
    for name in ("Ida Ott", "Ada Ott", "Eva Kraus"):
        Story(kit, name)
    seen = page("/payments?sort=customer", role="support")
    expect(seen.locator("#rows th a")).to_have_count(2)
    seen.get_by_role("link", name="Next page").click()
    expect(seen.locator("#rows th a")).to_have_count(1)
    expect(seen.locator("#position")).to_contain_text("3–3 of 3")
    assert axe(seen) == []
    seen.get_by_role("link", name="Previous page").click()
    expect(seen.locator("#rows th a")).to_have_count(2)
    seen.locator("#f-customer").press_sequentially("kra")
    expect(seen.locator("#rows th a")).to_have_count(1)
    expect(seen.locator("#f-customer")).to_be_focused()
    expect(seen).to_have_url(re.compile(r"/payments\?customer=kra&sort=customer$"))


def test_several_states_are_ticked_and_kept_as_a_view(page: Opener, kit: Following) -> None:
    Story(kit, "Ida Ott").confirmed()
    Story(kit, "Ada Ott")
    seen = page("/payments", role="support")
    seen.locator("#f-status summary").click()
    # The words, as people do: the press moves the focus to `main`, which is around the choices.
    choices = seen.locator("#f-status label")
    choices.get_by_text("Confirmed", exact=True).click()
    expect(seen.locator("#rows th a")).to_have_count(1)
    expect(seen.locator("#f-status-chosen")).to_have_text("Confirmed")
    choices.get_by_text("Scheduled", exact=True).click()
    expect(seen.locator("#f-status-chosen")).to_have_text("2 chosen")
    expect(seen.locator("#rows th a")).to_have_count(2)
    seen.locator("h1").click()
    expect(choices.first).to_be_hidden()
    seen.locator("#f-amount").fill("1.234")
    expect(seen.locator("#e-amount")).to_contain_text("Do you mean")
    seen.locator("#f-amount").fill("238,00")
    expect(seen.locator("#e-amount")).to_be_empty()
    seen.get_by_role("link", name="Save view…").click()
    dialog = seen.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Mine")
    dialog.get_by_role("button", name="Save view").click()
    expect(seen.locator("#views [aria-current]")).to_have_text("Mine")


def test_search_finds_while_typing(page: Opener, kit: Following) -> None:
    for name in ("Ida Ott", "Ada Ott"):
        Story(kit, name)
    seen = page("/search", role="support")
    seen.locator("#search-text").press_sequentially("ott")
    expect(seen.get_by_text("Customers 2")).to_be_visible()


def test_without_javascript(page: Opener, kit: Following, story: Story) -> None:
    seen = page(f"/payments/{story.payment_id}", role="support", javascript=False)
    seen.get_by_role("link", name="Request refund…").click()
    seen.locator("#amount").fill("49,90")
    seen.get_by_label("Overpayment").check()
    seen.get_by_role("button", name="Show what would be recorded").click()
    seen.get_by_role("button", name="Request refund of 49,90").click()
    expect(seen.locator(".toast")).to_contain_text("Refund requested.")
