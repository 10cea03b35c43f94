"""Logging in and out: no enumeration, lock-out by database time, sessions that can be ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select, text

from tests.pages import AsRole, PageClient, log_in_as
from webapp.access import passwords, security, sessions, throttle
from webapp.models import Audit, LoginThrottle, Staff, StaffSession, db

WRONG = "User name or password is wrong."
MANY = "Too many tries. Wait up to 15 minutes and try again."


def token_of(page_client: PageClient) -> str:
    """The CSRF token on the login page."""
    return str(page_client.get("/login").select("input[name=csrf_token]")[0].get("value"))


def try_login(browser: PageClient, login: str, password: str, status: int = 422) -> str:
    token = token_of(browser)
    form = {"login": login, "password": password}
    page = browser.post("/login", form, csrf=token, status=status)
    return "" if page.location else page.one("[role=alert]").text_content()


def age(app: Flask, **columns: timedelta) -> None:
    """Moves the instants of all sessions into the past."""
    with app.app_context():
        for column, by in columns.items():
            statement = f"UPDATE staff_session SET {column} = {column} - :by"
            db.session.execute(text(statement), {"by": by})
        db.session.commit()


def count(app: Flask, model: type[object]) -> int:
    with app.app_context():
        return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_logs_in_and_lands_on_the_first_page(anonymous: PageClient) -> None:
    page = anonymous.post(
        "/login", {"login": " Mia ", "password": "hafenlicht-mia"}, csrf=token_of(anonymous)
    )
    assert page.location == "/"
    first = anonymous.get("/account").select("nav li a")[0].get("href")
    assert anonymous.get("/", status=303).location == first


def test_goes_back_to_where_the_person_was(anonymous: PageClient) -> None:
    where = anonymous.get("/account?x=1", status=303).location
    assert where == "/login?next=/account?x%3D1"
    form = anonymous.get(where).select("form[action='/login']")[0]
    back = form.cssselect("input[name=next]")[0].get("value")
    page = anonymous.post(
        "/login",
        {"login": "mia", "password": "hafenlicht-mia", "next": back},
        csrf=token_of(anonymous),
    )
    assert page.location == "/account?x=1"


@pytest.mark.parametrize(
    "evil", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/\n/x"]
)
def test_never_redirects_elsewhere(anonymous: PageClient, evil: str) -> None:
    page = anonymous.post(
        "/login",
        {"login": "mia", "password": "hafenlicht-mia", "next": evil},
        csrf=token_of(anonymous),
    )
    assert page.location == "/"


def test_wrong_unknown_and_disabled_read_the_same(app: Flask, anonymous: PageClient) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE staff SET disabled_at = now() WHERE login = 'uwe'"))
        db.session.commit()
    assert try_login(anonymous, "ben", "wrong") == WRONG
    assert try_login(anonymous, "nobody", "wrong") == WRONG
    assert try_login(anonymous, "uwe", "hafenlicht-uwe") == WRONG
    assert try_login(anonymous, "ben", "x" * 5000) == WRONG


def test_every_wrong_login_costs_one_hash(
    app: Flask, anonymous: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    real = passwords.HASHER.verify

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored)
            return real(stored, password)

    monkeypatch.setattr(passwords, "HASHER", Counting())
    for login in ("ben", "nobody"):
        before = len(verified)
        try_login(anonymous, login, "wrong")
        assert len(verified) == before + 1
    assert all(stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$") for stored in verified)


def test_a_user_is_locked_after_some_tries_known_or_not(
    anonymous: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert passwords.PAIR_TRIES == 5
    monkeypatch.setattr(passwords, "PAIR_TRIES", 2)
    for login in ("ben", "nobody"):
        for _ in range(2):
            assert try_login(anonymous, login, "wrong") == WRONG
        assert try_login(anonymous, login, "hafenlicht-ben", 429) == MANY


def test_the_lock_ends_by_database_time_and_grows(
    app: Flask, anonymous: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "PAIR_TRIES", 2)
    for _ in range(2):
        try_login(anonymous, "ben", "wrong")
    first = _longest_block(app)
    assert timedelta(seconds=25) < first <= throttle.FIRST_BLOCK
    _let_time_pass(app, throttle.FIRST_BLOCK)
    assert try_login(anonymous, "ben", "wrong") == WRONG
    assert _longest_block(app) > first
    _let_time_pass(app, throttle.LONGEST_BLOCK)
    assert try_login(anonymous, "ben", "hafenlicht-ben", 303) == ""
    assert count(app, LoginThrottle) == 2, "a right password forgets the tries of its pair"


def test_an_address_is_locked_too(anonymous: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ADDRESS_TRIES", 3)
    for n in range(3):
        assert try_login(anonymous, f"guess{n}", "wrong") == WRONG
    assert try_login(anonymous, "eva", "hafenlicht-eva", 429) == MANY


def test_a_stranger_does_not_lock_a_colleague_out(app: Flask) -> None:
    """Guesses from one network block that network for this person, not the person."""
    with app.app_context():
        for _ in range(passwords.PAIR_TRIES + 1):
            stranger = passwords.attempt("mia", "wrong", "203.0.113.9")
        assert stranger.blocked
        assert passwords.attempt("mia", "hafenlicht-mia", "10.0.0.1").staff is not None


def test_a_whole_ipv6_network_is_one_guesser(app: Flask) -> None:
    with app.app_context():
        tried = [
            passwords.attempt("mia", "wrong", f"2001:db8:1:2::{n}").blocked
            for n in range(passwords.PAIR_TRIES + 1)
        ]
    assert tried == [False] * passwords.PAIR_TRIES + [True]


def test_guesses_from_many_networks_are_stopped_in_the_end(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "PERSON_TRIES", 4)
    with app.app_context():
        tried = [passwords.attempt("mia", "wrong", f"203.0.113.{n}").blocked for n in range(5)]
    assert tried == [False] * 4 + [True]


def test_parallel_guesses_are_counted_one_by_one(app: Flask) -> None:
    def guess(_n: int) -> bool:
        with app.app_context():
            return passwords.attempt("ben", "wrong", "10.0.0.1").blocked

    with ThreadPoolExecutor(8) as pool:
        blocked = list(pool.map(guess, range(24)))
    assert blocked.count(False) == passwords.PAIR_TRIES


def test_no_name_and_no_address_is_stored_with_the_tries(app: Flask, anonymous: PageClient) -> None:
    try_login(anonymous, "ben", "wrong")
    with app.app_context():
        keys = db.session.scalars(select(LoginThrottle.key)).all()
    assert len(keys) == 3
    assert all(len(key) == 64 for key in keys)


def test_a_login_needs_the_token_of_its_page(anonymous: PageClient) -> None:
    form = {"login": "ben", "password": "hafenlicht-ben"}
    anonymous.post("/login", form, csrf="", status=400)
    token_of(anonymous)
    anonymous.post("/login", form, csrf="0" * 64, status=400)


def test_the_session_is_a_new_one_after_the_login(app: Flask, as_role: AsRole) -> None:
    browser = as_role("support")
    before = browser.client.get_cookie(_cookie(app))
    form = {"login": "mia", "password": "hafenlicht-mia"}
    browser.post("/login", form)
    after = browser.client.get_cookie(_cookie(app))
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert count(app, StaffSession) == 1


def test_the_cookie_is_out_of_reach_of_scripts(anonymous: PageClient) -> None:
    form = {"login": "mia", "password": "hafenlicht-mia"}
    page = anonymous.post("/login", form, csrf=token_of(anonymous))
    cookies = page.response.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if "kontor-session" in cookie)
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session


def test_the_table_holds_no_token(app: Flask, as_role: AsRole) -> None:
    browser = as_role("admin")
    cookie = browser.client.get_cookie(_cookie(app))
    assert cookie is not None
    with app.app_context():
        row = db.session.scalars(select(StaffSession)).one()
    assert row.token_sha256 == sessions.digest(cookie.value)
    assert len(cookie.value) >= 43


def test_logout_kills_a_copied_cookie(app: Flask, as_role: AsRole) -> None:
    browser = as_role("admin")
    copy = app.test_client()
    cookie = browser.client.get_cookie(_cookie(app))
    assert cookie is not None
    copy.set_cookie(_cookie(app), cookie.value)
    assert copy.get("/staff").status_code == 200
    browser.post("/logout")
    assert copy.get("/staff").status_code == 303
    browser.get("/staff", status=303)


def test_idle_and_old_sessions_end(app: Flask, as_role: AsRole) -> None:
    idle = as_role("admin")
    age(app, seen_at=sessions.IDLE_LIMIT)
    idle.get("/staff", status=303)
    old = as_role("admin")
    age(app, created_at=sessions.ABSOLUTE_LIMIT)
    old.get("/staff", status=303)


def test_a_used_session_does_not_go_idle(app: Flask, as_role: AsRole) -> None:
    browser = as_role("admin")
    for _ in range(3):
        age(app, seen_at=sessions.IDLE_LIMIT / 2)
        browser.get("/staff")


def test_the_token_rotates_and_forms_stay_valid(app: Flask, as_role: AsRole) -> None:
    browser = as_role("admin")
    before = browser.client.get_cookie(_cookie(app))
    age(app, rotated_at=sessions.ROTATE_AFTER)
    browser.get("/staff")
    after = browser.client.get_cookie(_cookie(app))
    assert before is not None
    assert after is not None
    assert before.value != after.value
    browser.post("/theme", {"theme": "dark", "next": "/staff"})
    under_way = app.test_client()
    under_way.set_cookie(_cookie(app), before.value)
    assert under_way.get("/staff").status_code == 200


def test_an_old_token_used_later_ends_the_session(app: Flask, as_role: AsRole) -> None:
    browser = as_role("admin")
    before = browser.client.get_cookie(_cookie(app))
    assert before is not None
    age(app, rotated_at=sessions.ROTATE_AFTER)
    browser.get("/staff")
    age(app, rotated_at=sessions.PREVIOUS_GRACE)
    thief = app.test_client()
    thief.set_cookie(_cookie(app), before.value)
    assert thief.get("/staff").status_code == 303
    browser.get("/staff", status=303)


def test_one_person_keeps_a_limited_number_of_sessions(app: Flask) -> None:
    first = log_in_as(app, "ben")
    for _ in range(sessions.SESSIONS_PER_PERSON):
        log_in_as(app, "ben")
    assert count(app, StaffSession) == sessions.SESSIONS_PER_PERSON
    first.get("/staff", status=303)


def test_a_weaker_hash_is_renewed_at_login(app: Flask, anonymous: PageClient) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with app.app_context():
        db.session.query(Staff).filter_by(login="ben").update(
            {"password_hash": weak.hash("hafenlicht-ben")}
        )
        db.session.commit()
    assert try_login(anonymous, "ben", "hafenlicht-ben", 303) == ""
    with app.app_context():
        stored = db.session.query(Staff).filter_by(login="ben").one().password_hash
    assert not passwords.HASHER.check_needs_rehash(stored)


def test_logins_leave_a_trace_without_names(app: Flask, anonymous: PageClient) -> None:
    try_login(anonymous, "mia", "wrong")
    try_login(anonymous, "mia", "hafenlicht-mia", 303)
    with app.app_context():
        rows = db.session.scalars(select(Audit).order_by(Audit.id)).all()
        seen = [(row.act, row.outcome, row.staff_id) for row in rows]
    assert seen == [("login", "failed", None), ("login", "allowed", "stf_mia")]


def test_garbage_cookies_are_nobody(app: Flask, anonymous: PageClient) -> None:
    for value in ("", "x", "\u00e4" * 40, "a" * 4000, "'; DROP TABLE staff"):
        anonymous.client.set_cookie(_cookie(app), value)
        anonymous.get("/staff", status=303)


def _cookie(app: Flask) -> str:
    return security.cookie_name("session", app.extensions["kontor.settings"])


def _longest_block(app: Flask) -> timedelta:
    with app.app_context():
        left = db.session.scalar(text("SELECT max(blocked_until) - now() FROM login_throttle"))
    assert isinstance(left, timedelta)
    return left


def _let_time_pass(app: Flask, by: timedelta) -> None:
    statement = text("UPDATE login_throttle SET blocked_until = blocked_until - :by")
    with app.app_context():
        db.session.execute(statement, {"by": by})
        db.session.commit()
