"""The ways in that need no session, attacked with a valid key in the hand: a half-open login, a
link that sets a password, recovery codes. (Their everyday life: test_login, test_second_factor,
test_staff.)"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from tests.pages import AsRole, PageClient, log_in_as
from tests.webapp.authenticator import code_of, code_step, let_pass, password_step
from webapp.access import passwords, resets, second_factor, throttle
from webapp.models import NOW, Staff, db

PASSWORD = "a long and odd pass phrase"
TOGETHER = 6


def link_for(app: Flask, staff_id: str) -> str:
    with app.app_context():
        token = resets.make(staff_id, "stf_kai")
        db.session.commit()
    return f"/reset/{token}"


def token_on(page: PageClient, path: str) -> str:
    return str(page.get(path).select("input[name=csrf_token]")[0].get("value"))


def use(browser: PageClient, path: str, status: int = 303) -> None:
    form = {"new_password": PASSWORD, "again": PASSWORD}
    browser.post(
        path, form, csrf=browser.csrf or token_on(browser, "/login?again=1"), status=status
    )


def opens(app: Flask, login: str, password: str) -> bool:
    with app.app_context():
        return passwords.attempt(login, password, "127.0.5.1").staff is not None


def hashes(app: Flask) -> dict[str, str]:
    with app.app_context():
        return {one.login: one.password_hash for one in db.session.query(Staff)}


def test_a_link_sets_one_password_whoever_uses_it(app: Flask, as_role: AsRole) -> None:
    """In the browser of another person it is still the link of its own."""
    before, mia = hashes(app), as_role("support")
    use(mia, link_for(app, "stf_kai"))
    after = hashes(app)
    assert {login for login in after if after[login] != before[login]} == {"kai"}
    assert opens(app, "kai", PASSWORD)
    assert opens(app, "mia", "hafenlicht-mia")


def test_a_link_that_is_not_quite_it_is_nothing(app: Flask, anonymous: PageClient) -> None:
    path = link_for(app, "stf_kai")
    before = hashes(app)
    start, token = path[:7], path[7:]
    other = "A" if token[20] != "A" else "B"
    changed = f"{token[:20]}{other}{token[21:]}"
    for near in (token[:-1], f"{token}A", changed, token.swapcase()):
        anonymous.get(start + near, status=404)
        use(anonymous, start + near, status=404)
    form = {"new_password": PASSWORD, "again": PASSWORD}
    stranger = PageClient(app, app.test_client())
    stranger.post(path, form, csrf="", status=400)  # without the token of a page of ours
    assert hashes(app) == before


@pytest.mark.parametrize("died", ["used", "old", "replaced", "disabled"])
def test_a_dead_link_is_dead_for_everybody(
    app: Flask, anonymous: PageClient, as_role: AsRole, died: str
) -> None:
    path = link_for(app, "stf_uwe")
    match died:
        case "used":
            use(PageClient(app, app.test_client()), path)
        case "old":
            let_pass(app, "reset_link", created_at=resets.LIFETIME)
        case "replaced":
            link_for(app, "stf_uwe")
        case "disabled":
            with app.app_context():
                db.session.get_one(Staff, "stf_uwe").disabled_at = NOW
                db.session.commit()
    before = hashes(app)
    password_step(half := PageClient(app, app.test_client()), "eva")
    for browser in (anonymous, half, as_role("admin")):
        browser.get(path, status=404)
        use(browser, path, status=404)
    assert hashes(app) == before


def test_of_many_at_once_one_uses_the_link(app: Flask) -> None:
    token = link_for(app, "stf_kai").removeprefix("/reset/")
    words = [f"{PASSWORD} {n}" for n in range(TOGETHER)]

    def set_it(password: str) -> bool:
        with app.test_request_context():
            used = resets.use(token, password)
            db.session.commit()
            return used

    with ThreadPoolExecutor(TOGETHER) as pool:
        won = list(pool.map(set_it, words))
    assert sum(won) == 1
    assert opens(app, "kai", words[won.index(True)])


def recovery_codes(app: Flask, staff_id: str) -> list[str]:
    with app.app_context():
        codes = second_factor.new_recovery_codes(staff_id)
        db.session.commit()
    return codes


def test_of_many_at_once_one_uses_the_recovery_code(app: Flask) -> None:
    code = recovery_codes(app, "stf_eva")[0]

    def take(n: int) -> bool:
        with app.app_context():
            return second_factor.accept(db.session.get_one(Staff, "stf_eva"), code, f"10.0.0.{n}")

    with ThreadPoolExecutor(TOGETHER) as pool:
        assert sum(pool.map(take, range(TOGETHER))) == 1


def test_guessing_recovery_codes_is_stopped(app: Flask, anonymous: PageClient) -> None:
    """Guesses of both kinds are counted together, and a right one comes too late."""
    code, other = recovery_codes(app, "stf_eva")[0], recovery_codes(app, "stf_ada")[0]
    password_step(anonymous, "eva")
    guesses = (other, "aaaa-aaaa-aaaa-aaaa", code[:-1], "000000", f"{code}a")
    assert len(guesses) == second_factor.PAIR_TRIES
    for guess in guesses:
        code_step(anonymous, guess, 422)
    for right in (code, code_of(app, "eva")):
        assert "Too many tries" in code_step(anonymous, right, 429)
    # A new half-open login is the same person.
    again = PageClient(app, app.test_client())
    password_step(again, "eva")
    assert "Too many tries" in code_step(again, code, 429)
    with app.app_context():
        assert second_factor.recovery_codes_left("stf_eva") == second_factor.RECOVERY_CODES


def test_without_the_count_the_right_code_would_still_open(
    app: Flask, anonymous: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "count", lambda _keys: True)
    code = recovery_codes(app, "stf_eva")[0]
    password_step(anonymous, "eva")
    for _ in range(second_factor.PAIR_TRIES):
        code_step(anonymous, "aaaa-aaaa-aaaa-aaaa", 422)
    assert code_step(anonymous, code) == "/"


def test_older_recovery_codes_are_dead(app: Flask, anonymous: PageClient) -> None:
    old = recovery_codes(app, "stf_eva")[0]
    recovery_codes(app, "stf_eva")
    password_step(anonymous, "eva")
    code_step(anonymous, old, 422)


@pytest.fixture
def thief(app: Flask) -> Iterator[PageClient]:
    """Knows a password, has no telephone."""
    browser = PageClient(app, app.test_client())
    password_step(browser, "eva")
    browser.csrf = token_on(browser, "/login/code")
    return browser


def test_a_token_of_one_half_open_login_is_none_for_another(
    app: Flask, anonymous: PageClient, thief: PageClient
) -> None:
    password_step(anonymous, "eva")
    code = {"code": code_of(app, "eva")}
    anonymous.post("/login/code", code, csrf=thief.csrf, status=400)
    eva = log_in_as(app, "eva")
    eva.post("/theme", {"theme": "dark"}, csrf=thief.csrf, status=400)
    thief.post("/login/code", code, csrf=eva.csrf, status=400)
    assert thief.get("/account", status=303).location.startswith("/login")
