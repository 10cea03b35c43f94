"""Notifications over HTTP: forged, stale, malformed, repeated, odd. 400 stores nothing, 200 stores
once, and nothing ends in a 500."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import time

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from config import Settings
from domain.stream import database
from tests.pages import AsRole, PageClient, words
from webapp import create_app, hook_refusals
from webapp.access.permissions import Role
from webapp.models import HookRefusal, db

EVENT = {"id": "evt_1", "type": "refund.updated", "data": {"object": {"id": "re_1"}}}
BODY = json.dumps(EVENT).encode()


def signed(settings: Settings, body: bytes, *, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    key = settings.stripe_webhook_secret.encode()
    digest = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}", "Content-Type": "application/json"}


def stored(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        inbox = db.session.execute(text("SELECT notification_id, verdict FROM inbox")).all()
        effects = db.session.execute(text("SELECT count(*) FROM effect")).scalar_one()
    assert effects == len(inbox)
    return [(str(row[0]), str(row[1])) for row in inbox]


def counted(app: Flask) -> dict[tuple[str, str], int]:
    with app.app_context():
        return {(one.provider, one.reason): one.times for one in hook_refusals.recent()}


def test_a_signed_notification_is_stored_once(
    app: Flask, settings: Settings, anonymous: PageClient
) -> None:
    for _ in range(3):
        answer = anonymous.client.post("/hooks/stripe", data=BODY, headers=signed(settings, BODY))
        assert answer.status_code == 200
        assert answer.headers["X-Request-Id"]
    assert stored(app) == [("evt_1", "verified")]
    assert counted(app) == {}


def test_without_the_database_it_is_told_to_come_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECTION_WAIT_S", 0.2)
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    client = create_app(away).test_client()
    answer = client.post("/hooks/stripe", data=BODY, headers=signed(settings, BODY))
    assert answer.status_code == 503
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_body_is_not_stored_in_clear(
    app: Flask, settings: Settings, anonymous: PageClient
) -> None:
    body = BODY.replace(b"refund.updated", b"Nadia Brandt")
    anonymous.client.post("/hooks/stripe", data=body, headers=signed(settings, body))
    with app.app_context():
        row = db.session.execute(text("SELECT body, headers FROM inbox")).one()
    assert all(b"Nadia" not in bytes(column) for column in row)


@pytest.mark.parametrize("late", [-301, 301], ids=["stale", "future"])
def test_a_wrong_time_is_refused(
    app: Flask, settings: Settings, anonymous: PageClient, late: int
) -> None:
    headers = signed(settings, BODY, at=time.time() + late)
    assert anonymous.client.post("/hooks/stripe", data=BODY, headers=headers).status_code == 400
    assert stored(app) == []


@pytest.mark.parametrize(
    "signature", ["", "garbage", "t=1,v1=" + "0" * 64, "t=,v1=", "v1=x", "t=1;v1=2", "\u00e4"]
)
def test_a_forged_notification_is_refused_and_counted(
    app: Flask, anonymous: PageClient, signature: str
) -> None:
    headers = {"Stripe-Signature": signature.encode("utf-8").decode("latin-1")}
    assert anonymous.client.post("/hooks/stripe", data=BODY, headers=headers).status_code == 400
    [(provider, _reason)] = counted(app)
    assert provider == "stripe"
    assert sum(counted(app).values()) == 1
    assert stored(app) == []


def test_a_changed_body_is_refused(app: Flask, settings: Settings, anonymous: PageClient) -> None:
    headers = signed(settings, BODY)
    changed = BODY.replace(b"re_1", b"re_2")
    assert anonymous.client.post("/hooks/stripe", data=changed, headers=headers).status_code == 400
    assert stored(app) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{" * 50_000,
        b'{"id":' * 50_000,
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id": 7, "data": {"object": {"id": "x"}}}',
        b'{"id": "\\u0000", "data": {"object": {"id": "x"}}}',
        b'{"id": "' + b"e" * 5000 + b'", "data": {"object": {"id": "x"}}}',
        b"\xff\xfe not utf-8",
        b'{"id": "\\ud800", "data": {"object": {"id": "x"}}}',
    ],
)
def test_signed_nonsense_is_refused(
    app: Flask, settings: Settings, anonymous: PageClient, body: bytes
) -> None:
    answer = anonymous.client.post("/hooks/stripe", data=body, headers=signed(settings, body))
    assert answer.status_code == 400
    assert stored(app) == []
    assert sum(counted(app).values()) == 1


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=300), name=st.text(max_size=12))
def test_no_body_and_no_provider_makes_a_500(
    settings: Settings, anonymous: PageClient, body: bytes, name: str
) -> None:
    for provider in ("stripe", name.replace("/", "")):
        answer = anonymous.client.post(
            f"/hooks/{provider}", data=body, headers=signed(settings, body)
        )
        assert answer.status_code in (200, 400, 404), (provider, body)


def test_an_unknown_provider_and_a_large_body(
    app: Flask, settings: Settings, anonymous: PageClient
) -> None:
    headers = signed(settings, BODY)
    assert anonymous.client.post("/hooks/other", data=BODY, headers=headers).status_code == 400
    big = b"x" * (1024 * 1024 + 1)
    answer = anonymous.client.post("/hooks/stripe", data=big, headers=signed(settings, big))
    assert answer.status_code == 413
    assert anonymous.client.get("/hooks/stripe").status_code == 405
    assert counted(app) == {("unknown", "unknown provider"): 1, ("stripe", "body too large"): 1}


def test_refusals_are_counted_across_restarts_and_shown_for_a_week(
    app: Flask, settings: Settings, anonymous: PageClient, as_role: AsRole
) -> None:
    shown = as_role(Role.AUDITOR).get("/stream")
    assert "None in the last 7 days" in shown.text
    for _ in range(3):
        anonymous.client.post("/hooks/stripe", data=BODY)
    other = create_app(settings)  # a second process, or the one after a restart
    try:
        other.test_client().post("/hooks/stripe", data=BODY)
    finally:
        other.extensions["kontor"].database.close()
    page = as_role(Role.SUPPORT).get("/stream")
    [row] = [tr for tr in page.select("tbody tr") if "no signature header" in words(tr)]
    assert [words(cell) for cell in row.cssselect("th, td")][:3] == [
        "Stripe",
        "no signature header",
        "4",
    ]
    with app.app_context():
        db.session.execute(update(HookRefusal).values(day=HookRefusal.day - 6))
        db.session.commit()
        assert [one.times for one in hook_refusals.recent()] == [4]
        db.session.execute(update(HookRefusal).values(day=HookRefusal.day - 1))
        db.session.commit()
        assert hook_refusals.recent() == []
