"""Ids in addresses: unknown ones, other kinds, other people's and ones that do not belong together
are nothing; and a page about one customer or partner shows nothing of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

import pytest
from werkzeug.routing import IntegerConverter, Rule, UUIDConverter

from domain.kernel.ids import write_id
from domain.payments.events import Reason
from tests.pages import log_in_as
from tests.webapp.access.world import CHANGED, Knocker, World
from tests.webapp.test_settlement import book
from webapp.access import resets
from webapp.access.permissions import ACTS, Role, act_of, may
from webapp.access.staff_changes import StaffChange
from webapp.models import db

# The prefix of each kind of id; None for random ones of the web app's own.
KINDS: dict[str, str | None] = {
    "case_id": "cs",
    "change_id": None,
    "contract_id": "ct",
    "customer_id": "cus",
    "document_id": "inv",
    "export_id": None,
    "notification_id": None,
    "payment_id": "pay",
    "payout_id": "po",
    "position": None,
    "refund_id": "rf",
    "staff_id": None,
    "statement_id": "st",
    "token": None,
    "view_id": None,
}
# Words of addresses that name no thing: a file of the app, and whose notifications these are.
NO_IDS = {"filename", "provider"}
MALFORMED = (
    *("x", "0", "-1", "..", "a" * 300, "null", "' OR 1=1--", "{{7*7}}", "<b>"),
    *("\u00e4\u00f6", "\ufeff", "PAY_1", "pay_", "pay_\u0661", "9" * 30, "1;2", "*", "%"),
)

# The screen may lag behind its events, so the domain answers: a case it does not know is refused.
DECLARED = {"POST /work/<case_id>/take": {404, 422}}


def with_ids(world: World) -> Iterator[tuple[Rule, str]]:
    """Every rule with an id in it, and each of its ids."""
    for rule in world.app.url_map.iter_rules():
        for name in sorted(rule.arguments - NO_IDS):
            yield rule, name


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) & {"GET", "POST"})


def somebody(world: World, rule: Rule) -> str:
    """A role that gets as far as the id."""
    act = str(act_of(world.app, rule.endpoint))
    roles = (Role.LEAD, Role.FINANCE, Role.ADMIN)
    return next((r for r in roles if act in ACTS and may(r, act, sandbox=True)), Role.LEAD)


def swapped(world: World, rule: Rule, name: str, wrong: str) -> str:
    """The rule's address with real ids but for this one."""
    real = world.things | {own: str(uuid4()) for own in ("export_id", "view_id")}
    values = {one: real.get(one, "x") for one in rule.arguments}
    marks = {one: "\x01" if one == name else quote(str(values[one])) for one in rule.arguments}
    address = rule.rule
    for one in rule.arguments:
        for shape in (f"<{one}>", f"<int:{one}>", f"<uuid:{one}>", f"<path:{one}>"):
            address = address.replace(shape, marks[one])
    return address.replace("\x01", quote(wrong, safe="%"))


def wrong_ids(world: World, rule: Rule, name: str) -> list[str]:
    prefix = KINDS[name]
    unknown = write_id(prefix, uuid4()) if prefix else str(uuid4())
    converter = rule._converters[name]
    if isinstance(converter, IntegerConverter):
        unknown = str(2**40)
    # A customer's id where a payment's is asked for, and so on.
    others = [
        other
        for param, other in world.things.items()
        if param not in (name, *NO_IDS) and not isinstance(converter, UUIDConverter)
    ]
    if isinstance(converter, IntegerConverter):
        others = [other for other in others if not other.isdigit()]
    return [unknown, *others, *MALFORMED]


def test_every_id_parameter_is_known_here(world: World) -> None:
    """A new kind of id in an address needs a line in KINDS, and is tried from then on."""
    assert {name for _rule, name in with_ids(world)} <= set(KINDS)


def test_ids_that_are_not_there_are_nothing(world: World) -> None:
    tried, wrong = 0, []
    for rule, name in with_ids(world):
        who = somebody(world, rule)
        for method in methods(rule):
            for candidate in wrong_ids(world, rule, name):
                # An address that is another page by chance is no id.
                address = swapped(world, rule, name, candidate)
                got = world.ask(who, method, address, htmx=True).status_code
                tried += 1
                if got not in DECLARED.get(f"{method} {rule.rule}", {404}):
                    wrong.append(f"{who}: {method} {address} answered {got}")
    assert wrong == []
    assert tried > 500


