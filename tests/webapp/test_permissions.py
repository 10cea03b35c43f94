"""The permission table, route by route and role by role, and that nothing escapes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from config import Settings
from tests.pages import AsRole, PageClient
from webapp import create_app, permissions
from webapp.blueprints import home
from webapp.models import Audit, db
from webapp.permissions import ACTS, MACHINE, PUBLIC, Role, RouteWithoutPermission, act_of, may

NAMES = ("support", "operations", "finance", "lead", "auditor", "admin")
# Written out a second time on purpose: who changes a right has to say so twice.
WHO = {
    "account.own": NAMES,
    "search": NAMES[:5],
    "case.read": NAMES[:5],
    "case.act": NAMES[:4],
    "customer.read": NAMES[:5],
    "payment.read": NAMES[:5],
    "payment.check_now": NAMES[:4],
    "refund.request": NAMES[:4],
    "refund.withdraw": NAMES[:4],
    "refund.approve": ("operations", "finance", "lead"),
    "refund.reject": ("operations", "finance", "lead"),
    "iban.full": ("finance", "lead", "auditor"),
    "invoice.read": NAMES[:5],
    "pdf.read": NAMES[:5],
    "statement.upload": ("operations", "finance"),
    "stream.read": NAMES[:5],
    "stream.release": NAMES[:4],
    "effect.release": NAMES[:4],
    "inbox.read": NAMES[:5],
    "inbox.translate": NAMES[:4],
    "staff.manage": ("admin",),
    "sandbox.read": NAMES,
    "sandbox.clock": ("support", "operations", "finance", "lead", "admin"),
    "sandbox.faults": ("support", "operations", "finance", "lead", "admin"),
    "style.read": NAMES,
}


def test_the_table_says_who_may_what() -> None:
    table = {act: tuple(role for role in Role if may(role, act, sandbox=True)) for act in ACTS}
    assert table == WHO


def test_sandbox_acts_do_not_exist_in_production() -> None:
    sandbox_only = {act for act in ACTS if not may(Role.LEAD, act, sandbox=False)} - {
        act for act in ACTS if not may(Role.LEAD, act, sandbox=True)
    }
    assert sandbox_only == {"sandbox.read", "sandbox.clock", "sandbox.faults", "style.read"}


def test_a_route_without_a_mark_stops_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # home.index is a real route; without its mark it is a forgotten one.
    monkeypatch.delattr(home.index, permissions.MARK)
    with pytest.raises(RouteWithoutPermission, match=r"home\.index"):
        create_app(settings)


def test_an_act_outside_the_table_cannot_be_named() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        permissions.permitted("nonsense")


def test_the_table_prints_as_markdown() -> None:
    lines = permissions.as_markdown().splitlines()
    assert len(lines) == len(ACTS) + 2
    request = next(line for line in lines if "`refund.request`" in line)
    assert request.count("yes") == 4


def _routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(method, path with made-up values, act) of every route that asks for a person."""
    for rule in app.url_map.iter_rules():
        act = act_of(app, rule.endpoint)
        if act in (PUBLIC, MACHINE, None):
            continue
        # A number is also a good enough text; the gate stands before anything is looked up.
        built = rule.build(dict.fromkeys(rule.arguments, "1"))
        path = str(built[1]) if built else rule.rule
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path, str(act)


@pytest.mark.parametrize("role", list(Role))
def test_every_route_is_shut_for_every_role_without_the_right(
    app: Flask, as_role: AsRole, role: Role
) -> None:
    shut = [route for route in _routes(app) if not may(role, route[2], sandbox=True)]
    for method, path, act in shut:
        browser = as_role(role)
        page = browser.get(path, status=403) if method == "GET" else browser.post(path, status=403)
        assert page.h1 == "Your role may not do this"
        with app.app_context():
            row = db.session.scalars(select(Audit).order_by(Audit.id.desc())).first()
            assert row is not None
            assert (row.act, row.outcome) == (act, "denied")


def test_every_route_sends_a_stranger_to_the_login(app: Flask, anonymous: PageClient) -> None:
    for method, path, _act in _routes(app):
        if method == "GET":
            assert "/login" in anonymous.get(path, status=303).location
        else:
            assert "/login" in anonymous.post(path).location


def test_htmx_is_sent_to_the_login_as_a_whole_page(anonymous: PageClient) -> None:
    page = anonymous.get("/staff", htmx="dialog#dialog", status=200)
    assert page.response.headers["HX-Redirect"].startswith("/login")
    assert page.html == ""


def test_a_right_is_gone_with_the_role(app: Flask, as_role: AsRole) -> None:
    browser = as_role("admin")
    browser.get("/staff")
    with app.app_context():
        db.session.execute(db.text("UPDATE staff SET role = 'support' WHERE login = 'ben'"))
        db.session.commit()
    browser.get("/staff", status=403)
