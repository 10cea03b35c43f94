"""The demo insurer with one of everything, for tests that read the whole app; and what is data in
it: the names that people and banks wrote, and the codes of machines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin, urlsplit

import lxml.html
from flask import Flask
from sqlalchemy import update
from werkzeug.exceptions import HTTPException

from config import Settings
from domain.dispatch import Dispatcher
from domain.operating import health
from domain.payments.rules import CODES, REFUND_CODES
from domain.readmodels import stream
from domain.registry import EVENTS
from jobs.context import open_context
from jobs.demo.__main__ import load
from tests.journeys.world import running_simulator
from tests.pages import PageClient, log_in_as, login_of
from tests.readmodels.aside import parked_effect, parked_stream, quarantined
from tests.readmodels.kit import Following, Story
from tests.webapp.pseudo import DATA_ELEMENTS, Data, unwrapped
from webapp import create_app, faults
from webapp.access import resets
from webapp.blueprints.style import UNBROKEN
from webapp.cli import DEMO_STAFF, add_demo_staff
from webapp.hook_refusals import count as count_refused_hook
from webapp.lists.stream import MACHINES
from webapp.models import Staff, db

NAME_COLUMNS = [
    *("name", "customer", "recipient", "product", "label", "detail", "street", "city", "email"),
    *("counterparty", "remittance", "end_to_end_id", "note", "remark"),
]
"""Columns of read models that hold what people and banks wrote."""


@dataclass
class House:
    app: Flask
    data: Data
    raw: Data
    visited: Counter[str] = field(default_factory=Counter)

    def browser(self, role: str) -> PageClient:
        return log_in_as(self.app, login_of(role))

    def case(self) -> str:
        """The address of some open case."""
        with self.app.extensions["kontor"].read() as connection:
            row = connection.execute(
                "SELECT case_id FROM read.work_case WHERE closed_at IS NULL"
                " AND case_type <> 'refund-approval' ORDER BY 1 LIMIT 1"
            ).fetchone()
        return f"/work/{row[0]}"

    def rule(self, path: str) -> str | None:
        """The endpoint of a path; None for what is not ours to open by GET."""
        try:
            endpoint, _values = self.app.url_map.bind("localhost").match(path, method="GET")
        except HTTPException:
            return None
        return one_browser(str(endpoint))


def one_browser(endpoint: str) -> str:
    """The data browser has one endpoint per table; they are all made alike."""
    return re.sub(r"^data--\w+", "data", endpoint)


class Standing(Following):
    """Leaves the Clock where the demo insurer put it."""

    def at(self, moment: datetime) -> None:
        pass


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """With something set aside of every kind, an export, a saved view and a proposed change."""
    with running_simulator(settings) as control:
        context = open_context(settings)
        load(context, control)
        kit = Standing(context.dispatcher)
        Story(kit, "Ada Zuse").rendered()
        parked_effect(kit.kontor, "render")
        parked_stream(kit)
        quarantined(kit.kontor)
        kit.settle()
        app = create_app(settings)
        with app.app_context():
            add_demo_staff()
            count_refused_hook("stripe", "stale timestamp")
        house = House(app, data_of(kit.kontor), raw_data_of(kit.kontor))
        lead, admin = house.browser("lead"), house.browser("admin")
        lead.post("/exports?list=payments")
        lead.post("/views/new", {"list": "payments", "query": "status=settled", "name": "Ada Zuse"})
        admin.post("/staff/new", {"login": "a1", "name": "Ada Zuse", "role": "finance"})
        yield house
        app.extensions["kontor"].database.close()
        context.dispatcher.database.close()


def without_a_link(house: House) -> dict[str, str]:
    """Pages of people who are not in yet: endpoint -> page."""
    with house.app.app_context():
        token = resets.make("stf_kai", None)
        db.session.execute(update(Staff).where(Staff.login == "kai").values(totp_sealed=None))
        db.session.commit()
    pages = {"account.reset": stranger(house).get(f"/reset/{token}").html}
    for endpoint, login in (("auth.ask_code", "eva"), ("auth.ask_setup", "kai")):
        browser = stranger(house)
        pages["auth.login"] = browser.get("/login").html
        form = {"login": login, "password": f"hafenlicht-{login}"}
        pages[endpoint] = browser.get(browser.post("/login", form).location).html
    return pages


def stranger(house: House) -> PageClient:
    """A browser of nobody, with the token of its login page."""
    browser = PageClient(house.app, house.app.test_client())
    field = browser.get("/login").select("[name=csrf_token]")[0]
    browser.csrf = str(field.get("value"))
    return browser


def data_of(kontor: Dispatcher) -> Data:
    """What people and banks wrote, from the tables; and the codes of machines."""
    names = {demo.name for demo in DEMO_STAFF} | {demo.name.split()[0] for demo in DEMO_STAFF}
    names |= {"M. Aydin", "E. Lorenz", UNBROKEN}
    with kontor.read() as connection:
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'read' AND data_type = 'text' AND column_name = ANY(%s)",
            [NAME_COLUMNS],
        ).fetchall()
        for table, column in columns:
            rows = connection.execute(f'SELECT DISTINCT "{column}" FROM read."{table}"')
            names |= {row[0] for row in rows if row[0]}
        covers = connection.execute(
            "SELECT DISTINCT cover->>'name' FROM event, jsonb_array_elements(data->'covers') cover"
            " WHERE type = 'contract-signed'"
        )
        names |= {row[0] for row in covers}
    codes = {event.wire() for event in EVENTS} | set(stream.SERVICES.values()) | set(MACHINES)
    codes |= set(health(kontor).lags)
    names |= {code for code in (*CODES, *REFUND_CODES) if "-" in code}
    codes |= {"stripe", "bank"}
    names |= {demo.login for demo in DEMO_STAFF}
    codes |= {choice for fault in faults.FIELDS for choice in fault.choices}
    return Data(names, codes)


def raw_data_of(kontor: Dispatcher) -> Data:
    """The data browser shows tables as they are stored: their names, columns and cells are data."""
    with kontor.read() as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema IN ('read', 'public')"
        ).fetchall()
    names = {name for row in found for name in row} | {demo.name for demo in DEMO_STAFF}
    return Data(names, [], f"{DATA_ELEMENTS}, td, dd")


def crawl(house: House, role: str, limit: int) -> dict[str, list[str]]:
    """Follows every link from the first page; what is found in plain letters, by address."""
    browser, seen = house.browser(role), Counter[str]()
    queue, known, found = ["/"], {"/"}, {}
    while queue:
        path = queue.pop(0)
        answer = browser.client.get(path, follow_redirects=True)
        house.visited[house.rule(urlsplit(path).path) or ""] += 1
        if answer.mimetype != "text/html":
            continue
        if answer.status_code >= 500:
            found[path] = [answer.status]
            continue
        html = answer.get_data(as_text=True)
        if left := unwrapped(html, house.raw if path.startswith("/data/") else house.data):
            found[path] = left
        for link in _links(html, path):
            endpoint = house.rule(urlsplit(link).path)
            if endpoint and link not in known and seen[endpoint] < limit:
                seen[endpoint] += 1
                known.add(link)
                queue.append(link)
    return found


def _links(html: str, base: str) -> Iterator[str]:
    tree = lxml.html.document_fromstring(html)
    for element in tree.cssselect("a[href], [hx-get]"):
        target = urljoin(base, element.get("href") or element.get("hx-get"))
        if target.startswith("/") and not target.startswith("/static/"):
            yield target.partition("#")[0]
