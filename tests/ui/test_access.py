"""Logging in with the second factor, proving it again in a dialog, and two admins: as people do it
in a browser, in both themes, without anything for axe to find."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.ui.conftest import Opener
from tests.webapp.authenticator import code_of, let_pass
from webapp.access import second_factor, sessions
from webapp.models import db

pytestmark = pytest.mark.browser
Axe = Callable[[Page], list[str]]


def test_the_tour_logs_in_with_two_clicks(page: Opener, axe: Axe) -> None:
    login = page("/login")
    login.get_by_role("button", name="Log in as Eva").click()
    expect(login.locator("h1")).to_have_text("Second step")
    assert axe(login) == []
    login.get_by_role("button", name="Log in", exact=True).click()
    expect(login.locator(".who-am-i")).to_contain_text("Eva Lorenz")
    login.goto("/account")
    assert axe(login) == []


def test_the_first_login_shows_a_square_and_the_codes_once(
    page: Opener, axe: Axe, app: Flask
) -> None:
    with app.app_context():
        second_factor.clear("stf_eva")
        db.session.commit()
    login = page("/login")
    login.get_by_role("button", name="Log in as Eva").click()
    expect(login.locator("img")).to_have_js_property("complete", True)
    assert login.evaluate("document.querySelector('img').naturalWidth") > 100
    assert axe(login) == []
    login.locator("#code").fill("000000")
    login.get_by_role("button", name="Set up and log in").click()
    expect(login.get_by_role("alert")).to_be_visible()
    assert axe(login) == []
    text = login.locator("p .id").inner_text().replace(" ", "")
    with app.app_context():
        secret = base64.b32decode(text)
        code = second_factor.code_at(secret, second_factor.now_step())
    login.locator("#code").fill(code)
    login.get_by_role("button", name="Set up and log in").click()
    expect(login.locator("li.id")).to_have_count(second_factor.RECOVERY_CODES)
    assert axe(login) == []
    login.get_by_role("link", name="I have kept them, go on").click()
    expect(login.locator(".who-am-i")).to_contain_text("Eva Lorenz")


def test_two_admins_and_the_question_who_is_there(page: Opener, axe: Axe, app: Flask) -> None:
    ben = page("/staff", role="ben")
    ben.get_by_role("link", name="New account…").click()
    assert axe(ben) == []
    ben.locator("#name").fill("Nora Ek")
    ben.locator("#login").fill("nora")
    ben.locator("#role").select_option("finance")
    let_pass(app, "staff_session", proved_at=sessions.FRESH_FOR)
    ben.get_by_role("button", name="Propose account").click()
    expect(ben.locator("dialog h2")).to_have_text("Is it you?")
    expect(ben.locator("#proof_password")).to_be_focused()
    assert axe(ben) == []
    ben.locator("#proof_password").fill("hafenlicht-ben")
    ben.locator("#proof_code").fill(code_of(app, "ben"))
    ben.get_by_role("button", name="It is me, go on").click()
    expect(ben.locator("#waiting")).to_contain_text("New account for Nora Ek")
    assert axe(ben) == []
    kai = page("/staff", role="kai")
    kai.get_by_role("link", name="Decide…").click()
    expect(kai.locator("dialog h2")).to_contain_text("Nora Ek")
    assert axe(kai) == []
    kai.get_by_role("button", name="Open account", exact=True).click()
    expect(kai.locator("#link")).to_be_visible()
    assert axe(kai) == []
    nora = page(kai.locator("#link").input_value())
    expect(nora.locator("h1")).to_have_text("Set your password")
    assert axe(nora) == []
