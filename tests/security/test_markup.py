"""Sixty texts that would become markup, and templates, in every field that people, providers, banks
and files can fill: on every page, fragment, toast and document they are text and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest
from flask import Flask, render_template_string, request
from markupsafe import Markup

from bench.atlas import Atlas, Form, walked
from bench.browser import EVERYBODY, FORM, STRANGER, Browser, Request, at
from bench.hostile import MARK, MARKUP, QUERIES
from tests.security.markup import HOSTILE, escaped
from tests.security.routes import address, hostile_address, shared
from webapp.access.permissions import Role, machine
from webapp.retold import retold

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "dialog#dialog"}
POLL = {**HTMX, "HX-Target": "tbody#rows"}


def test_sixty_payloads() -> None:
    assert len(set(MARKUP)) >= 60
    assert all(MARK in one for one in MARKUP)


def test_what_is_stored_stays_text_on_every_page(infested: Flask) -> None:
    """Also as a dialog and as rows, of every kind of page the roles find."""
    atlas = walked(infested, [Role.LEAD, Role.ADMIN], looks=len(HOSTILE) + 2)
    shown = set()
    for (role, url), answer in atlas.seen.items():
        assert answer.status < 500, url
        assert escaped(answer) == [], (role, url)
        if MARK in answer.text:
            shown.add(url)
    assert len(shown) > 60, "hardly anything was told"
    for endpoint, urls in atlas.urls.items():
        url, role = next(iter(urls.items()))
        if atlas.seen.get((role, url)) is None:
            continue
        browser = Browser(infested, role)
        for headers in (HTMX, POLL):
            assert escaped(browser.send(at(url, headers=headers))) == [], (endpoint, url)
    for kind in ("work", "payments", "refunds", "invoices", "payouts", "statements", "stream"):
        assert any(url.startswith(f"/{kind}/") for url in shown), f"{kind} shows nothing of it"


def test_what_is_sent_back_stays_text(house: Flask, atlas: Atlas) -> None:
    """Reflected: every parameter of every route, and addresses that do not exist."""
    browsers = {role: Browser(house, role) for role in EVERYBODY}
    for number, (rule, text) in enumerate(shared(house, HOSTILE)):
        path = address(house, atlas, rule).partition("?")[0]
        role = next(iter(atlas.urls.get(rule.endpoint, {}).values()), STRANGER)
        names = sorted({"q", "next", "sort", "after", *atlas.parameters.get(rule.endpoint, ())})
        headers = ({}, HTMX, POLL)[number % 3]
        query = urlencode([(name, text) for name in names])
        sent = [Request(path=path, query=query, headers=headers)]
        sent += [at(one, headers=headers) for one in hostile_address(rule, text)]
        for one in sent:
            assert escaped(browsers[role].send(one, keep=False)) == [], one.told()
    for text in HOSTILE:
        for browser in (browsers[STRANGER], browsers[Role.LEAD]):
            assert escaped(browser.send(at(f"/{quote(text)}"))) == []


def test_what_is_typed_stays_text(house: Flask, atlas: Atlas) -> None:
    """Every form of the map, with a hostile text in each field that people type into and in each
    of the others: the form that comes back, the toast, and the page behind it."""
    sent = 0
    browsers = {role: Browser(house, role) for role in EVERYBODY}
    for endpoint, forms in atlas.forms.items():
        for form in [one for one in forms if one.method == "POST"][:1]:
            if endpoint in ("auth.enter", "auth.logout"):
                continue  # the login has its test below; after a logout there is nobody
            for number, text in enumerate(HOSTILE):
                _submit(browsers[form.role], form, text, HTMX if number % 2 else {})
                sent += 1
    assert sent > 10 * len(HOSTILE)


def _submit(browser: Browser, form: Form, text: str, htmx: dict[str, str]) -> None:
    values = dict(form.values)
    fields = {**values, **dict.fromkeys(form.typed or set(values), text)}
    body = urlencode({**fields, "csrf_token": browser.csrf}).encode()
    headers = {"Content-Type": FORM, **htmx}
    answer = browser.send(at(form.action, "POST", headers=headers, body=body))
    assert escaped(answer) == [], form.action
    if answer.sent_to.startswith("/login"):
        browser.renew()
    elif answer.sent_to:
        assert escaped(browser.send(at(answer.sent_to))) == [], form.action


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_the_login_repeats_a_name_as_text(house: Flask, number: int) -> None:
    browser = Browser(house, STRANGER, client=f"127.0.9.{number}")
    form = {"login": HOSTILE[number], "password": "x", "next": HOSTILE[number]}
    body = urlencode({**form, "csrf_token": browser.csrf}).encode()
    answer = browser.send(at("/login", "POST", headers={"Content-Type": FORM}, body=body))
    assert answer.status == 422
    assert escaped(answer) == []


def test_a_filter_is_a_value_and_never_a_query(house: Flask, atlas: Atlas) -> None:
    """SQL in every parameter of every list, one at a time: no error, no sleep, no secret."""
    browsers = {role: Browser(house, role) for role in EVERYBODY}
    for number, (rule, text) in enumerate(shared(house, QUERIES)):
        path, role = next(iter(atlas.urls.get(rule.endpoint, {"": STRANGER}).items()))
        # Each parameter gets three of them; the fuzzer sends all to all.
        for name in sorted(atlas.parameters.get(rule.endpoint, ()))[number % 4 :: 4]:
            sent = Request(path=path.partition("?")[0], query=urlencode({name: text}))
            answer = browsers[role].send(sent, keep=False)
            assert answer.status in (200, 303, 400, 404, 405, 422), sent.told()
            assert "$argon2" not in answer.text


def _raw() -> str:
    return request.args["q"]


def _unescaped() -> str:
    return render_template_string("<p>{{ q|safe }}</p>", q=request.args["q"])


def _in_an_attribute() -> str:
    return render_template_string("<p title={{ q }}>x</p>", q=request.args["q"])


def _as_an_address() -> str:
    return render_template_string('<a href="{{ q }}">x</a>', q=request.args["q"])


def _formatted() -> str:
    return Markup("<p>" + request.args["q"] + "</p>")


def _as_a_template() -> str:
    return render_template_string(request.args["q"])


@pytest.mark.parametrize(
    "view", [_raw, _unescaped, _in_an_attribute, _as_an_address, _formatted, _as_a_template]
)
def test_the_check_finds_it(another: Flask, view: Callable[[], str]) -> None:
    another.add_url_rule("/t/echo", view_func=machine(view), endpoint="echo")
    browser = Browser(another, STRANGER)
    found: list[str] = []
    for text in (*MARKUP, "{{31337*31337}}"):
        found += escaped(browser.send(Request(path="/t/echo", query=urlencode({"q": text}))))
    assert found


def test_the_check_accepts_what_is_escaped(another: Flask) -> None:
    def view() -> str:
        return render_template_string(
            '<p title="{{ q }}">{{ q }}</p><a href="/x?q={{ q|urlencode }}">x</a>',
            q=request.args["q"],
        )

    another.add_url_rule("/t/good", view_func=machine(view), endpoint="good")
    browser = Browser(another, STRANGER)
    for text in HOSTILE:
        answer = browser.send(Request(path="/t/good", query=urlencode({"q": text})))
        assert escaped(answer) == []
        assert MARK in answer.text or "31337" in answer.text


@pytest.mark.parametrize(
    "stored",
    [
        "Refused: '\\' is no amount.",
        "Refused: 'a'b' is no amount.",
        f"The file has more than {'9' * 5_000} bytes.",
        "<script>xq7()</script>",
    ],
)
def test_a_reason_that_only_looks_like_ours_is_shown_as_text(house: Flask, stored: str) -> None:
    """Reasons come from files and providers; a page once broke on a quote that was none."""
    with house.test_request_context("/"):
        assert "<script" not in retold(stored)
