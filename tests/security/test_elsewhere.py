"""Open redirects: forty ways to write another address, in every parameter, form field and header
that could steer the browser. Nobody is ever sent out of the house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask, Response, redirect, request
from werkzeug.routing import Rule

from bench.atlas import Atlas, Form
from bench.browser import EVERYBODY, FORM, STRANGER, Browser, Request, at
from bench.fuzz import is_foreign, steered
from bench.hostile import ELSEWHERE
from tests.security.routes import address, shared
from webapp import fragments
from webapp.access.permissions import Role, machine

STEERS = ("next", "back", "url", "return", "return_to", "redirect", "to", "from", "page", "where")
"""Names under which other programs take an address; and whatever a form of ours calls its own."""
HEADERS = ("Referer", "HX-Current-URL", "Origin", "X-Forwarded-Host", "X-Original-URL")
SPARSE = 8
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "body"}


def away(app: Flask, browser: Browser, sent: Request) -> list[str]:
    home = app.extensions["kontor.settings"].url
    answer = browser.send(sent, keep=False)
    return [url for url in steered(answer) if is_foreign(url, home)]


def _held(values: tuple[tuple[str, str], ...]) -> set[str]:
    """Fields of a form that hold an address of ours, or are called like one that does."""
    return {name for name, value in values if value.startswith("/") or name in STEERS}


def test_forty_payloads() -> None:
    assert len(set(ELSEWHERE)) >= 40


def test_the_login_leads_nowhere_else(house: Flask) -> None:
    """For a stranger, for somebody who is logged in, and through the page's own hidden field."""
    for browser in (Browser(house, STRANGER), Browser(house, Role.SUPPORT)):
        for payload in ELSEWHERE:
            for headers in ({}, HTMX):
                for name in ("next", "back"):
                    query = urlencode({name: payload})
                    sent = Request(path="/login", query=query, headers=headers)
                    assert away(house, browser, sent) == [], sent.told()


def _asked(app: Flask, atlas: Atlas, browsers: dict[str, Browser]) -> Iterator[tuple[Rule, str]]:
    """Every payload for routes that steer at all; a few for the others, whose answers name no
    address whatever is asked."""
    steers: dict[str, bool] = {}
    for rule, payload in shared(app, ELSEWHERE):
        if "GET" not in (rule.methods or ()):
            continue
        if rule.endpoint not in steers:
            steers[rule.endpoint] = _steers(app, atlas, browsers, rule)
        if steers[rule.endpoint] or ELSEWHERE.index(payload) % SPARSE == 0:
            yield rule, payload


def _steers(app: Flask, atlas: Atlas, browsers: dict[str, Browser], rule: Rule) -> bool:
    role = next(iter(atlas.urls.get(rule.endpoint, {}).values()), STRANGER)
    path = address(app, atlas, rule)
    return any(
        steered(browsers[role].send(at(path, headers=headers), keep=False))
        for headers in ({}, HTMX)
    )


def test_no_get_parameter_leads_elsewhere(house: Flask, atlas: Atlas) -> None:
    """Every route that a person may open: the names others use, and its own parameters."""
    browsers = {role: Browser(house, role) for role in EVERYBODY}
    for number, (rule, payload) in enumerate(_asked(house, atlas, browsers)):
        path = address(house, atlas, rule).partition("?")[0]
        role = next(iter(atlas.urls.get(rule.endpoint, {}).values()), STRANGER)
        names = sorted({*STEERS, *atlas.parameters.get(rule.endpoint, ())})
        query = urlencode([(name, payload) for name in names])
        sent = Request(path=path, query=query, headers=HTMX if number % 2 else {})
        assert away(house, browsers[role], sent) == [], sent.told()


def test_no_header_leads_elsewhere(house: Flask, atlas: Atlas) -> None:
    """A stranger is sent to the login and back from there; a form goes back where it came from."""
    pages = [address(house, atlas, rule) for rule in house.url_map.iter_rules()]
    stranger, person = Browser(house, STRANGER), Browser(house, Role.LEAD)
    for number, payload in enumerate(ELSEWHERE):
        wanted = {**HTMX, **dict.fromkeys(HEADERS, payload)}
        for browser in (stranger, person):
            sent = at(pages[number % len(pages)], headers=wanted)
            assert away(house, browser, sent) == [], sent.told()
            post = at("/keys", "POST", headers={**wanted, "X-CSRF-Token": browser.csrf})
            assert away(house, browser, post) == [], post.told()
        answer = stranger.send(at("/work", headers={**HTMX, "HX-Current-URL": payload}))
        back = stranger.send(at(answer.sent_to, headers={"Referer": payload}), keep=False)
        assert back.status == 200
        assert 'href="//evil' not in back.text


def _forms(atlas: Atlas) -> Iterator[Form]:
    """One of each endpoint that holds a way back."""
    for forms in atlas.forms.values():
        yield from [one for one in forms if one.method == "POST" and _held(one.values)][:1]


def test_no_form_leads_elsewhere(house: Flask, atlas: Atlas) -> None:
    steering = list(_forms(atlas))
    assert {form.action for form in steering} >= {"/theme", "/keys", "/login"}
    for form in steering:
        if form.action == "/login":
            continue  # below: each try costs a password hash
        browser = Browser(house, form.role)
        for payload in ELSEWHERE:
            fields = dict(form.values) | dict.fromkeys(_held(form.values), payload)
            body = urlencode({**fields, "csrf_token": browser.csrf}).encode()
            sent = at(form.action, "POST", headers={"Content-Type": FORM}, body=body)
            assert away(house, browser, sent) == [], sent.told()


@pytest.mark.parametrize("payload", ELSEWHERE)
def test_a_path_of_ours_is_one(house: Flask, payload: str) -> None:
    """The one place that decides; also for the login itself, whose form is in test_login."""
    with house.test_request_context("/"):
        chosen = fragments.local_path(payload)
    assert not is_foreign(chosen, "http://127.0.0.1:1")


def _trusting() -> Response:
    return redirect(request.args["next"])  # type: ignore[return-value]


def _checking_only_the_start() -> Response:
    wanted = request.args["next"]
    good = wanted.startswith("/") and not wanted.startswith("//")
    return redirect(wanted if good else "/")  # type: ignore[return-value]


@pytest.mark.parametrize("view", [_trusting, _checking_only_the_start])
def test_a_view_that_trusts_is_found(another: Flask, view: Callable[[], Response]) -> None:
    another.add_url_rule("/t/away", view_func=machine(view), endpoint="away")
    browser = Browser(another, STRANGER)
    found = [
        payload
        for payload in ELSEWHERE
        if away(another, browser, Request(path="/t/away", query=urlencode({"next": payload})))
    ]
    assert found
