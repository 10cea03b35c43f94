"""The own account: password, second factor for who wants one, recovery codes, other browsers."""

from __future__ import annotations

import base64

from flask import Flask

from tests.pages import AsRole, Page, PageClient, log_in_as, words
from tests.webapp.authenticator import code_step, password_step
from tests.webapp.test_login import try_login
from webapp.access import second_factor

GOOD = {"new_password": "a long and odd pass phrase", "again": "a long and odd pass phrase"}


def test_everybody_sees_their_own_account(as_role: AsRole) -> None:
    page = as_role("support").get("/account")
    assert page.h1 == "Your account"
    assert "Mia Aydin" in page.text
    assert "logged in nowhere else" in page.text
    assert "recovery codes left" in as_role("lead").get("/account").text


def test_a_new_password_logs_out_everywhere(
    app: Flask, as_role: AsRole, anonymous: PageClient
) -> None:
    mia, elsewhere = as_role("support"), as_role("support")
    for form, sentence in (
        ({"new_password": "short", "again": "short"}, "at least 12 characters"),
        ({**GOOD, "again": "x"}, "not the same password"),
        ({"new_password": "mia-mia-mia-1234", "again": "mia-mia-mia-1234"}, "too easy"),
    ):
        assert sentence in mia.post("/account/password", form, status=422).text
    saved = mia.post("/account/password", GOOD).location
    assert "Your password is saved. Log in with it." in anonymous.get(saved).text
    for browser in (mia, elsewhere):
        browser.get("/account", status=303)
    assert "wrong" in try_login(anonymous, "mia", "hafenlicht-mia")
    assert try_login(anonymous, "mia", GOOD["new_password"], 303) == ""


def test_support_may_switch_a_second_factor_on_and_off(
    app: Flask, as_role: AsRole, anonymous: PageClient
) -> None:
    mia = as_role("support")
    page = mia.get("/account/factor")
    wrong = mia.post("/account/factor", {**_candidate(page), "code": "000000"}, status=422)
    assert _candidate(wrong).keys() == {"candidate"}
    secret = base64.b32decode(words(page.select("p .id")[0]).replace(" ", ""))
    with app.app_context():
        code = second_factor.code_at(secret, second_factor.now_step())
    done = mia.post("/account/factor", {**_candidate(page), "code": code}, status=200)
    recovery = [words(one) for one in done.select("li.id")]
    assert password_step(anonymous, "mia") == "/login/code"
    assert code_step(anonymous, recovery[0]) == "/"
    mia.post("/account/factor/off")
    assert "switched off" in words(mia.get("/account").one(".toast"))
    assert password_step(PageClient(app, app.test_client()), "mia") == "/"


def test_who_needs_one_cannot_switch_it_off(as_role: AsRole) -> None:
    eva = as_role("lead")
    assert not eva.get("/account").select("form[action$='/off']")
    eva.post("/account/factor/off", status=403)


def test_a_secret_of_another_session_is_not_taken(app: Flask, as_role: AsRole) -> None:
    planted = _candidate(as_role("support").get("/account/factor"))
    jon = as_role("operations")
    page = jon.post("/account/factor", {**planted, "code": "123456"}, status=422)
    assert _candidate(page) != planted


def test_other_browsers_are_logged_out(app: Flask, as_role: AsRole) -> None:
    mia, elsewhere = as_role("support"), as_role("support")
    other = log_in_as(app, "jon")
    assert "1 other browser" in mia.get("/account").text
    mia.post("/account/sessions/end")
    assert "1 other session ended" in words(mia.get("/account").one(".toast"))
    elsewhere.get("/account", status=303)
    other.get("/account")


def _candidate(page: Page) -> dict[str, str]:
    return {"candidate": str(page.one("input[name=candidate]").get("value"))}
