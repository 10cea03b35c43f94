"""The permission table, and that nothing escapes it. What it means for every address, role and
method is in the access matrix (tests/webapp/access)."""

from __future__ import annotations

import pytest
from flask import Flask

from config import Settings
from tests.pages import AsRole, PageClient
from webapp import create_app
from webapp.access import permissions
from webapp.access.permissions import ACTS, Role, RouteWithoutPermission, may
from webapp.blueprints import home
from webapp.models import db

NAMES = ("support", "operations", "finance", "lead", "auditor", "admin")
# Written out a second time on purpose: who changes a right has to say so twice.
WHO = {
    "account.own": NAMES,
    "account.secure": NAMES,
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
    "system.read": ("operations", "finance", "lead", "auditor", "admin"),
    "view.own": NAMES[:5],
    "view.share": ("operations", "finance", "lead"),
    "export.own": NAMES,
    "data.open": ("finance", "lead", "auditor", "admin"),
    "data.read": ("finance", "lead", "auditor"),
    "audit.read": ("auditor", "admin"),
    "provider.ask": ("operations", "finance", "lead", "admin"),
    "staff.manage": ("admin",),
    "staff.propose": ("admin",),
    "staff.confirm": ("admin",),
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


def test_what_moves_money_or_rights_asks_who_is_there() -> None:
    fresh = {act for act, row in ACTS.items() if row.fresh}
    assert fresh == {"account.secure", "refund.approve", "staff.propose", "staff.confirm"}


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
