"""The base in a real browser: both themes, dialog and focus, keys, toasts, narrow and without
JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Opener

pytestmark = pytest.mark.browser
Axe = Callable[[Page], list[str]]


def test_nothing_for_axe_on_any_base_page(page: Opener, axe: Axe) -> None:
    login = page("/login")
    assert axe(login) == []
    login.locator("#login").fill("nobody")
    login.locator("#password").fill("wrong")
    login.get_by_role("button", name="Log in", exact=True).click()
    expect(login.get_by_role("alert")).to_be_visible()
    assert axe(login) == []
    style = page("/style", role="admin")
    assert axe(style) == []
    assert style.evaluate("scrollY") == 0
    style.keyboard.press("?")
    expect(style.locator("#keys")).to_be_visible()
    assert axe(style) == []
    for path in ("/staff", "/style/dialog", "/nothing"):
        style.goto(path)
        assert axe(style) == []
    style.set_viewport_size({"width": 400, "height": 900})
    style.goto("/style")
    assert axe(style) == []


def test_the_dialog_opens_keeps_errors_and_gives_the_focus_back(page: Opener, axe: Axe) -> None:
    style = page("/style", role="lead")
    opener = style.get_by_role("link", name="Open dialog…")
    opener.focus()
    style.keyboard.press("Enter")
    dialog = style.locator("dialog[open]")
    expect(dialog.get_by_role("heading", name="Write a remark")).to_be_visible()
    expect(dialog.locator("#remark")).to_be_focused()
    assert axe(style) == []
    dialog.get_by_role("button", name="Save remark").click()
    expect(dialog.locator(".errors")).to_be_focused()
    assert axe(style) == []
    style.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    assert style.url.endswith("/style")


def test_a_command_in_a_dialog_ends_with_a_toast(page: Opener) -> None:
    staff = page("/staff", role="admin")
    row = staff.locator("tr", has_text="Mia Aydin")
    row.get_by_role("link", name="Change…").click()
    staff.locator("dialog").get_by_text("Disable", exact=True).click()
    staff.get_by_role("button", name="Propose change").click()
    expect(staff.locator(".toast")).to_contain_text("Proposed: Disable the account of Mia Aydin.")
    expect(staff.locator("#waiting")).to_contain_text("Disable the account of Mia Aydin")


def test_colours_change_without_a_reload_and_stay(page: Opener) -> None:
    style = page("/style", role="lead")
    style.locator("#memo").fill("kept")
    background = "getComputedStyle(document.body).backgroundColor"
    before = style.evaluate(background)
    style.get_by_role("button", name="Dark").click()
    expect(style.locator("html")).to_have_attribute("data-theme", "dark")
    assert style.evaluate(background) != before
    expect(style.locator("#memo")).to_have_value("kept")
    style.goto("/style")
    expect(style.locator("html")).to_have_attribute("data-theme", "dark")


def test_keys_move_in_lists_and_can_be_switched_off(page: Opener) -> None:
    staff = page("/staff", role="admin")
    staff.keyboard.press("j")
    staff.keyboard.press("j")
    rows = staff.locator("[data-list] > tr")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    staff.keyboard.press("k")
    expect(rows.nth(0)).to_have_attribute("aria-selected", "true")
    staff.keyboard.press("?")
    expect(staff.locator("#keys")).to_be_visible()
    staff.get_by_role("button", name="Switch single keys off").click()
    staff.keyboard.press("j")
    expect(staff.locator("[aria-selected]")).to_have_count(0)


def test_keys_never_fire_while_somebody_types(page: Opener) -> None:
    style = page("/style", role="lead")
    style.locator("#memo").focus()
    style.keyboard.type("j?k")
    expect(style.locator("#memo")).to_have_value("j?k")
    expect(style.locator("#keys")).to_be_hidden()


@pytest.mark.parametrize("width", [400, 900, 1360])
def test_no_page_is_wider_than_its_window(page: Opener, width: int) -> None:
    style = page("/style", role="admin", width=width)
    for path in ("/style", "/staff", "/login", "/style/dialog"):
        style.goto(path)
        assert style.evaluate("document.documentElement.scrollWidth") <= width, path


def test_everything_works_without_javascript(page: Opener) -> None:
    staff = page("/staff", role="admin", javascript=False)
    staff.locator("tr", has_text="Uwe Petersen").get_by_role("link").click()
    expect(staff.locator("h1")).to_have_text("Change the account of Uwe Petersen")
    staff.get_by_text("Disable", exact=True).click()
    staff.get_by_role("button", name="Propose change").click()
    expect(staff.locator(".toast")).to_contain_text("Disable the account of Uwe Petersen")
    staff.get_by_role("button", name="Dark").click()
    expect(staff.locator("html")).to_have_attribute("data-theme", "dark")
    staff.get_by_role("button", name="Log out").click()
    expect(staff.locator("h1")).to_have_text("Log in")


def test_print_is_light_and_leaves_the_frame_out(page: Opener) -> None:
    style = page("/style", theme="dark", role="lead")
    style.emulate_media(media="print", color_scheme="dark")
    assert (
        style.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(20, 24, 29)"
    )
    expect(style.locator(".side")).to_be_hidden()
    expect(style.locator(".top")).to_be_hidden()


def test_a_printed_list_says_what_it_shows_and_may_break(page: Opener) -> None:
    style = page("/style?status=confirmed&status=returned&from=2026-11-01", role="lead")
    style.emulate_media(media="print")
    expect(style.locator("#told")).to_have_text("State: Confirmed, Returned; From: 01.11.2026")
    expect(style.locator("#told")).to_be_visible()
    expect(style.locator("#position")).to_be_visible()
    expect(style.locator("#results [type=checkbox] >> visible=true")).to_have_count(0)
    expect(style.locator("#results button >> visible=true")).to_have_count(0)
    card = style.locator("#results > .card")
    assert card.evaluate("one => getComputedStyle(one).breakInside") == "auto"


def test_the_policy_stops_injected_script(page: Opener) -> None:
    style = page("/style", role="lead")
    style.evaluate(
        "document.querySelector('main').innerHTML ="
        " '<img src=x onerror=\"window.hacked = 1\"><a href=/style>x</a>'"
    )
    style.wait_for_timeout(200)
    assert style.evaluate("window.hacked") is None
    assert any("Content Security Policy" in error for error in page.errors)
    page.errors.clear()
