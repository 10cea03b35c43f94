"""What a refund leaves behind: one unbroken trace from the click to the provider's notification;
and in no log, trace or metric anything of the person it is for, however it fails."""

from __future__ import annotations

import io
import logging
import re
import secrets
import sys
import threading
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from domain.observing import logs, traces
from domain.observing.logs import Style
from domain.operating import release_effect
from jobs import effects as work
from tests.journeys.people import Insured
from tests.journeys.town import Town
from tests.observing.collector import Collected, collecting
from tests.pages import PageClient, log_in_as
from webapp import create_app
from webapp.access.permissions import permitted
from webapp.cli import add_demo_staff

PEOPLE = 6
IBAN, EMAIL = "DE89370400440532013000", "person@example.com"
HOOK = "/hooks/stripe"


@pytest.fixture
def collected() -> Iterator[Collected]:
    with collecting() as found:
        yield found


def house(town: Town) -> Flask:
    app = create_app(town.world.settings)
    with app.app_context():
        add_demo_staff()
    return app


def ask_for_refund(app: Flask, insured: Insured, amount: str, note: str = "") -> UUID:
    """Clicks through the dialog; the id of the command it sent. A reduction is corrected by a
    document, so it reaches furthest."""
    browser = log_in_as(app, "mia")
    url = f"/payments/{insured.payment()}/refund"

    def hidden(css: str, html: object) -> dict[str, str]:
        fields = html.select(css)  # type: ignore[attr-defined]
        return {str(one.get("name")): str(one.get("value")) for one in fields}

    form = {
        **hidden("form[action*='/refund'] input[type=hidden]", browser.get(url)),
        "amount": amount,
        "reason": "premium-reduction",
        "note": note,
    }
    form |= hidden("input[type=hidden]", browser.post(url, form, htmx="div#preview", status=200))
    browser.post(url, form)
    return UUID(form["command_id"])


def names(found: Collected, trace: str) -> list[str]:
    return [one.name for one in found.of(trace)]


def test_one_refund_is_one_trace(town: Town, collected: Collected) -> None:
    insured = town.someone()
    command_id = ask_for_refund(house(town), insured, "30,00")
    town.world.settle()
    town.days(3)
    traces.flush()
    told = names(collected, command_id.hex)
    for wanted in (
        "POST /payments/<payment_id>/refund",
        "command RequestRefund",
        "event refund-requested",
        "event refund-approved",
        "effect submit_refund",
        "command SubmitRefund",
        "event refund-submitted",
        "stripe POST /v1/refunds",
        "event refund-accepted",
        "POST /hooks/<provider>",
        "effect translate",
        "event refund-confirmed",
        "flow refunding",
        "event correction-issued",
        "effect render",
    ):
        assert wanted in told, (wanted, sorted(set(told)))
    assert collected.broken(command_id.hex) == []
    roots = [one.name for one in collected.of(command_id.hex) if not one.parent]
    assert roots == ["POST /payments/<payment_id>/refund"]


def test_a_second_person_joins_the_trace(town: Town, collected: Collected) -> None:
    insured, app = town.someone(), house(town)
    command_id = ask_for_refund(app, insured, "500,00")
    town.world.settle()
    state = town.world.state(insured.payment())
    (refund_id,) = state.refunds
    browser = log_in_as(app, "jon")
    page = browser.get(f"/refunds/{refund_id}/approve")
    fields = page.select("form[action$='/approve'] input[type=hidden]")
    browser.post(
        f"/refunds/{refund_id}/approve",
        {str(one.get("name")): str(one.get("value")) for one in fields},
    )
    town.world.settle()
    traces.flush()
    told = names(collected, command_id.hex)
    assert "POST /refunds/<refund_id>/approve" in told
    assert "stripe POST /v1/refunds" in told
    assert collected.broken(command_id.hex) == []


def test_with_tracing_off_nothing_is_asked_and_nothing_sent(town: Town) -> None:
    assert not traces.enabled()
    with traces.span("anything"):
        assert not traces.undecided()
        assert traces.current_trace() == ""


@pytest.fixture(params=["json", "text"])
def said(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything this process logs, as it would stand in the file, down to debugging."""
    style: Style = request.param
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook
    out = io.StringIO()
    logs.set_up("test", style, out)
    logging.getLogger("kontor").setLevel(logging.DEBUG)
    yield out
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("kontor").setLevel(logging.NOTSET)


def failing_everywhere(town: Town, app: Flask, canary: str) -> list[str]:
    """Requests, workers and hooks that go well and that break with the canary in their hands;
    what must stand nowhere afterwards."""
    insured, browser = town.someone(), log_in_as(app, "mia")
    stranger = PageClient(app, app.test_client())
    ask_for_refund(app, insured, "10,00", note=f"Grund: {canary}")
    town.world.settle()
    browser.get(f"/search?q={canary}")
    browser.get(f"/payments/{canary}", status=404)
    stranger.get(f"/{canary}", status=404)
    login = stranger.get("/login")
    token = str(login.select("input[name=csrf_token]")[0].get("value"))
    stranger.csrf = token
    stranger.post("/login", {"login": canary, "password": f"pass-{canary}"}, status=422)
    body = f'{{"id": "evt_1", "data": {{"object": "{canary}"}}}}'
    app.test_client().post(HOOK, data=body, headers={"Stripe-Signature": canary})
    with pytest.MonkeyPatch.context() as patched:

        def broken(*_: object) -> None:
            raise ValueError(f"cannot digest {canary} with {IBAN} of {EMAIL}")

        patched.setitem(app.view_functions, "payments.index", permitted("payment.read")(broken))
        browser.get("/payments", status=500)
        patched.setitem(work.HANDLERS, "render", broken)
        ask_for_refund(app, town.someone(), "10,00", note=canary)
        town.world.settle()
    settings = town.world.settings
    session = browser.client.get_cookie(f"kontor-session-{settings.port}")
    assert session is not None
    keys = [settings.stripe_api_key, settings.stripe_webhook_secret, settings.secret_key]
    return [canary, IBAN, EMAIL, "Nadia", "Brandt", session.value, browser.csrf, token, *keys]


def test_no_sink_holds_anything_of_a_person(
    town: Town, said: io.StringIO, collected: Collected
) -> None:
    app, canary = house(town), "Kanarienvogel" + secrets.token_hex(4)
    secret = failing_everywhere(town, app, canary)
    traces.flush()
    sent = {"Authorization": f"Bearer {town.world.settings.metrics_token}"}
    metrics = app.test_client().get("/metrics", headers=sent).get_data(as_text=True)
    sinks = {
        "log": said.getvalue(),
        "traces": collected.raw.decode("utf-8", "replace"),
        "metrics": metrics,
        "audit": str(town.world.rows("SELECT act, subject, reason FROM audit")),
    }
    assert "is parked" in sinks["log"]
    assert "ValueError" in sinks["log"]
    assert len(collected.spans) > 20
    for name, text in sinks.items():
        found = [one for one in secret if one in text]
        assert found == [], (
            name,
            found,
            re.findall(rf".*{re.escape((found or ['-'])[0])}.*", text),
        )
    for (effect_id,) in town.world.rows("SELECT effect_id FROM effect WHERE status = 'parked'"):
        release_effect(town.world.kontor, effect_id, "staff:otto")
    town.world.settle()
