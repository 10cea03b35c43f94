"""What stands around every view: headers, hosts, body limits, CSRF, and errors without traces."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask, request
from sqlalchemy import select

from config import Settings
from domain.kernel.message import Refused
from domain.stream.database import connect
from tests.addresses import made_up
from tests.pages import AsRole, PageClient
from webapp import create_app
from webapp.access import security, sessions
from webapp.access.permissions import HALF_OPEN, MACHINE, act_of, machine, permitted
from webapp.models import Audit, Staff, db

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    assert "unsafe" not in security.POLICY
    assert "http" not in security.POLICY
    for word in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert word in security.POLICY


@pytest.mark.parametrize("path", ["/login", "/livez", "/nothing", "/static/app.css", "/staff"])
def test_every_answer_carries_the_headers(bare: PageClient, path: str) -> None:
    answer = bare.client.get(path)
    for name, value in security.HEADERS.items():
        assert answer.headers[name] == value
    stored = answer.headers["Cache-Control"]
    assert (stored == "no-store") == (not path.startswith("/static"))


def test_static_files_with_their_hash_are_kept_for_ever(bare: PageClient) -> None:
    href = bare.get("/login").one("link[rel=stylesheet]").get("href")
    assert "immutable" in bare.client.get(str(href)).headers["Cache-Control"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused(bare: PageClient, host: str) -> None:
    answer = bare.client.get("/login", headers={"Host": host or "[::x"})
    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True)


def _writes(app: Flask) -> list[tuple[str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        if act_of(app, rule.endpoint) in (MACHINE, HALF_OPEN):
            continue
        for method in sorted((rule.methods or set()) & set(UNSAFE)):
            found.append((method, made_up(rule)))
    return found


def test_every_write_is_refused_without_the_token_of_its_session(
    app: Flask, as_role: AsRole
) -> None:
    writes = _writes(app)
    assert ("POST", "/logout") in writes
    ada, other = as_role("admin"), as_role("lead")
    for method, path in writes:
        for token in ("", "0" * 43, other.csrf):
            answer = ada.client.open(path, method=method, data={"csrf_token": token})
            assert answer.status_code == 400, (method, path)
            headers = {"X-CSRF-Token": token, "HX-Request": "true"}
            answer = ada.client.open(path, method=method, headers=headers)
            assert answer.status_code == 400, (method, path)
    ada.get("/staff")
    with app.app_context():
        rows = db.session.scalars(select(Audit).where(Audit.act == "csrf")).all()
    assert len(rows) == 6 * len(writes)


def test_the_header_of_htmx_is_enough(as_role: AsRole) -> None:
    ben = as_role("admin")
    headers = {"X-CSRF-Token": ben.csrf, "HX-Request": "true"}
    answer = ben.client.post("/theme", data={"theme": "dark"}, headers=headers)
    assert answer.status_code == 204


def test_a_write_from_another_site_is_refused_even_with_the_token(as_role: AsRole) -> None:
    ben = as_role("admin")
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site}
        answer = ben.client.post("/theme", data={"csrf_token": ben.csrf}, headers=headers)
        assert answer.status_code == 400


def test_the_token_stands_in_no_address(as_role: AsRole) -> None:
    ben = as_role("admin")
    page = ben.get("/style")
    assert all(ben.csrf not in str(link.get("href")) for link in page.select("[href]"))


def test_a_large_body_is_refused(as_role: AsRole) -> None:
    ben = as_role("admin")
    big = {"theme": "x" * (security.BODY_LIMIT + 1)}
    assert ben.post("/theme", big, status=413).h1 == "This file is too large"


def test_a_view_may_take_more(settings: Settings) -> None:
    app = _with_views(settings)
    client = app.test_client()
    body = b"x" * (security.BODY_LIMIT + 1)
    assert client.post("/t/large", data=body).get_data() == str(len(body)).encode()
    assert client.post("/t/small", data=body).status_code == 413


@pytest.mark.parametrize(
    ("path", "code", "title"),
    [
        ("/nothing", 404, "There is nothing at this address"),
        ("/logout", 405, "This address cannot be used this way"),
    ],
)
def test_errors_are_pages(as_role: AsRole, path: str, code: int, title: str) -> None:
    page = as_role("admin").get(path, status=code)
    assert page.h1 == title
    assert page.select("nav")


def test_a_stranger_sees_no_navigation_on_an_error(bare: PageClient) -> None:
    page = bare.get("/nothing", status=404)
    assert not page.select("nav")


def test_a_broken_view_shows_a_reference_and_no_trace(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = _with_views(settings)
    answer = app.test_client().get("/t/broken")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "Something in Kontor is broken" in text
    for word in ("Traceback", "ZeroDivisionError", "webapp/", "secret-detail"):
        assert word not in text
    said = next(r.getMessage() for r in caplog.records if r.getMessage().startswith("request "))
    reference = said.split()[1]
    assert len(reference) == 8
    assert reference in text


def test_a_broken_view_is_a_toast_for_htmx_and_content_for_the_dialog(settings: Settings) -> None:
    client = _with_views(settings).test_client()
    htmx = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "tbody#rows"}
    text = client.get("/t/broken", headers=htmx).get_data(as_text=True)
    assert text.startswith(
        '<hx-partial hx-target="#toasts" hx-swap="beforeend"><p class="toast bad"'
    )
    dialog = client.get("/t/broken", headers={**htmx, "HX-Target": "dialog#dialog"})
    assert '<h2 id="dialog-title">Something in Kontor' in dialog.get_data(as_text=True)


def test_an_uncaught_refusal_is_a_sentence_and_an_audit_row(settings: Settings) -> None:
    app = _with_views(settings)
    answer = app.test_client().get("/t/refused")
    assert answer.status_code == 422
    assert "Only 1,00\u00a0€ is left." in answer.get_data(as_text=True)
    with app.app_context():
        row = db.session.scalars(select(Audit)).one()
    assert (row.act, row.outcome, row.reason) == ("refused", "refused", "Only %(left)s is left.")


def test_without_a_database_the_answer_is_503(settings: Settings) -> None:
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    client = create_app(away).test_client()
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 503
    client.set_cookie(security.cookie_name("session", away), "x" * 43)
    answer = client.get("/staff")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.get_data(as_text=True)


def test_production_has_host_cookies_and_no_demo(settings: Settings) -> None:
    real = dataclasses.replace(settings, mode="production", allowed_hosts=("kontor.example",))
    with connect(settings.database_url, settings.kek) as connection:
        connection.execute("UPDATE installation SET mode = 'production', clock = NULL")
    app = create_app(real)
    client = app.test_client()
    base = "https://kontor.example"
    page = client.get("/login", base_url=base)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "hafenlicht-" not in text
    assert client.get("/style", base_url=base).status_code == 404
    assert page.headers["Strict-Transport-Security"]
    cookies = page.headers.getlist("Set-Cookie")
    with app.app_context():
        ben = Staff(id="stf_x", login="x", name="X", role="admin", password_hash="x")
        db.session.add(ben)
        db.session.commit()
        token = sessions.start(ben, second_factor=True).token or ""
    client.set_cookie("__Host-kontor-session", token, domain="kontor.example")
    answer = client.post("/theme", base_url=base, headers={"X-CSRF-Token": "x"})
    assert answer.status_code == 400, "the session was found, its token was wrong"
    for cookie in cookies:
        assert cookie.startswith("__Host-kontor-")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def _with_views(settings: Settings) -> Flask:
    """The app with views that only these tests need: broken, refusing, small and large bodies."""
    app = create_app(settings)

    @app.get("/t/broken")
    @machine
    def broken() -> str:
        return str(1 // 0) + "secret-detail"

    @app.get("/t/refused", endpoint="refused")
    @machine
    def refused() -> str:
        raise Refused("Only %(left)s is left.", left=100)

    @app.post("/t/small")
    @machine
    def small() -> str:
        return str(len(request.get_data()))

    @app.post("/t/large")
    @machine
    @security.body_limit(2 * security.BODY_LIMIT)
    def large() -> str:
        return str(len(request.get_data()))

    @app.get("/t/forgotten")
    @permitted("account.own")
    def own() -> str:
        return ""

    return app


def _audited(app: Flask) -> int:
    with app.app_context():
        return db.session.query(Audit).count()


@pytest.mark.parametrize("role", ["support", "admin"], ids=["denied", "allowed"])
@pytest.mark.parametrize("path", ["/staff/%00/change", "/staff/stf_mia%00/change"])
def test_a_nul_in_an_address_is_nothing(app: Flask, as_role: AsRole, role: str, path: str) -> None:
    """PostgreSQL stores no NUL: neither a look-up nor the audit row of a refusal may carry one."""
    browser = as_role(role)
    before = _audited(app)
    browser.get(path, status=404)
    browser.post(path, status=404)
    assert _audited(app) == before


@pytest.mark.parametrize("login", ["\0", "be\0n", "\0ben\0"])
def test_a_nul_in_a_user_name_is_a_wrong_name(
    app: Flask, anonymous: PageClient, login: str
) -> None:
    token = str(anonymous.get("/login").select("input[name=csrf_token]")[0].get("value"))
    form = {"login": login, "password": "wrong\0"}
    anonymous.post("/login", form, csrf=token, status=422)
    with app.app_context():
        outcomes = [row.outcome for row in db.session.query(Audit)]
    assert outcomes == ([] if login == "\0" else ["failed"])
