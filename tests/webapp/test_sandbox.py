"""The Sandbox page over a real simulator: the Clock, faults, and the book beside our view of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from config import Settings
from domain.kernel.time import berlin
from domain.operating import advancing
from jobs.advance import work_one
from tests.journeys.people import insure
from tests.journeys.world import World, running_world
from tests.pages import AsRole, PageClient, words
from tests.readmodels.kit import BEGIN, Following
from webapp import create_app, faults
from webapp.access.permissions import Role

DEBIT_ON = date(2027, 1, 4)
"""Due on 1 January, rolled over the weekend."""


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    with running_world(settings) as world:
        yield world


@pytest.fixture
def kit(app: Flask) -> Following:
    """Without a simulator."""
    return Following(app.extensions["kontor"])


def agreement(client: PageClient, book: str) -> list[tuple[str, str, str]]:
    """What Stripe says, our last fact, and whether both agree."""
    rows = client.get(f"/sandbox?book={book}").select("section[aria-labelledby=book] tbody tr")
    cells = [row.cssselect("th, td") for row in rows]
    return [(words(c[3]), words(c[4]), words(c[5])) for c in cells]


def test_the_clock_moves_when_it_is_told_to(world: World, as_role: AsRole) -> None:
    client = as_role(Role.SUPPORT)
    assert "10.12.2026 08:30" in words(client.get("/sandbox").one("#clock"))
    client.post("/sandbox/clock", {"to": "next"})
    panel = client.get("/sandbox").one("#clock")
    assert "Step 0 on the way to 11.12.2026 08:30" in words(panel)
    assert panel.get("hx-trigger") == "every 2s"
    polled = client.get("/sandbox/clock", htmx="section#clock")
    assert words(polled.one("#clock")) == words(panel)
    work_one(world.context, world.sandbox.chores)
    assert client.get("/sandbox/clock", htmx="section#clock").location == "/sandbox"
    panel = client.get("/sandbox").one("#clock")
    assert "11.12.2026 08:30" in words(panel)
    assert panel.get("hx-trigger") is None


@pytest.mark.parametrize(
    ("form", "target"),
    [
        ({"to": "next"}, berlin(date(2026, 11, 3), 8, 30)),
        ({"to": "fortnight"}, BEGIN + timedelta(days=14)),
        ({"to": "date", "date": "1.2.2027"}, berlin(date(2027, 2, 1), 8, 30)),
    ],
)
def test_three_ways_to_move(
    kit: Following, as_role: AsRole, form: dict[str, str], target: datetime
) -> None:
    as_role(Role.ADMIN).post("/sandbox/clock", form)
    assert asked(kit) == target


def asked(kit: Following) -> datetime | None:
    with kit.kontor.read() as connection:
        move = advancing.latest(connection)
    return None if move is None else move.target


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2026-11-01", "The Clock never goes back: it stands at 02.11.2026 09:00."),
        ("2026-11-02", "The Clock never goes back: it stands at 02.11.2026 09:00."),
        ("2029-01-01", "The Clock moves at most 400 days at once."),
        ("", "Choose a date."),
        ("31.02.2027", "This is not a day. Write it like 09.11.2026."),
        ("2199-12-31", "The Clock moves at most 400 days at once."),
    ],
)
def test_a_date_that_is_none_moves_nothing(
    kit: Following, as_role: AsRole, typed: str, sentence: str
) -> None:
    client = as_role(Role.LEAD)
    client.post("/sandbox/clock", {"to": "date", "date": typed})
    assert sentence in client.get("/sandbox").text
    assert asked(kit) is None


def test_the_clock_can_be_stopped(kit: Following, as_role: AsRole) -> None:
    client = as_role(Role.SUPPORT)
    client.post("/sandbox/clock/stop", {})
    assert "stands already" in client.get("/sandbox").text
    client.post("/sandbox/clock", {"to": "fortnight"})
    client.post("/sandbox/clock", {"to": "next"})
    assert "moving already" in client.get("/sandbox").text
    client.post("/sandbox/clock/stop", {})
    assert "It stops after this step." in client.get("/sandbox").text
    assert asked(kit) == BEGIN + timedelta(days=14)


def test_faults_are_set_shown_and_switched_off(world: World, as_role: AsRole) -> None:
    client = as_role(Role.FINANCE)
    form = {fault.id: "" for fault in faults.FIELDS}
    form |= {
        "lose-answers-refunds-create": "2",
        "fail-debits-count": "1",
        "fail-debits-code": "account_closed",
        "webhooks-shuffle": "on",
        "payout-short-cents": "750",
        "outage-mode": "rate_limited",
        "outage-retry-after-s": "7",
    }
    client.post("/sandbox/faults", form)
    told = world.control.ask("GET", "/faults")
    assert told["lose_answers"]["refunds.create"] == 2
    assert told["fail_debits"] == {"count": 1, "code": "account_closed"}
    assert told["webhooks"]["shuffle"] is True
    assert told["payout_short_cents"] == 750
    assert told["outage"] == {"mode": "rate_limited", "retry_after_s": 7}
    page = client.get("/sandbox")
    card = words(page.one("section[aria-labelledby=faults-title]"))
    assert "Lose the answer to refunds: 2" in card
    assert "account_closed" not in card
    assert "Until it is switched off, Stripe says 429: too many calls" in card
    dialog = client.get("/sandbox/faults", htmx="dialog#dialog")
    assert dialog.one("#fail-debits-code option[selected]").get("value") == "account_closed"
    assert dialog.one("input[name=webhooks-shuffle]").get("checked") is not None
    client.post("/sandbox/faults", {"clear": "1"})
    assert world.control.ask("GET", "/faults")["lose_answers"] == {}
    assert "None is set" in client.get("/sandbox").text
    for typed in ("-1", "1.5", "many", "10001", "٣"):
        wrong = {"lose-answers-refunds-create": typed, "webhooks-lost": "on"}
        page = client.post("/sandbox/faults", wrong, status=422)
        assert page.one("#lose-answers-refunds-create").get("value") == typed
        assert page.one("input[name=webhooks-lost]").get("checked") is not None
        assert "Enter a whole number" in page.text
    assert world.control.ask("GET", "/faults")["webhooks"]["lost"] is False


def test_the_book_stands_beside_our_view(world: World, as_role: AsRole) -> None:
    client = as_role(Role.AUDITOR)
    assert agreement(client, "payment_intent") == []
    insure(world)
    world.until(berlin(DEBIT_ON, 9))
    assert agreement(client, "payment_intent") == [("processing", "payment-accepted", "agree")]
    world.until(berlin(DEBIT_ON + timedelta(days=4), 9))
    assert agreement(client, "payment_intent") == [("succeeded", "payment-settled", "agree")]
    assert agreement(client, "payout") == [("paid", "payout-settled", "agree")]
    page = client.get("/sandbox")
    imported = page.select('a[href^="/statements/st_"]')
    assert len(imported) == len(page.select("section.card:last-of-type tbody tr")) > 5
    world.faults(webhooks={"lost": True})
    world.act("return", payment=world.book()["payment_intent"][0]["id"])
    assert agreement(client, "payment_intent") == [("returned", "payment-settled", "not yet")]
    world.polling = True
    world.settle()
    assert agreement(client, "payment_intent") == [("returned", "payment-returned", "agree")]
    seen = [str(a.get("href")) for a in as_role(Role.ADMIN).get("/sandbox").select("main a")]
    assert [url for url in seen if not url.startswith(("/sandbox", "#"))] == []


def test_without_the_simulator_the_page_says_so(kit: Following, as_role: AsRole) -> None:
    client = as_role(Role.SUPPORT)
    page = client.get("/sandbox")
    assert "The simulator does not answer" in page.text
    assert page.one('form[action="/sandbox/clock"]') is not None, "the Clock is ours"
    saved = client.post("/sandbox/faults", {"clear": "1"}, status=503)
    assert "nothing was changed" in saved.text
    client.get("/sandbox/faults", status=503)
    assert kit.kontor.now() == BEGIN


@pytest.mark.parametrize("role", list(Role))
def test_who_may_move_and_break(kit: Following, as_role: AsRole, role: Role) -> None:
    client = as_role(role)
    page = client.get("/sandbox")
    may = role is not Role.AUDITOR
    assert bool(page.select('form[action="/sandbox/clock"]')) is may
    client.post("/sandbox/clock", {"to": "next"}, status=303 if may else 403)
    client.post("/sandbox/clock/stop", {}, status=303 if may else 403)
    assert (asked(kit) is not None) is may
    client.post("/sandbox/faults", {"clear": "1"}, status=503 if may else 403)


def test_production_has_no_sandbox_page(settings: Settings) -> None:
    production = create_app(replace(settings, mode="production"))
    rules = [rule.rule for rule in production.url_map.iter_rules()]
    assert "/stream" in rules
    assert not [rule for rule in rules if rule.startswith("/sandbox")]
