"""Exports and the data browser in a real browser: the progress page follows by itself, works
without script, and axe finds nothing in both themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from jobs.runs import export
from tests.readmodels.kit import Following, Story
from tests.ui.conftest import Opener

Axe = Callable[[Page], list[str]]
SCREENS = ("/data/", "/data/payment/", "/data/stream_event/details/?id=1", "/exports")


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        Story(following)
        yield following


def write(app: Flask, shown: Page) -> None:
    export.carry_out(app.extensions["kontor"].database, UUID(shown.url.rpartition("/")[2]))


def test_the_page_of_an_export_follows_by_itself(
    app: Flask, kit: Following, page: Opener, axe: Axe
) -> None:
    shown = page("/payments", role="support")
    shown.get_by_role("button", name="Export CSV").click()
    expect(shown.get_by_role("heading", level=1)).to_have_text("Export Payments")
    expect(shown.get_by_role("status").first).to_contain_text("It waits for its turn")
    assert axe(shown) == []
    write(app, shown)
    download = shown.get_by_role("link", name="Download the file")
    expect(download).to_be_visible()
    with shown.expect_download() as started:
        download.click()
    assert started.value.suggested_filename.startswith("payments-")
    assert axe(shown) == []


def test_it_works_without_script(app: Flask, kit: Following, page: Opener) -> None:
    shown = page("/payments", role="support", javascript=False)
    shown.get_by_role("button", name="Export CSV").click()
    write(app, shown)
    shown.get_by_role("link", name="Look again").click()
    expect(shown.get_by_role("link", name="Download the file")).to_be_visible()


def test_a_filter_of_the_data_browser_without_script(kit: Following, page: Opener) -> None:
    shown = page("/data/payment/", role="auditor", javascript=False)
    shown.get_by_label("Column").select_option("status_equals")
    shown.get_by_label("Value").fill("nothing")
    shown.get_by_role("button", name="Filter list").click()
    expect(shown.get_by_text("No row fits these filters")).to_be_visible()
    shown.get_by_role("link", name="remove").click()
    expect(shown.locator("#rows tr")).to_have_count(1)


def test_axe_finds_nothing(kit: Following, page: Opener, axe: Axe) -> None:
    for screen in SCREENS:
        assert axe(page(screen, role="auditor")) == [], screen
