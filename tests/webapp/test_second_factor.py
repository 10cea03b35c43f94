"""The second step of the login: codes once and only around now, few guesses, recovery codes once,
set-up on the first login, and a half-open login that opens nothing else."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.addresses import made_up
from tests.pages import AsRole, PageClient, log_in_as
from tests.webapp.authenticator import (
    code_of,
    code_step,
    forget_used_codes,
    let_pass,
    password_step,
)
from webapp.access import half_open, second_factor, security
from webapp.access.permissions import HALF_OPEN, MACHINE, PUBLIC, act_of
from webapp.models import Audit, HalfLogin, RecoveryCode, Staff, StaffSession, db

WRONG = "This code is wrong, too old, or was used already. Wait for the next one."


@pytest.mark.parametrize(
    ("seconds", "code"),
    # RFC 6238, appendix B, SHA-1, its last six digits.
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    step = seconds // second_factor.STEP_SECONDS
    assert second_factor.code_at(b"12345678901234567890", step) == code


def test_two_steps_lead_to_where_the_person_was(app: Flask, anonymous: PageClient) -> None:
    assert password_step(anonymous, "eva", next="/account?x=1") == "/login/code?next=/account?x%3D1"
    page = anonymous.get("/login/code?next=/account?x%3D1")
    assert page.h1 == "Second step"
    token = page.select("input[name=csrf_token]")[0].get("value")
    back = page.one("input[name=next]").get("value")
    form = {"code": code_of(app, "eva"), "next": back}
    assert anonymous.post("/login/code", form, csrf=token).location == "/account?x=1"
    anonymous.get("/account")
    with app.app_context():
        rows = db.session.scalars(select(Audit).order_by(Audit.id)).all()
        assert [(row.act, row.outcome, row.staff_id) for row in rows] == [
            ("login", "allowed", "stf_eva")
        ]
        assert not db.session.scalars(select(HalfLogin)).all()


def test_support_needs_no_second_step(anonymous: PageClient) -> None:
    assert password_step(anonymous, "mia") == "/"


def test_the_sandbox_shows_the_code_of_its_own_people_only(
    app: Flask, anonymous: PageClient
) -> None:
    password_step(anonymous, "eva")
    field = anonymous.get("/login/code").one("#code")
    assert field.get("value") == code_of(app, "eva")
    with app.app_context():
        eva = db.session.get_one(Staff, "stf_eva")
        second_factor.keep(eva, b"another secret than the sandbox's")
        db.session.commit()
    page = anonymous.get("/login/code")
    assert "Sandbox" not in page.text
    assert page.one("#code").get("value") == ""


def test_a_half_open_login_opens_nothing_but_the_second_step(
    app: Flask, anonymous: PageClient
) -> None:
    password_step(anonymous, "ben")
    for rule in app.url_map.iter_rules():
        if act_of(app, rule.endpoint) in (PUBLIC, MACHINE, HALF_OPEN):
            continue
        for method in sorted(rule.methods or ()):
            answer = anonymous.client.open(made_up(rule), method=method)
            assert answer.status_code == 303, (method, rule.rule)
            assert answer.headers["Location"].startswith("/login"), (method, rule.rule)


def test_the_second_step_is_shut_for_everybody_else(anonymous: PageClient, as_role: AsRole) -> None:
    for browser in (anonymous, as_role("lead")):
        for path in ("/login/code", "/login/setup"):
            assert browser.get(path, status=303).location.startswith("/login")
            assert browser.post(path, {"code": "1"}).location.startswith("/login")


def test_the_session_id_changes_at_each_step(app: Flask, anonymous: PageClient) -> None:
    """Fixation: what was in the browser before a step opens nothing after it."""
    settings = app.extensions["kontor.settings"]
    name = security.cookie_name("session", settings)
    anonymous.client.set_cookie(name, "planted" * 7)
    seen = ["planted" * 7]
    password_step(anonymous, "eva")
    seen.append(anonymous.client.get_cookie(name).value)
    code_step(anonymous, code_of(app, "eva"))
    seen.append(anonymous.client.get_cookie(name).value)
    assert len(set(seen)) == 3
    for old in seen[:2]:
        copy = app.test_client()
        copy.set_cookie(name, old)
        assert copy.get("/account").status_code == 303
        assert copy.get("/login/code").headers["Location"].startswith("/login?")


def test_a_code_works_once(app: Flask, anonymous: PageClient) -> None:
    code = code_of(app, "eva")
    password_step(anonymous, "eva")
    code_step(anonymous, code)
    second = PageClient(app, app.test_client())
    password_step(second, "eva")
    assert code_step(second, code, 422) == WRONG
    assert code_step(second, code_of(app, "eva", 1)) == "/"
    third = PageClient(app, app.test_client())
    password_step(third, "eva")
    assert "half a minute" in third.get("/login/code").text


def test_without_the_used_step_a_code_would_work_twice(app: Flask, anonymous: PageClient) -> None:
    """The protection switched off: the same attack succeeds."""
    code = code_of(app, "eva")
    password_step(anonymous, "eva")
    code_step(anonymous, code)
    forget_used_codes(app)
    second = PageClient(app, app.test_client())
    password_step(second, "eva")
    assert code_step(second, code) == "/"


def test_parallel_uses_of_one_code_open_one_session(app: Flask) -> None:
    code = code_of(app, "eva")

    def use(_n: int) -> bool:
        with app.app_context():
            return second_factor.accept(db.session.get_one(Staff, "stf_eva"), code, "10.0.0.1")

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(use, range(6))) == 1


def test_only_codes_around_now_work(app: Flask) -> None:
    for offset, works in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        forget_used_codes(app)
        code = code_of(app, "eva", offset)
        with app.app_context():
            eva = db.session.get_one(Staff, "stf_eva")
            assert second_factor.accept(eva, code, "10.0.0.1") is works, offset


def test_guessing_codes_is_stopped(app: Flask, anonymous: PageClient) -> None:
    password_step(anonymous, "eva")
    for n in range(second_factor.PAIR_TRIES):
        assert code_step(anonymous, f"{n}{n}{n}{n}{n}", 422) == WRONG
    assert "Too many tries" in code_step(anonymous, code_of(app, "eva"), 429)
    with app.app_context():
        outcomes = [row.outcome for row in db.session.scalars(select(Audit).order_by(Audit.id))]
    assert outcomes == ["failed"] * second_factor.PAIR_TRIES + ["denied"]


def test_guessing_from_many_networks_is_stopped_too(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_factor, "PERSON_TRIES", 3)
    with app.app_context():
        tried = [second_factor.count_try("stf_eva", f"203.0.113.{n}") for n in range(4)]
    assert tried == [True, True, True, False]


def test_a_half_open_login_ends_soon_and_with_the_account(
    app: Flask, anonymous: PageClient
) -> None:
    password_step(anonymous, "eva")
    let_pass(app, "half_login", created_at=half_open.LIMIT)
    assert anonymous.get("/login/code", status=303).location.startswith("/login")
    password_step(anonymous, "eva")
    let_pass(app, "staff", created_at=timedelta(0))
    with app.app_context():
        db.session.execute(db.text("UPDATE staff SET disabled_at = now() WHERE login = 'eva'"))
        db.session.commit()
    assert anonymous.get("/login/code", status=303).location.startswith("/login")


def test_the_first_login_sets_it_up_and_shows_the_recovery_codes_once(
    app: Flask, anonymous: PageClient
) -> None:
    with app.app_context():
        second_factor.clear("stf_eva")
        db.session.commit()
    assert password_step(anonymous, "eva") == "/login/setup"
    assert anonymous.get("/login/code", status=303).location == "/login/setup"
    page = anonymous.get("/login/setup")
    assert str(page.one("img").get("src")).startswith("data:image/png;base64,")
    shown = str(page.select("p .id")[0].text_content()).replace(" ", "")
    secret = base64.b32decode(shown)
    form = {
        "csrf_token": page.select("input[name=csrf_token]")[0].get("value"),
        "candidate": page.one("input[name=candidate]").get("value"),
    }
    wrong = anonymous.post("/login/setup", {**form, "code": "000000"}, csrf="", status=422)
    assert "does not belong" in wrong.text
    assert shown in wrong.text.replace(" ", "")
    with app.app_context():
        code = second_factor.code_at(secret, second_factor.now_step())
    done = anonymous.post("/login/setup", {**form, "code": code}, csrf="", status=200)
    codes = [str(one.text_content()) for one in done.select("li.id")]
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    anonymous.get("/account")
    with app.app_context():
        sealed = db.session.get_one(Staff, "stf_eva").totp_sealed
        assert sealed is not None
        assert secret not in sealed
        stored = db.session.scalars(select(RecoveryCode.code_sha256)).all()
        assert len(stored) == second_factor.RECOVERY_CODES
    _use_recovery_codes(app, codes)


def _use_recovery_codes(app: Flask, codes: list[str]) -> None:
    browser = PageClient(app, app.test_client())
    password_step(browser, "eva")
    assert code_step(browser, f" {codes[0].upper()} ") == "/"
    again = PageClient(app, app.test_client())
    password_step(again, "eva")
    assert code_step(again, codes[0], 422) == WRONG
    assert code_step(again, codes[1]) == "/"
    other = PageClient(app, app.test_client())
    password_step(other, "ada")
    assert code_step(other, codes[2], 422) == WRONG
    with app.app_context():
        assert second_factor.recovery_codes_left("stf_eva") == second_factor.RECOVERY_CODES - 2


def test_a_secret_of_another_login_cannot_be_set_up(app: Flask, anonymous: PageClient) -> None:
    """What an attacker was shown must never become somebody else's second factor."""
    with app.app_context():
        second_factor.clear("stf_eva")
        db.session.commit()
    thief = PageClient(app, app.test_client())
    password_step(thief, "eva")
    planted = thief.get("/login/setup").one("input[name=candidate]").get("value")
    password_step(anonymous, "eva")
    page = anonymous.get("/login/setup")
    token = page.select("input[name=csrf_token]")[0].get("value")
    for candidate in (planted, "", "x", "\u00e4"):
        form = {"candidate": candidate, "code": "123456"}
        assert anonymous.post("/login/setup", form, csrf=token).location == "/login/setup"
    with app.app_context():
        assert db.session.get_one(Staff, "stf_eva").totp_sealed is None


def test_a_role_raised_behind_our_back_opens_nothing(app: Flask, anonymous: PageClient) -> None:
    password_step(anonymous, "mia")
    anonymous.get("/account")
    with app.app_context():
        db.session.execute(db.text("UPDATE staff SET role = 'lead' WHERE login = 'mia'"))
        db.session.commit()
    assert anonymous.get("/account", status=303).location.startswith("/login")


def test_a_set_up_person_cannot_be_set_up_again_half_open(
    app: Flask, anonymous: PageClient
) -> None:
    password_step(anonymous, "eva")
    assert anonymous.get("/login/setup", status=303).location == "/login/code"
    token = anonymous.get("/login/code").select("input[name=csrf_token]")[0].get("value")
    form = {"candidate": "x", "code": "123456"}
    assert anonymous.post("/login/setup", form, csrf=token).location == "/login/code"


def test_a_session_beside_a_half_open_login_stays(app: Flask, anonymous: PageClient) -> None:
    """Knowing a password is not enough to throw its owner out."""
    eva = log_in_as(app, "eva")
    for _ in range(12):
        password_step(anonymous, "eva")
    eva.get("/account")
    with app.app_context():
        assert len(db.session.scalars(select(StaffSession)).all()) == 1
