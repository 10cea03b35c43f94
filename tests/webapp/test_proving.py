"""Before money is approved or an account changes, a session that was proved too long ago is asked
for password and code; what was entered is kept, and without the proof nothing happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from domain.payments.events import Reason
from domain.payments.refund import Refund, Status
from tests.pages import AsRole, PageClient, words
from tests.readmodels.kit import Following, Story
from tests.webapp.authenticator import code_of, forget_used_codes, let_pass
from tests.webapp.test_refunds import POSSIBLE
from webapp.access import passwords, permissions, security, sessions
from webapp.models import Audit, StaffChange, db

DIALOG = "dialog#dialog"


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


@pytest.fixture
def refund_id(kit: Following) -> str:
    story = Story(kit)
    story.confirmed()
    kit.at(POSSIBLE)
    return story.refund(120_00, Reason.GOODWILL, by="staff:stf_mia")


def status(kit: Following, refund_id: str) -> Status:
    state = kit.kontor.state(refund_id)
    assert isinstance(state, Refund)
    return state.status


def asked(browser: PageClient, refund_id: str) -> dict[str, str]:
    """The form of the approval, as the person saw it."""
    page = browser.get(f"/refunds/{refund_id}/approve")
    fields = page.select("form[action$='/approve'] input[type=hidden]")
    return {str(f.get("name")): str(f.get("value")) for f in fields}


def grow_stale(app: Flask) -> None:
    let_pass(app, "staff_session", proved_at=sessions.FRESH_FOR)


def test_money_is_approved_after_the_password_and_the_code(
    app: Flask, kit: Following, refund_id: str, as_role: AsRole
) -> None:
    eva = as_role("lead")
    form = asked(eva, refund_id)
    grow_stale(app)
    before = eva.client.get_cookie(_cookie(app))
    page = eva.post(f"/refunds/{refund_id}/approve", form, htmx=DIALOG, status=403)
    assert "Is it you?" in page.text
    assert status(kit, refund_id) is Status.REQUESTED
    kept = {str(f.get("name")): str(f.get("value")) for f in page.select("input[type=hidden]")}
    assert {name: kept[name] for name in form} == form
    wrong = {**kept, "proof_password": "hafenlicht-eva", "proof_code": "000000"}
    page = eva.post(f"/refunds/{refund_id}/approve", wrong, htmx=DIALOG, status=422)
    assert "This code is wrong" in words(page.one("[role=alert]"))
    assert status(kit, refund_id) is Status.REQUESTED
    right = {**kept, "proof_password": "hafenlicht-eva", "proof_code": code_of(app, "eva")}
    eva.post(f"/refunds/{refund_id}/approve", right)
    assert status(kit, refund_id) is Status.APPROVED
    after = eva.client.get_cookie(_cookie(app))
    assert before is not None
    assert after is not None
    assert before.value != after.value
    with app.app_context():
        rows = db.session.scalars(select(Audit).where(Audit.act == "account.prove")).all()
    assert [(row.outcome, row.subject, row.reason) for row in rows] == [
        ("failed", "refund.approve", "second factor"),
        ("allowed", "refund.approve", None),
    ]


def test_a_role_without_a_second_factor_gives_the_password(
    app: Flask, kit: Following, refund_id: str, as_role: AsRole
) -> None:
    jon = as_role("operations")
    form = asked(jon, refund_id)
    grow_stale(app)
    page = jon.post(f"/refunds/{refund_id}/approve", form, status=403)
    assert page.h1 == "Is it you?"
    assert not page.select("#proof_code")
    wrong = {**form, "proof_password": "wrong"}
    assert "wrong" in jon.post(f"/refunds/{refund_id}/approve", wrong, status=422).text
    jon.post(f"/refunds/{refund_id}/approve", {**form, "proof_password": "hafenlicht-jon"})
    assert status(kit, refund_id) is Status.APPROVED


def test_switched_off_the_stale_session_approves(
    app: Flask,
    kit: Following,
    refund_id: str,
    as_role: AsRole,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same attempt without the flag: that is what it protects from."""
    jon = as_role("operations")
    form = asked(jon, refund_id)
    grow_stale(app)
    row = permissions.ACTS["refund.approve"]
    loose = permissions.Act(row.what, row.roles)
    monkeypatch.setitem(permissions.ACTS, "refund.approve", loose)
    jon.post(f"/refunds/{refund_id}/approve", form)
    assert status(kit, refund_id) is Status.APPROVED


def test_a_copied_cookie_approves_nothing_after_a_rotation(
    app: Flask, kit: Following, refund_id: str, as_role: AsRole
) -> None:
    """The token before a rotation reads for some seconds more; it is no proof."""
    jon = as_role("operations")
    form = asked(jon, refund_id)
    old = jon.client.get_cookie(_cookie(app))
    assert old is not None
    let_pass(app, "staff_session", rotated_at=sessions.ROTATE_AFTER)
    jon.get("/account")
    copied = PageClient(app, app.test_client(), jon.csrf)
    copied.client.set_cookie(_cookie(app), old.value)
    copied.post(f"/refunds/{refund_id}/approve", form, status=403)
    assert status(kit, refund_id) is Status.REQUESTED


def test_guessing_the_password_of_an_open_session_is_stopped(
    app: Flask, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "PAIR_TRIES", 2)
    ben = as_role("admin")
    grow_stale(app)
    form = {"kind": "disable", "proof_password": "wrong", "proof_code": "1"}
    for code in (422, 422, 429):
        ben.post("/staff/stf_mia/change", form, status=code)
    form |= {"proof_password": "hafenlicht-ben", "proof_code": code_of(app, "ben")}
    ben.post("/staff/stf_mia/change", form, status=429)
    with app.app_context():
        assert not db.session.scalars(select(StaffChange)).all()


def test_accounts_and_own_secrets_ask_too_and_looking_does_not(app: Flask, as_role: AsRole) -> None:
    ben = as_role("admin")
    grow_stale(app)
    for path in ("/staff/new", "/staff/stf_mia/change", "/account/password", "/account/factor"):
        ben.get(path)
        page = ben.post(path, {"kind": "disable", "note": "a\nb <c>"}, status=403)
        assert page.select("input[name=note]")[0].get("value") == "a\nb <c>"
    ben.post("/account/recovery-codes", status=403)
    right = {"proof_password": "hafenlicht-ben", "proof_code": code_of(app, "ben")}
    page = ben.post("/account/recovery-codes", right, status=200)
    assert len(page.select("li.id")) == 10
    # The proof holds for a while, and its code is used up.
    ben.post("/account/recovery-codes", status=200)
    grow_stale(app)
    ben.post("/account/recovery-codes", right, status=422)
    forget_used_codes(app)
    ben.post("/account/recovery-codes", right, status=200)


def _cookie(app: Flask) -> str:
    return security.cookie_name("session", app.extensions["kontor.settings"])
