"""A Kontor with something behind every address, and the browsers that knock at it: one per role,
one without a login and one between its two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from itertools import count
from pathlib import Path
from uuid import uuid4

from flask import Flask
from sqlalchemy import update
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import Client, TestResponse

from domain.operating import exporting
from domain.operating.exporting import Wanted
from domain.payments.commands import ConfirmPayment
from domain.payments.events import Reason
from domain.readmodels.exports import Asked, Dress
from tests.pages import login_of, session_cookie
from tests.readmodels.aside import quarantined
from tests.readmodels.kit import DUE, Story
from tests.servers import Servers
from tests.webapp.access.expected import STALE
from tests.webapp.access.outcomes import ANONYMOUS, HALF
from tests.webapp.house import House, open_house
from tests.webapp.test_settlement import book, item, list_payout
from webapp.access import half_open, resets, security, sessions, staff_changes
from webapp.models import NOW, SavedView, Staff, StaffSession, db

SECOND_ADMIN = "stf_kai"
SOMEBODY = "stf_uwe"
CHANGED = "stf_changed"
# Two customers and two companies that stand in for partners.
PEOPLE = ("Anneliese Zwanzig", "Berthold Dreizehn", "Alsterkontor GmbH", "Bramfeld Makler KG")
_numbers = count(1)


@dataclass
class Knocker:
    """A browser of one person, with its token; `client` is new after its session ended."""

    who: str
    client: Client
    csrf: str
    staff_id: str = ""


@dataclass
class World:
    house: House
    things: dict[str, str]
    """Ids of things that everybody sees alike, by the name of the parameter."""
    strangers: dict[str, Story]
    """By name: people whose things have nothing to do with those of the others."""
    knockers: dict[str, Knocker] = field(default_factory=dict)

    @property
    def app(self) -> Flask:
        return self.house.app

    def knock(self, who: str, method: str, rule: Rule, *, htmx: bool = False) -> TestResponse:
        """Asks with real ids and the right token."""
        return self.ask(who, method, self.address(rule, self.knocker(who)), htmx=htmx)

    def ask(self, who: str, method: str, url: str, *, htmx: bool = False) -> TestResponse:
        knocker = self.knocker(who)
        part = {"HX-Request": "true", "HX-Request-Type": "partial"}
        headers = {"X-CSRF-Token": knocker.csrf, **(part if htmx else {})}
        answer = knocker.client.open(url, method=method, headers=headers)
        if method == "POST" and answer.status_code < 400:
            # It may have ended sessions, its own or all others of this person.
            for name in [n for n, k in self.knockers.items() if k.staff_id == knocker.staff_id]:
                del self.knockers[name]
        return answer

    def knocker(self, who: str) -> Knocker:
        if who not in self.knockers:
            self.knockers[who] = self._new(who)
        return self.knockers[who]

    def _new(self, who: str) -> Knocker:
        client = self.app.test_client()
        if who == ANONYMOUS:
            page = client.get("/login").get_data(as_text=True)
            return Knocker(who, client, page.split('name="csrf_token" value="')[1][:64])
        settings = self.house.settings
        if who == HALF:
            with self.app.app_context():
                half = half_open.begin(db.session.get_one(Staff, "stf_eva"))
            client.set_cookie(security.cookie_name("session", settings), half.token)
            return Knocker(who, client, half.csrf)
        login = login_of(who.removeprefix(STALE))
        name, token = session_cookie(self.app, login)
        client.set_cookie(name, token)
        return Knocker(who, client, self._csrf(token, stale=who.startswith(STALE)), f"stf_{login}")

    def _csrf(self, token: str, *, stale: bool) -> str:
        hashed = sessions.digest(token)
        with self.app.app_context():
            row = db.session.get_one(StaffSession, hashed)
            csrf = row.csrf
            if stale:
                row.proved_at = NOW - sessions.FRESH_FOR
            db.session.commit()
        return csrf

    def address(self, rule: Rule, knocker: Knocker) -> str:
        values: dict[str, object] = {}
        for name in rule.arguments:
            own = OWN.get(name)
            text = own(self, knocker) if own else self.things[name]
            number = isinstance(rule._converters[name], IntegerConverter)
            values[name] = int(text) if number else text
        built = rule.build(values)
        assert built is not None
        return str(built[1])

    def own_view(self, knocker: Knocker) -> str:
        """A saved view of this person; every call makes another, because some delete it."""
        view_id = str(uuid4())
        row = SavedView(
            id=view_id,
            list="payments",
            owner_id=knocker.staff_id or SOMEBODY,
            name=f"view {next(_numbers)}",
            query="",
            shared=False,
        )
        with self.app.app_context():
            db.session.query(SavedView).filter_by(owner_id=row.owner_id).delete()
            db.session.add(row)
            db.session.commit()
        return view_id

    def own_export(self, knocker: Knocker) -> str:
        export_id = uuid4()
        wanted = Wanted(
            id=export_id,
            list="payments",
            requested_by=knocker.staff_id or SOMEBODY,
            roles=frozenset({"finance"}),
            asked=Asked(filters={}, order=""),
            dress=Dress(locale="en", head=(), words={}),
        )
        with self.house.kontor.read() as connection:
            connection.execute("DELETE FROM export WHERE requested_by = %s", (wanted.requested_by,))
            exporting.request(connection, wanted)
        return str(export_id)

    def waiting_change(self, _knocker: Knocker) -> str:
        """A change that the second admin proposed: the others may decide on it."""
        with self.app.app_context():
            db.session.query(staff_changes.StaffChange).delete()
            db.session.execute(
                update(Staff).where(Staff.id == CHANGED).values(disabled_at=None, role="support")
            )
            person = db.session.get_one(Staff, CHANGED)
            return staff_changes.propose(person, "disable", "", SECOND_ADMIN).id

    def reset_link(self, _knocker: Knocker) -> str:
        with self.app.app_context():
            token = resets.make(CHANGED, SECOND_ADMIN)
            db.session.execute(update(Staff).where(Staff.id == CHANGED).values(disabled_at=None))
            db.session.commit()
        return token


# Ids of things that belong to one person, or that a try uses up: made anew for every try.
OWN: dict[str, Callable[[World, Knocker], str]] = {
    "view_id": World.own_view,
    "export_id": World.own_export,
    "change_id": World.waiting_change,
    "token": World.reset_link,
}


@contextmanager
def open_world(servers: Servers, template: str, folder: Path) -> Iterator[World]:
    with open_house(servers, template, folder) as house:
        # A 500 is an answer to be compared, not an end of the test.
        house.app.config["PROPAGATE_EXCEPTIONS"] = False
        with house.app.app_context():
            # Thousands of requests over one connection: it need not be tried before each.
            db.engine.pool._pre_ping = False
        strangers = {name: Story(house.story.kit, name=name) for name in PEOPLE}
        _confirm([house.story, *strangers.values()])
        yield World(house, _things(house), strangers)


def _confirm(stories: list[Story]) -> None:
    """All announced, then debited on the day they share: the Clock never goes back."""
    for story in stories:
        story.rendered()
    kit = stories[0].kit
    kit.at(datetime.combine(DUE, time(5), UTC))
    for story in stories:
        story.submitted()
        reference = "pi_1"
        kit.do(ConfirmPayment(by="stripe", payment_id=story.payment_id, reference=reference))
    kit.settle()


def _things(house: House) -> dict[str, str]:
    story = house.story
    refund = story.refund(150_00, Reason.GOODWILL, by="staff:stf_other")
    payout = list_payout(story.kit, "TRACE1", (item(story.payment_id),))
    statement = book(story.kit, "S1", (None, 12_00))
    note = quarantined(house.kontor)
    story.kit.settle()
    with house.app.app_context():
        db.session.add(
            Staff(id=CHANGED, login="changed", name="Ida X", role="support", password_hash="x")
        )
        db.session.commit()
    case = house.sql("SELECT case_id FROM read.work_case WHERE closed_at IS NULL LIMIT 1")[0][0]
    return {
        "case_id": str(case),
        "contract_id": story.contract_id,
        "customer_id": story.customer_id,
        "document_id": story.invoice_id,
        "filename": "app.css",
        "notification_id": note,
        "payment_id": story.payment_id,
        "payout_id": payout,
        "position": "1",
        "provider": "stripe",
        "refund_id": refund,
        "staff_id": CHANGED,
        "statement_id": statement,
    }
