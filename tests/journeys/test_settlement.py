"""Payouts and bank statements: either may come first, each explains the other to the cent, and what
explains nothing becomes a case."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.kernel.time import add_target_days, berlin, berlin_date
from domain.operating import bank_file, notification_subject, receive_statement
from domain.payments.payment import Status as PaymentStatus
from domain.payments.settlement import Payout
from domain.payments.settlement_commands import payout_id
from domain.work.case import Status as CaseStatus
from domain.work.events import CaseType
from tests.journeys.acts import case
from tests.journeys.people import Insured
from tests.journeys.town import Town

PEOPLE = 4


def _paid_in(town: Town) -> tuple[Insured, str]:
    """Somebody's premium lies in a payout that is on its way; and that payout's id."""
    insured = town.new_customer()
    town.until_status(insured.payment(), PaymentStatus.PAID_OUT)
    payout = town.world.state(insured.payment()).payout_id
    assert payout is not None
    return insured, payout


def _case_status(town: Town, case_type: CaseType, subject: str, occasion: str = "") -> CaseStatus:
    return case(town.world, case_type, subject, occasion).status


def test_the_payout_comes_first_and_then_nothing_for_three_days(town: Town) -> None:
    world = town.world
    world.reading_bank = False
    try:
        insured, payout = _paid_in(town)
        assert world.told(payout) == ["payout-listed"]
        listed_on = berlin_date(world.kontor.now())
        world.until(berlin(add_target_days(listed_on, 3), 11))
        assert _case_status(town, CaseType.PAYOUT_MISSING, payout) is CaseStatus.NOTHING
        world.until(berlin(add_target_days(listed_on, 3), 12))
        assert _case_status(town, CaseType.PAYOUT_MISSING, payout) is CaseStatus.OPEN
    finally:
        world.reading_bank = True
    world.settle()
    assert world.told(payout) == ["payout-listed", "payout-arrived", "payout-settled"]
    assert world.state(insured.payment()).status is PaymentStatus.SETTLED
    assert _case_status(town, CaseType.PAYOUT_MISSING, payout) is CaseStatus.CLOSED


def test_the_statement_comes_first_when_webhooks_are_late(town: Town) -> None:
    world = town.world
    insured = town.new_customer()
    town.until_status(insured.payment(), PaymentStatus.CONFIRMED)
    world.faults(webhooks={"delay_minutes": 26 * 60})
    town.days(4)
    payout = world.state(insured.payment()).payout_id
    assert world.told(payout) == ["payout-arrived", "payout-listed", "payout-settled"]
    assert world.state(insured.payment()).status is PaymentStatus.SETTLED


def test_a_payout_that_arrives_short(town: Town) -> None:
    world = town.world
    insured = town.new_customer()
    town.until_status(insured.payment(), PaymentStatus.CONFIRMED)
    world.faults(payout_short_cents=1)
    short = _short_payouts(town)
    town.days(4)
    (payout,) = _short_payouts(town) - short
    state = world.state(payout)
    assert isinstance(state, Payout)
    assert state.listed is not None
    told = case(world, CaseType.PAYOUT_DIFFERS, payout)
    assert told.status is CaseStatus.OPEN
    assert told.opened is not None
    assert (told.opened.amount, told.opened.details["listed"]) == (1, str(state.listed.net))
    inside = [item.payment_id for item in state.listed.items if item.payment_id]
    assert inside
    assert all(world.state(one).status is PaymentStatus.PAID_OUT for one in inside)


def _short_payouts(town: Town) -> set[str]:
    rows = town.world.rows("SELECT stream FROM read.stream_event WHERE type = 'payout-differs'")
    return {stream for (stream,) in rows}


def test_a_refund_that_nobody_here_asked_for(town: Town) -> None:
    world, insured = town.world, town.someone()
    world.act("refund", payment=insured.payment(), amount=12_34)
    town.days(10)
    (movement,) = (one for one in world.book()["movements"] if one["amount"] == -12_34)
    (trace,) = (
        one["trace_id"]["value"]
        for one in world.book()["payout"]
        if one["id"] == movement["payout"]
    )
    subject = payout_id("stripe", trace)
    told = case(world, CaseType.FOREIGN_REFUND, subject, movement["source"])
    assert told.status is CaseStatus.OPEN
    assert told.opened is not None
    assert told.opened.amount == 12_34
    assert "payout-settled" in world.told(subject)
    assert world.state(insured.payment()).refunds == {}


def test_a_bank_line_that_explains_nothing(town: Town) -> None:
    world = town.world
    world.control.ask(
        "POST",
        "/act",
        {
            "act": "bank_line",
            "amount": -3_99,
            "counterparty": "Nordbank",
            "remittance": "Kontoführung",
        },
    )
    town.days(4)
    ((line,),) = world.rows(
        "SELECT stream FROM read.stream_event"
        " WHERE type = 'line-booked' AND data::jsonb->>'amount' = '-399'"
    )
    told = case(world, CaseType.UNKNOWN_LINE, line)
    assert told.status is CaseStatus.OPEN
    assert told.opened is not None
    assert told.opened.amount == 3_99


def test_statements_that_are_held(town: Town) -> None:
    world = town.world
    town.days(2)
    path = _newest_statement(town)
    whole = path.read_bytes()
    assert receive_statement(world.kontor, "again.xml", whole) is not None  # Known: no effect.
    before = _bank_events(town)
    held = {
        "other content": whole.replace(b"</Ntry>", b"</Ntry >", 1)
        if b"</Ntry>" in whole
        else whole.replace(b"</Stmt>", b"</Stmt >", 1),
        "no XML": b"Dear customer, please find attached",
        "DOCTYPE": whole.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e "boo">]>', 1),
        "cut": whole[: len(whole) * 2 // 3],
        "empty": b"",
        "re-issue": _under_another_number(path),
    }
    for name, body in held.items():
        assert receive_statement(world.kontor, f"{name}.xml", body) is None
        world.settle()
    assert _bank_events(town) == before, "nothing is half imported"
    kept = world.rows(
        "SELECT notification_id, reason FROM inbox"
        " WHERE provider = 'bank' AND state = 'quarantined'"
    )
    assert len(kept) == len(held)
    reasons = " | ".join(reason for _, reason in kept)
    for word in ("imported already, with other content", "DOCTYPE", "would be booked twice"):
        assert word in reasons
    for notification_id, _reason in kept:
        subject = notification_subject("bank", notification_id)
        assert _case_status(town, CaseType.HELD_STATEMENT, subject, "1") is CaseStatus.OPEN
    town.days(4)  # The next real statement is read as ever; a weekend has none.
    assert _bank_events(town) > before


def test_statements_that_come_in_the_wrong_order(town: Town) -> None:
    world = town.world
    folder = world.settings.var / "bank"
    known = set(folder.glob("camt053_*.xml"))
    line = {"act": "bank_line", "amount": 5, "counterparty": "Erika Mustermann", "remittance": "5"}
    world.control.ask("POST", "/act", line)
    world.reading_bank = False
    try:
        while len(fresh := sorted(set(folder.glob("camt053_*.xml")) - known)) < 2:
            town.days(1)
        older, newer = (path.read_bytes() for path in fresh[:2])
        states = []
        for body in (newer, older):
            receive_statement(world.kontor, "by.xml", body)
            world.settle()
            file = bank_file(world.kontor, newer)
            assert file is not None
            states.append(file.state)
        assert states == ["quarantined", "applied"]
    finally:
        world.reading_bank = True


def _bank_events(town: Town) -> int:
    rows = town.world.rows(
        "SELECT count(*) FROM read.stream_event"
        " WHERE starts_with(stream, 'st_') OR starts_with(stream, 'ln_')"
    )
    return int(rows[0][0])


def _under_another_number(path: Path) -> bytes:
    """The same lines, as a bank sends them again."""
    day, number = path.stem.removeprefix("camt053_").split("_")
    name = f"{day.replace('-', '')}-{number}".encode()
    whole = path.read_bytes()
    assert name in whole
    return whole.replace(name, b"AGAIN-1")


def _newest_statement(town: Town) -> Path:
    return max((town.world.settings.var / "bank").glob("camt053_*.xml"))


@pytest.fixture(autouse=True)
def _calm(town: Town) -> None:
    """Every journey here begins on a morning without a payout on its way."""
    now = town.world.kontor.now()
    for days in range(10):
        if not town.world.control.ask("GET", "/bank")["waiting"]:
            return
        town.world.until(berlin(berlin_date(now) + timedelta(days=days + 1), 9))
    raise AssertionError("the bank never came to rest")
