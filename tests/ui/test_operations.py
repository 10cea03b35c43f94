"""Stream, Sandbox, Payouts and Statements in a real browser: axe in both themes, with things set
aside, with a dialog open, on error and when nothing is there; and the Clock's panel by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from config import Settings
from domain.operating import advancing
from domain.stream import clock
from tests.journeys.world import running_simulator
from tests.readmodels.aside import parked_effect, parked_stream, quarantined
from tests.readmodels.kit import Following, Story
from tests.ui.conftest import Opener
from tests.webapp.test_settlement import book, item, list_payout

pytestmark = pytest.mark.browser
Axe = Callable[[Page], list[str]]


@pytest.fixture
def kit(app: Flask) -> Following:
    return Following(app.extensions["kontor"])


@pytest.fixture
def busy(kit: Following) -> Following:
    """A house in which something of everything happened."""
    story = Story(kit)
    parked_effect(kit.kontor, "render")
    parked_stream(kit)
    quarantined(kit.kontor)
    list_payout(kit, "TRACE1", (item(story.payment_id), item(None, -20_00, 0)))
    book(kit, "S-1", ("TRACE1", 70_00), (None, 12_00))
    list_payout(kit, "TRACE2", (item(None),))
    return kit


@pytest.fixture
def simulator(settings: Settings) -> Iterator[None]:
    (settings.var / "bank").mkdir(parents=True, exist_ok=True)
    with running_simulator(settings) as control:
        control.ask("POST", "/seed", {"now": "2026-11-02T08:00:00+00:00"})
        yield


def addresses(kit: Following) -> list[str]:
    with kit.kontor.read() as connection:
        payouts = connection.execute("SELECT payout_id FROM read.settlement_payout").fetchall()
        statement = connection.execute("SELECT statement_id FROM read.settlement_statement")
        return [
            "/stream",
            "/stream?type=refund-settled",
            "/stream/4",
            "/system",
            "/payouts",
            *(f"/payouts/{payout}" for (payout,) in payouts),
            "/statements",
            *(f"/statements/{one}" for (one,) in statement),
            "/statements/upload",
        ]


def test_the_screens_have_no_barrier(busy: Following, page: Opener, axe: Axe) -> None:
    view = page("/stream", role="operations")
    found = {}
    for address in addresses(busy):
        view.goto(address)
        if address == "/stream":
            # What is set aside is told in a line; the events come first in sight.
            assert view.locator("form.filters").evaluate("one => one.offsetTop") < 300
            view.locator("summary", has_text="Set aside: ").click()
            expect(view.get_by_role("button", name="Release effect")).to_be_visible()
        found[address] = axe(view)
    assert not any(found.values()), found


def test_no_list_is_wider_than_its_window(busy: Following, page: Opener) -> None:
    lists = ("/work", "/customers", "/contracts", "/payments", "/refunds", "/invoices", "/payouts")
    lists += ("/statements", "/stream", "/system", "/data/payment/", "/exports")
    view = page("/work", role="auditor", width=1024)
    too_wide = {}
    for width in (1024, 1200):
        view.set_viewport_size({"width": width, "height": 900})
        for address in lists:
            view.goto(address)
            wide = view.evaluate("document.documentElement.scrollWidth - innerWidth")
            too_wide |= {(address, width): wide} if wide > 0 else {}
    assert too_wide == {}
    assert busy.kontor.now()


@pytest.mark.usefixtures("simulator")
def test_the_sandbox_has_no_barrier(busy: Following, page: Opener, axe: Axe) -> None:
    view = page("/sandbox", role="lead")
    assert axe(view) == []
    view.get_by_role("link", name="Set faults…").click()
    expect(view.get_by_role("dialog")).to_be_visible()
    assert axe(view) == []
    view.get_by_label("Let debits fail").fill("many")
    view.get_by_role("button", name="Set faults").click()
    expect(view.get_by_role("alert")).to_contain_text("Enter a whole number")
    assert axe(view) == []
    assert busy.kontor.now()


def test_empty_screens_have_no_barrier(kit: Following, page: Opener, axe: Axe) -> None:
    view = page("/stream", role="finance")
    for address in ("/stream", "/payouts", "/statements", "/sandbox"):
        view.goto(address)
        assert axe(view) == [], address
    assert kit.kontor.now()


def test_the_panel_follows_the_clock(kit: Following, page: Opener) -> None:
    view = page("/sandbox", role="support")
    view.get_by_role("button", name="Move by 14 days").click()
    panel = view.locator("#clock")
    expect(panel).to_contain_text("Step 0 on the way to 16.11.2026 09:00")
    with kit.kontor.read() as connection:
        move = advancing.under_way(connection)
        assert move is not None
        clock.move(connection, move.started_from + timedelta(days=7))
        advancing.progress(connection, move.id, 5)
        expect(panel).to_contain_text("Step 5 on the way")
        expect(panel.get_by_role("progressbar")).to_have_attribute("value", "50")
        clock.move(connection, move.target)
        advancing.end(connection, move.id, "done")
    expect(panel).to_contain_text("16.11.2026 09:00")
    expect(panel).to_contain_text("The last move took 5 steps.")
    expect(panel.get_by_role("button", name="Move by 14 days")).to_be_visible()


def test_an_upload_from_the_dialog(kit: Following, page: Opener) -> None:
    view = page("/statements", role="finance")
    view.get_by_role("link", name="Upload statement…").click()
    wrong = {"name": "list.csv", "mimeType": "text/csv", "buffer": b"a;b"}
    view.get_by_label("Statement file").set_input_files(wrong)
    view.get_by_role("button", name="Upload statement").click()
    expect(view.get_by_role("alert")).to_contain_text("This is no XML file.")
    right = {"name": "statement.xml", "mimeType": "text/xml", "buffer": b"<Document/>"}
    view.get_by_label("Statement file").set_input_files(right)
    view.get_by_role("button", name="Upload statement").click()
    expect(view.get_by_role("status")).to_contain_text("received and is being read")
    assert kit.kontor.now()
