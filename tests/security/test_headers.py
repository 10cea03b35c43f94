"""The security headers stand on every kind of answer: pages, fragments, files, redirects, refusals,
answers to machines, and what breaks; in the sandbox and in production."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from bench.atlas import Atlas
from bench.browser import FORM, STRANGER, Answer, Browser, Request, at
from bench.fuzz import missing_headers
from tests.security.routes import address, shared
from webapp import create_app
from webapp.access import security
from webapp.access.permissions import Role

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "dialog#dialog"}
ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    *((method, {}) for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE")),
    ("GET", HTMX),
    ("POST", HTMX),
)


def asked(house: Flask, atlas: Atlas, browser: Browser) -> Iterator[tuple[str, Answer]]:
    """Every route with every method it has, HEAD and OPTIONS too, and one that it has not; as a
    page and as a fragment; writes without their token."""
    for rule, (method, headers) in shared(house, ASKED):
        request = at(address(house, atlas, rule), method, headers=headers)
        yield f"{method} {rule.rule}", browser.send(request, keep=False)


@pytest.mark.parametrize("role", [STRANGER, Role.LEAD])
def test_every_answer_of_every_route_has_them(house: Flask, atlas: Atlas, role: str) -> None:
    wrong = {
        name: missing
        for name, answer in asked(house, atlas, Browser(house, role))
        if (missing := missing_headers(answer, house))
    }
    assert wrong == {}


def test_every_page_on_the_map_has_them(house: Flask, atlas: Atlas) -> None:
    """What roles really see: files and pages with data; none is kept by a browser or a proxy."""
    kinds = set()
    for (role, url), answer in atlas.seen.items():
        assert missing_headers(answer, house) == [], (role, url)
        assert answer.headers["Cache-Control"] == "no-store", (role, url)
        assert "charset=utf-8" in answer.headers["Content-Type"] or answer.kind in (
            "application/pdf",
            "application/zip",
        ), (role, url)
        kinds.add(answer.kind)
    assert kinds >= {"text/html", "text/csv", "application/pdf"}


def _kinds(browser: Browser, atlas: Atlas) -> dict[str, Request]:
    """One request for each kind of answer there is."""
    payment = next(u for u in atlas.urls["payments.detail"] if "?" not in u)
    version = re.search(rf"{payment}\?v=([^\"]+)\"", browser.send(at(payment)).text)
    assert version is not None
    poll = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "section#payment"}
    form = {"Content-Type": FORM}
    return {
        "200": at(payment),
        "200 fragment": at(payment, headers=HTMX),
        "200 file": at("/static/app.css"),
        "204": at("/theme", "POST", headers={**HTMX, "X-CSRF-Token": "token"}),
        "303": at("/"),
        "304": at(f"{payment}?v={version[1]}", headers=poll),
        "304 file": at("/static/app.css", headers={"If-Modified-Since": "x"}),
        "308": at("/payments//x"),
        "400": at("/work/bulk", "POST", headers=form),
        "400 host": at(payment, headers={"Host": "evil.example"}),
        "400 hook": at("/hooks/stripe", "POST"),
        "403": at("/staff"),
        "404": at("/nothing"),
        "404 fragment": at("/nothing", headers=HTMX),
        "404 file": at("/static/nothing"),
        "405": at("/logout"),
        "413": at("/theme", "POST", headers=form, body=b"x" * (security.BODY_LIMIT + 1)),
        "422": at("/payments?amount=x"),
        "200 options": at(payment, "OPTIONS"),
        "200 head": at(payment, "HEAD"),
    }


def test_every_kind_of_answer_has_them(house: Flask, atlas: Atlas) -> None:
    browser = Browser(house, Role.SUPPORT)
    etag = browser.send(at("/static/app.css")).headers["ETag"]
    for name, request in _kinds(browser, atlas).items():
        headers = {k: browser.csrf if v == "token" else v for k, v in request.headers.items()}
        if "If-Modified-Since" in headers:
            headers = {"If-None-Match": etag}
        answer = browser.send(dataclasses.replace(request, headers=headers), keep=False)
        assert answer.status == int(name.split()[0]), name
        assert missing_headers(answer, house) == [], name


@pytest.fixture(scope="module")
def production(house: Flask) -> Flask:
    """Over the house's database, which no production would touch."""
    settings = house.extensions["kontor.settings"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webapp.open_kontor", lambda _: house.extensions["kontor"])
        return create_app(
            dataclasses.replace(settings, mode="production", allowed_hosts=(settings.host,))
        )


def test_production_adds_https_and_host_cookies(
    production: Flask, house: Flask, atlas: Atlas
) -> None:
    browser = Browser(production, Role.FINANCE)
    cookies = []
    for rule, method in shared(production, ("GET", "POST")):
        answer = browser.send(at(address(house, atlas, rule), method), keep=False)
        assert missing_headers(answer, production) == [], (method, rule.rule)
        cookies += answer.headers.getlist("Set-Cookie")
    page = Browser(production, STRANGER)
    assert all(name.startswith("__Host-") for name in page.cookies)
    assert all(one.startswith(("__Host-", "theme=", "keys=")) for one in cookies), cookies


def test_the_style_and_sandbox_pages_exist_in_the_sandbox_only(production: Flask) -> None:
    """Nothing made for trying things out is reachable in production."""
    found = {rule.endpoint.partition(".")[0] for rule in production.url_map.iter_rules()}
    assert not found & {"style", "sandbox"}
