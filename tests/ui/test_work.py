"""Work and Invoices in a real browser: axe in both themes with data, dialogs and empty states; the
list that draws itself anew keeps what somebody marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from domain.kernel.ids import HOUSE, derive
from domain.readmodels import lists
from domain.work.commands import OpenCase, TakeCase, case_id
from domain.work.events import CaseType
from tests.readmodels.kit import BEGIN, Following, Story
from tests.ui.conftest import Opener

pytestmark = pytest.mark.browser
Axe = Callable[[Page], list[str]]


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def payout_case(kit: Following, name: str) -> str:
    subject = derive("po", HOUSE, name)
    case = case_id(CaseType.PAYOUT_DIFFERS, subject)
    kit.do(
        OpenCase(
            by="flow:settling",
            case_id=case,
            case_type=CaseType.PAYOUT_DIFFERS,
            subject=subject,
            amount=7_50,
            until=BEGIN.date(),
            details={"listed": "10000", "arrived": "9250"},
        )
    )
    kit.settle()
    return case


@pytest.fixture
def busy(kit: Following) -> tuple[Story, str]:
    """A refund that waits, a returned debit, a payout that differs."""
    story, other = Story(kit), Story(kit, "Meyer GmbH", 3)
    other.rendered()
    story.confirmed()
    other.confirmed()
    other.returned("AC04", "account_closed")
    story.refund(50_00)
    refund_id = story.refund(120_00)
    payout_case(kit, "a")
    return story, case_id(CaseType.REFUND_APPROVAL, refund_id)


def test_nothing_for_axe(busy: tuple[Story, str], page: Opener, axe: Axe) -> None:
    story, case = busy
    paths = ("/work", "/work?tab=mine", f"/work/{case}", f"/work/{case}/note")
    paths += ("/invoices", f"/invoices/{story.invoice_id}", "/invoices?q=nobody")
    shown = page("/work", role="operations")
    for path in (*paths, "/invoices?amount=1.234"):
        shown.goto(path)
        assert axe(shown) == [], path
    shown.goto("/work")
    shown.get_by_role("link", name="Explain…").click()
    expect(shown.get_by_role("dialog")).to_be_visible()
    assert axe(shown) == []
    shown.set_viewport_size({"width": 400, "height": 900})
    for path in ("/work", f"/invoices/{story.invoice_id}"):
        shown.goto(path)
        assert axe(shown) == [], path


def test_the_list_draws_itself_anew_and_keeps_what_was_marked(kit: Following, page: Opener) -> None:
    first = payout_case(kit, "a")
    work = page("/work", role="support")
    box = work.locator(f"#{first} input[type=checkbox]")
    box.check()
    expect(work.get_by_role("button", name="Take cases")).to_be_visible()
    second = payout_case(kit, "b")
    kit.do(TakeCase(by="staff:stf_jon", case_id=first))
    expect(work.locator(f"#{second}")).to_be_visible()
    expect(work.locator(f"#{first}")).to_contain_text("Jon Ott")
    expect(box).to_be_checked()
    third = payout_case(kit, "c")
    expect(work.locator(f"#{third}")).to_be_visible()


def test_marked_cases_are_taken_and_answered_row_by_row(kit: Following, page: Opener) -> None:
    for name in "ab":
        payout_case(kit, name)
    work = page("/work", role="support")
    work.get_by_role("checkbox", name="Select all").check()
    work.get_by_role("button", name="Take cases").click()
    dialog = work.get_by_role("dialog")
    expect(dialog.locator("tbody tr")).to_have_count(2)
    expect(dialog.locator(".chip.good")).to_have_count(2)
    work.keyboard.press("Escape")
    expect(work.locator("#cases :checked")).to_have_count(0)
    # What was done with them stands behind the dialog by now.
    work.locator("tbody [type=checkbox]").first.click()
    work.keyboard.press("j")
    work.keyboard.press("x")
    expect(work.locator("tbody :checked")).to_have_count(2)
    work.get_by_role("button", name="Take cases").click()
    dialog.get_by_role("link", name="Back to Work").click()
    expect(work.get_by_role("link", name="Mine 2")).to_be_visible()


def test_a_remark_closes_a_case_from_the_list(kit: Following, page: Opener) -> None:
    payout_case(kit, "a")
    work = page("/work", role="support")
    work.get_by_role("link", name="Explain…").click()
    dialog = work.get_by_role("dialog")
    remark = dialog.get_by_label("Remark")
    expect(remark).to_be_focused()
    remark.fill(" ")
    dialog.get_by_role("button", name="Close case").click()
    expect(dialog.get_by_role("alert")).to_contain_text("needs a remark")
    remark.fill("Stripe paid the rest.")
    dialog.get_by_role("button", name="Close case").click()
    expect(work.locator(".toast")).to_contain_text("The case is closed.")
    expect(work.locator(".line")).to_contain_text("Stripe paid the rest.")


def test_invoices_filter_while_typing_and_have_pages(
    kit: Following, page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE", 2)
    for name in ("Brandt", "Meyer", "Kraus"):
        Story(kit, name, 1)
    shown = page("/invoices", role="finance")
    expect(shown.locator("#rows tr")).to_have_count(2)
    shown.get_by_role("link", name="Last page").click()
    expect(shown.locator("#rows tr")).to_have_count(2)
    expect(shown.locator("#position")).to_contain_text("2–3 of 3")
    field = shown.get_by_label("Number, customer or contract")
    field.press_sequentially("mey")
    expect(shown.locator("#rows tr")).to_have_count(1)
    expect(field).to_be_focused()
    expect(shown).to_have_url(re.compile("q=mey"))
    expect(shown.locator("#export")).to_have_attribute("action", re.compile("q=mey"))


def test_what_is_done_with_the_selected_stays_in_sight_and_can_be_done_twice(
    kit: Following, page: Opener
) -> None:
    for name in ("Brandt", "Meyer", "Kraus"):
        Story(kit, name, 1)
    shown = page("/invoices", role="finance")
    shown.set_viewport_size({"width": 1360, "height": 400})
    button = shown.get_by_role("button", name="Download PDFs")
    expect(button).to_be_hidden()
    before = shown.evaluate("document.documentElement.scrollHeight")
    shown.locator("tbody [type=checkbox]").first.check()
    expect(button).to_be_in_viewport(ratio=1)
    assert shown.evaluate("document.documentElement.scrollHeight") == before
    for _ in range(2):
        with shown.expect_download():
            button.click()


def test_the_pdf_appears_by_itself(kit: Following, page: Opener) -> None:
    story = Story(kit)
    shown = page(f"/invoices/{story.invoice_id}", role="finance")
    expect(shown.locator("#file")).to_contain_text("The PDF is being made.")
    story.rendered()
    expect(shown.locator("#file")).to_contain_text("PDF SHA-256")


def test_without_javascript_everything_is_a_page(kit: Following, page: Opener) -> None:
    case = payout_case(kit, "a")
    work = page("/work", role="support", javascript=False)
    work.get_by_role("link", name="Explain…").click()
    assert work.url.endswith(f"/work/{case}/close")
    work.get_by_label("Remark").fill("Stripe paid the rest.")
    work.get_by_role("button", name="Close case").click()
    expect(work.locator(".toast")).to_contain_text("The case is closed.")
