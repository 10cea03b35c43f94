"""GET and HEAD change nothing: every row of every table is the same before and after all of them by
every role, but for what is explained here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from psycopg import sql

from bench.atlas import Atlas
from bench.browser import EVERYBODY, STRANGER, Browser, at
from tests.security.routes import address, shared
from webapp.access.permissions import Role, machine
from webapp.models import Audit, db

EXPLAINED = {
    "public.audit": "looks at account numbers, documents and refusals are recorded",
    "public.staff_session": "when somebody was seen last, and the notice that was shown",
}


def digests(app: Flask) -> dict[str, str]:
    """The content of every table, as one number each."""
    with app.extensions["kontor"].read() as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        found = {}
        for schema, name in tables:
            query = sql.SQL("SELECT md5(string_agg(t::text, '~' ORDER BY t::text)) FROM {} t")
            row = connection.execute(query.format(sql.Identifier(schema, name))).fetchone()
            found[f"{schema}.{name}"] = str(row[0] if row else "")
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in after if before.get(name) != after[name]}


def test_looking_changes_nothing(house: Flask, atlas: Atlas) -> None:
    roles = EVERYBODY
    browsers = {role: Browser(house, role) for role in roles}
    before = digests(house)
    assert len(before) > 20
    for rule, role in shared(house, roles):
        browsers[role].send(at(address(house, atlas, rule)), keep=False)
    for rule, role in shared(house, (Role.LEAD,)):
        browsers[role].send(at(address(house, atlas, rule), "HEAD"), keep=False)
    for role, url in atlas.seen:
        if "?" in url:
            browsers[role].send(at(url), keep=False)
    assert changed(before, digests(house)) <= set(EXPLAINED)


def _notes() -> str:
    db.session.add(Audit(act="x", outcome="allowed"))
    db.session.commit()
    return ""


def _counts() -> str:
    db.session.execute(db.text("UPDATE installation SET clock = clock + interval '1 second'"))
    db.session.commit()
    return ""


@pytest.mark.parametrize(("view", "table"), [(_notes, "audit"), (_counts, "installation")])
def test_a_view_that_writes_is_seen(another: Flask, view: Callable[[], str], table: str) -> None:
    another.add_url_rule("/t/write", view_func=machine(view), endpoint="write")
    browser, before = Browser(another, STRANGER, new=True), digests(another)
    assert browser.send(at("/t/write")).status == 200
    assert changed(before, digests(another)) == {f"public.{table}"}
