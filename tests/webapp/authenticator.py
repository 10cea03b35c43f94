"""The telephone in a test: codes of a demo person, and steps of database time that have passed."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import text, update

from tests.pages import PageClient
from webapp.access import second_factor
from webapp.cli import DEMO_STAFF
from webapp.models import Staff, db


def code_of(app: Flask, login: str, offset: int = 0) -> str:
    """The code that this person's telephone shows, `offset` steps from now."""
    demo = next(demo for demo in DEMO_STAFF if demo.login == login)
    with app.app_context():
        return second_factor.code_at(demo.totp, second_factor.now_step() + offset)


def forget_used_codes(app: Flask) -> None:
    """As if the last code had been used long ago."""
    with app.app_context():
        db.session.execute(update(Staff).values(totp_step=None))
        db.session.commit()


def let_pass(app: Flask, table: str, **columns: timedelta) -> None:
    """Moves instants of all rows of a table into the past."""
    with app.app_context():
        for column, by in columns.items():
            statement = f"UPDATE {table} SET {column} = {column} - :by"
            db.session.execute(text(statement), {"by": by})
        db.session.commit()


def password_step(browser: PageClient, login: str, **more: object) -> str:
    """The first step of the login; the address of the second."""
    token = str(browser.get("/login?again=1").select("input[name=csrf_token]")[0].get("value"))
    form = {"login": login, "password": f"hafenlicht-{login}", **more}
    return browser.post("/login", form, csrf=token).location


def code_step(browser: PageClient, code: str, status: int = 303) -> str:
    """The second step: where it leads, or what it says."""
    page = browser.get("/login/code")
    token = str(page.select("input[name=csrf_token]")[0].get("value"))
    answer = browser.post("/login/code", {"code": code}, csrf=token, status=status)
    return answer.location or " ".join(answer.one("[role=alert]").text_content().split())
