"""Whatever breaks, people read a sentence and a reference: never a trace, never what was in hand.
A failure is forced on every route, as page, fragment and dialog, and with the database away."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bench.atlas import Atlas, family
from bench.browser import STRANGER, Answer, Browser, at
from bench.fuzz import faults
from tests.security.routes import address, shared
from webapp import create_app
from webapp.access import security
from webapp.access.permissions import ACTS, MARK, Role, act_of

SECRET = "iban DE89370400440532013000 of secret-detail"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
WAYS = (
    {},
    {**HTMX, "HX-Target": "tbody#rows"},
    {**HTMX, "HX-Target": "dialog#dialog"},
)
SHUT = {
    "static",
    *("auth.ask_code", "auth.code", "auth.ask_setup", "auth.setup"),  # after a password only
    # With the token of a page that is broken, too.
    *("auth.enter", "account.set_by_link", "language.choose"),
}
"""Where nobody gets far enough to see a failure here."""
REFERENCE = re.compile(r"\b[0-9a-f]{8}\b")


class Broken(Exception):
    """Says what must not be repeated."""


def _breaks(**_arguments: object) -> str:
    raise Broken(SECRET)


@pytest.fixture
def broken(house: Flask) -> Iterator[Flask]:
    """Every view of an app raises; its mark, and so its door, stays."""
    app = create_app(house.extensions["kontor.settings"])
    for endpoint in app.view_functions:
        act = act_of(app, endpoint)

        def view(**arguments: object) -> str:
            return _breaks(**arguments)

        setattr(view, MARK, act)
        if endpoint != "static":
            app.view_functions[endpoint] = view
    yield app
    app.extensions["kontor"].database.close()


def _role(app: Flask, rule: Rule) -> str:
    """One that may open it."""
    act = act_of(app, rule.endpoint)
    row = ACTS.get(str(act))
    if row is None:
        return STRANGER
    return Role.LEAD if Role.LEAD in row.roles else sorted(row.roles)[0]


def _calm(answer: Answer, app: Flask) -> list[str]:
    """Findings but for the failure itself."""
    found = faults(dataclasses.replace(answer, error=None), app)
    found = [one for one in found if not one.startswith("answered 5")]
    return found + [word for word in ("Broken", "secret", "DE89", "psycopg") if word in answer.text]


def test_a_failure_of_any_route_is_a_sentence_and_a_reference(
    broken: Flask, atlas: Atlas, caplog: pytest.LogCaptureFixture
) -> None:
    browsers: dict[str, Browser] = {role: Browser(broken, role) for role in Role}
    # The login page is broken, too: this one has never seen it.
    browsers |= {STRANGER: Browser(broken, STRANGER, new=True)}
    seen: set[str] = set()
    for rule, headers in shared(broken, WAYS):
        browser = browsers[_role(broken, rule)]
        for method in sorted({"GET", "POST"} & set(rule.methods or ())):
            url = address(broken, atlas, rule)
            sent = at(url, method, headers={**headers, "X-CSRF-Token": browser.csrf})
            caplog.clear()
            answer = browser.send(sent, keep=False)
            if answer.status != 500 or rule.endpoint == "static":
                continue  # a door of its own: a second factor, a fresh proof
            seen.add(family(rule.endpoint))
            assert _calm(answer, broken) == [], sent.told()
            told = REFERENCE.findall(answer.text)
            assert any(one in caplog.text for one in told), "no reference that the log knows"
    doors = {family(rule.endpoint) for rule in broken.url_map.iter_rules()} - seen
    assert doors <= SHUT, doors


def test_without_a_database_every_route_says_so(house: Flask, atlas: Atlas) -> None:
    settings = house.extensions["kontor.settings"]
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    app = create_app(away)
    browser = Browser(app, STRANGER, new=True)
    browser.cookies[security.cookie_name("session", away)] = "x" * 43
    answers = {}
    for rule, headers in shared(app, WAYS):
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        answer = browser.send(at(address(app, atlas, rule), method, headers=headers))
        assert _calm(answer, app) == [], (rule.rule, answer.text)
        answers[rule.endpoint] = answer.status
    assert answers.pop("static") == 200
    machines = {name: status for name, status in answers.items() if status != 503}
    assert set(machines) <= {"health.livez", "hooks.receive"} | {
        name for name in machines if name.startswith(("health.", "system."))
    }, machines


def test_nothing_of_a_failure_is_interactive(house: Flask) -> None:
    """Werkzeug's debugger is off, and stays off whatever the environment says."""
    assert not house.debug
    assert not house.config["PROPAGATE_EXCEPTIONS"]
    answer = Browser(house, STRANGER).send(at("/console"))
    assert answer.status == 404
    assert "debugger" not in answer.text.lower()
