"""Hostile requests through every route: none breaks, none lacks its headers, none leads elsewhere,
and nobody without a session, or between the two steps of the login, is let in.
What was once found this way stands below by name. `./run bench fuzz` sends 20,000."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from flask import Flask, Response
from werkzeug.datastructures import Headers

from bench.atlas import Atlas, family
from bench.browser import FORM, HALF, SETTING_UP, STRANGER, Answer, Browser, Request
from bench.fuzz import faults, fuzz, is_foreign, let_in
from tests.security.routes import EXPLAINED
from webapp.access import security
from webapp.access.permissions import Role, machine

REQUESTS = 1_500
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "body"}


def test_every_route_is_on_the_map_or_explained(house: Flask, atlas: Atlas) -> None:
    """A new route is covered when a link or a form leads to it; else it needs a line there."""
    endpoints = {family(rule.endpoint) for rule in house.url_map.iter_rules()}
    reached = {family(endpoint) for endpoint in atlas.urls}
    assert endpoints - reached - set(EXPLAINED) == set(), "no role finds a way to them"
    assert set(EXPLAINED) - endpoints == set(), "they are gone"
    assert set(EXPLAINED) & reached == set(), "they explain themselves by now"


def test_no_hostile_request_breaks_anything(house: Flask, atlas: Atlas) -> None:
    result = fuzz(house, REQUESTS, 11, atlas)
    assert not result.findings, "\n\n".join(one.told() for one in result.findings[:10])
    assert result.requests == REQUESTS
    every = {family(rule.endpoint) for rule in house.url_map.iter_rules()}
    assert {family(endpoint) for endpoint in result.reached} == every
    well = sum(count for status, count in result.statuses.items() if status < 400)
    assert well > REQUESTS / 4, "most never came past the door"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("role", [STRANGER, Role.ADMIN])
@pytest.mark.parametrize("path", ["/login", "/staff", "/hooks/stripe", "/nothing"])
def test_a_foreign_host_is_refused_before_anything_else(
    house: Flask, path: str, role: str, method: str
) -> None:
    """A write without its token under a foreign name broke while its refusal was drawn."""
    headers = {"Host": "evil.example", "Content-Type": FORM}
    answer = Browser(house, role).send(Request(method, path, headers=headers, body=b"x=1"))
    assert (answer.status, answer.error) == (400, None)
    assert answer.text == "Unknown host.\n"


@pytest.mark.parametrize("where", ["http://[", "//[::1", "https://[x]/", "\x00http://["])
def test_an_address_that_is_none_is_nowhere(house: Flask, where: str) -> None:
    """htmx tells the page it asks from; a header may hold anything."""
    headers = {**HTMX, "HX-Current-URL": where}
    answer = Browser(house, STRANGER).send(Request(path="/work", headers=headers))
    assert (answer.status, answer.error) == (200, None)
    assert answer.headers["HX-Redirect"].partition("?")[0] == "/login"


def test_a_missing_file_is_not_kept(house: Flask) -> None:
    answer = Browser(house, STRANGER).send(Request(path="/static/nothing.css", query="v=1"))
    assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store")


def _leads_away() -> Response:
    return Response(status=302, headers={"Location": "//evil.example"})


def _tells() -> Response:
    return Response('Traceback (most recent call last): File "/srv/x.py"', mimetype="text/html")


def _breaks_late() -> Response:
    return Response(str(1 // (n - 1)) for n in range(3))


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        (lambda: str(1 // 0), "ZeroDivisionError"),
        (_breaks_late, "ZeroDivisionError"),
        (_leads_away, "evil.example"),
        (_tells, "Traceback"),
    ],
)
def test_the_fuzzer_finds_it(
    house: Flask, view: Callable[[], object], complaint: str, another: Flask
) -> None:
    app = another
    app.add_url_rule("/t/bad", view_func=machine(view), endpoint="bad")
    answer = Browser(app, STRANGER).send(Request(path="/t/bad"))
    assert any(complaint in one for one in faults(answer, app)), faults(answer, app)


@pytest.mark.parametrize(
    ("role", "path", "found"),
    [
        (STRANGER, "/work", True),
        (HALF, "/work", True),
        (SETTING_UP, "/staff", True),
        (STRANGER, "/login/code", True),
        (HALF, "/login/code", False),
        (STRANGER, "/login", False),
        (Role.ADMIN, "/work", False),
    ],
)
def test_the_fuzzer_sees_who_was_let_in(house: Flask, role: str, path: str, found: bool) -> None:
    shown = Answer(200, Headers({"Content-Type": "text/html"}), b"<p>a page")
    assert bool(let_in(house, role, Request(path=path), shown)) is found
    sent_on = dataclasses.replace(shown, headers=Headers({"HX-Redirect": "/login"}))
    assert not let_in(house, role, Request(path=path), sent_on)


@pytest.mark.parametrize("name", security.HEADERS)
def test_the_fuzzer_misses_every_header(house: Flask, name: str) -> None:
    good = Browser(house, STRANGER).send(Request(path="/login"))
    assert faults(good, house) == []
    without = Headers(good.headers)
    del without[name]
    assert faults(dataclasses.replace(good, headers=without), house)


def test_a_cookie_needs_its_attributes(house: Flask) -> None:
    good = Browser(house, STRANGER).send(Request(path="/login"))
    for cookie in ("x=1; Path=/; SameSite=Lax", "x=1; HttpOnly; Path=/", "x=1; HttpOnly"):
        loose = Headers([*good.headers, ("Set-Cookie", cookie)])
        found = faults(Answer(200, loose, b""), house)
        assert any("a cookie without" in one for one in found)


@pytest.mark.parametrize(
    ("url", "foreign"),
    [
        ("/work", False),
        ("/work?next=//evil.example", False),
        ("http://127.0.0.1:1/x", False),
        ("http://127.0.0.1:1.evil.example/x", True),
        ("//evil.example", True),
        ("/\\evil.example", True),
        ("/\t/evil.example", True),
        (" //evil.example", True),
        ("javascript:1", True),
        ("false", False),
    ],
)
def test_what_is_elsewhere(url: str, foreign: bool) -> None:
    assert is_foreign(url, "http://127.0.0.1:1") is foreign