def test_other_peoples_own_things_are_nothing(world: World) -> None:
    """Saved views and exports of one person, asked for by every other role."""
    own = {"view_id": World.own_view, "export_id": World.own_export}
    wrong = []
    for rule, name in with_ids(world):
        if name not in own:
            continue
        for role in Role:
            act = str(act_of(world.app, rule.endpoint))
            if role is Role.AUDITOR or not may(role, act, sandbox=True):
                continue
            # Uwe's, who audits, and nobody else's.
            theirs = own[name](world, Knocker("auditor", world.app.test_client(), "", "stf_uwe"))
            for method in methods(rule):
                address = swapped(world, rule, name, theirs)
                got = world.ask(role, method, address, htmx=True).status_code
                if got != 404:
                    wrong.append(f"{role}: {method} {address} answered {got}")
    assert wrong == []


def test_a_decided_change_and_a_used_link_are_nothing(world: World) -> None:
    knocker = world.knocker("admin")
    change = world.waiting_change(knocker)
    with world.app.app_context():
        db.session.get_one(StaffChange, change).outcome = "rejected"
        db.session.commit()
    for path in ("", "/confirm", "/close"):
        method = "POST" if path else "GET"
        answer = world.ask("admin", method, f"/staff/changes/{change}{path}", htmx=True)
        assert answer.status_code == 404, path
    token = world.reset_link(knocker)
    assert world.ask("anonymous", "GET", f"/reset/{token}").status_code == 200
    with world.app.app_context():
        newer = resets.make(CHANGED, None)
        db.session.commit()
    assert world.ask("anonymous", "GET", f"/reset/{token}").status_code == 404
    assert world.ask("anonymous", "GET", f"/reset/{newer}").status_code == 200


def test_a_notification_belongs_to_its_provider(world: World) -> None:
    note = world.things["notification_id"]
    assert world.ask("lead", "GET", f"/stream/notifications/stripe/{note}").status_code == 200
    for provider in ("bank", "camt", "other", "%2e%2e"):
        answer = world.ask("lead", "GET", f"/stream/notifications/{provider}/{note}")
        assert answer.status_code == 404, provider


@dataclass(frozen=True)
class Stranger:
    ids: dict[str, str]
    secrets: tuple[str, ...]
    """What must be on nobody else's page."""


@pytest.fixture(scope="module")
def strangers(world: World) -> dict[str, Stranger]:
    found = {}
    for name, story in world.strangers.items():
        refund = story.refund(150_00, Reason.GOODWILL, by="staff:stf_other")
        case = world.house.sql("SELECT case_id FROM read.work_case WHERE subject = %s", refund)
        ids = {
            "customer_id": story.customer_id,
            "contract_id": story.contract_id,
            "document_id": story.invoice_id,
            "payment_id": story.payment_id,
            "refund_id": refund,
            "case_id": str(case[0][0]),
        }
        found[name] = Stranger(ids, (name, story.contract_number, *ids.values()))
    return found


def test_a_page_about_one_shows_nothing_of_another(
    world: World, strangers: dict[str, Stranger]
) -> None:
    tried, leaks = 0, []
    for who, stranger in strangers.items():
        foreign = [text for one in strangers.values() if one != stranger for text in one.secrets]
        for rule, name in with_ids(world):
            if name not in stranger.ids or "GET" not in (rule.methods or ()):
                continue
            address = swapped(world, rule, name, stranger.ids[name])
            client = world.knocker(somebody(world, rule)).client
            for more in ({}, {"HX-Request": "true", "HX-Request-Type": "partial"}):
                page = client.get(address, headers=more).get_data(as_text=True)
                tried += 1
                leaks += [f"{address} of {who} shows {text}" for text in foreign if text in page]
    assert leaks == []
    assert tried > 60


def test_a_refund_of_another_payment_is_not_asked_for_again(
    world: World, strangers: dict[str, Stranger]
) -> None:
    """Ids in a form that do not belong to the address: nothing is recorded on either side."""
    mine, theirs = (stranger.ids for stranger in list(strangers.values())[:2])
    browser = log_in_as(world.app, "jon")
    count = "SELECT count(*) FROM event WHERE type LIKE 'refund-%%'"
    before = world.house.sql(count)
    form = {"refund_id": theirs["refund_id"], "amount": "1,00", "reason": "goodwill"}
    browser.post(f"/payments/{mine['payment_id']}/refund", form, status=400)
    for act in ("approve", "withdraw", "reject"):
        browser.get(f"/refunds/{mine['payment_id']}/{act}", status=404)
        browser.get(f"/payments/{theirs['refund_id']}", status=404)
    assert world.house.sql(count) == before


def test_a_statement_page_shows_its_own_lines_only(world: World) -> None:
    kit = world.house.story.kit
    other = book(kit, "S2", (None, 98_76))
    page = world.ask("finance", "GET", f"/statements/{world.things['statement_id']}")
    assert "12,00" in page.get_data(as_text=True)
    assert "98,76" not in page.get_data(as_text=True)
    assert "98,76" in world.ask("finance", "GET", f"/statements/{other}").get_data(as_text=True)
