"""Payouts and bank lines: settled when what the provider listed is what the bank booked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.kernel.message import Event
from domain.payments import settlement_events as e
from domain.payments.commands import AdjustRecovery
from domain.payments.events import RecoveryAdjusted, RecoveryOpened
from domain.payments.rules import code_rule, payout_provider, refund_code_rule
from domain.payments.settlement import Payout
from domain.payments.settlement_commands import ImportStatement, MatchLine, payout_id
from tests.domain import facts as f
from tests.domain.properties import quick
from tests.spec import World, given

OPENING = f.OPENING


def statement(*amounts: int, **changes: object) -> ImportStatement:
    return f.statement(*(f.entry(amount) for amount in amounts), **changes)


def match(amount: int = 12_15, number: int = 1) -> MatchLine:
    line = statement(1, 1).line_id(number)
    return MatchLine(
        by="flow:settling", line_id=line, provider="stripe", reference="TRACE1", amount=amount
    )


def booked(*amounts: int) -> list[Event]:
    world = World()
    world.send(statement(*amounts))
    return world.events


def test_a_statement_is_imported_whole() -> None:
    imported, _proved, first, second = (
        given([])
        .when(statement(12_15, -3_00))
        .records(e.StatementImported, e.BalanceProved, e.LineBooked, e.LineBooked)
    )
    assert isinstance(imported, e.StatementImported)
    assert isinstance(first, e.LineBooked)
    assert isinstance(second, e.LineBooked)
    assert (imported.lines, imported.opening, imported.closing) == (2, OPENING, OPENING + 9_15)
    assert [(line.number, line.amount) for line in (first, second)] == [(1, 12_15), (2, -3_00)]
    given([]).when(statement()).records(e.StatementImported, e.BalanceProved)


def test_the_same_file_again_and_another_under_its_number() -> None:
    past = booked(12_15)
    given(past).when(statement(12_15)).nothing()
    other = statement(12_16, file_hash="cd" * 32)
    given(past).when(other).refused("2026-338 was imported already, with other content")


def following(*amounts: int, days: int = 1, **changes: object) -> ImportStatement:
    """The next statement after one with a line of 12.15, under a number of its own."""
    day = date(2026, 12, 4) + timedelta(days=days)
    fields = {"opening": OPENING + 12_15, "closing": OPENING + 12_15 + sum(amounts)}
    told = {"bank_reference": "2026-339", "file_hash": "ef" * 32, "from_on": day, "to_on": day}
    return statement(*amounts, **{**fields, **told, **changes})


@pytest.mark.parametrize(
    ("again", "says"),
    [
        ({"days": 0, "opening": OPENING, "closing": OPENING + 12_15}, "would be booked twice"),
        ({"days": 0}, "would be booked twice"),
        ({"from_on": date(2026, 12, 3)}, "would be booked twice"),
        ({"opening": OPENING, "closing": OPENING + 12_15}, "one between them is missing"),
    ],
)
def test_the_same_lines_under_another_number_are_held(again: dict[str, Any], says: str) -> None:
    given(booked(12_15)).when(following(12_15, **again)).refused(says)


def test_a_statement_follows_on_the_one_before() -> None:
    past = booked(12_15)
    given(past).when(following(5)).records(e.StatementImported, e.BalanceProved, e.LineBooked)
    given(past).when(following(5, days=3, from_on=date(2026, 12, 4))).records(
        e.StatementImported, e.BalanceProved, e.LineBooked
    )
    other = following(5, days=0, account="DE02370502990000684712", opening=0, closing=5)
    given(past).when(other).records(e.StatementImported, e.BalanceProved, e.LineBooked)


def test_entries_lead_from_opening_to_closing() -> None:
    given([]).when(statement(12_15, closing=OPENING)).refused("opening to the closing balance")


def test_listed_first_then_arrived() -> None:
    (listed,) = given([]).when(f.list_payout()).records(e.PayoutListed)
    past = [listed, *booked(12_15)]
    given(past).when(match()).records(e.LineReserved, e.PayoutArrived, e.PayoutSettled)


def test_arrived_first_then_listed() -> None:
    world = World(booked(12_15))
    world.send(match())
    given(world.events).when(f.list_payout()).records(e.PayoutListed, e.PayoutSettled)


@quick
@for_all(st.integers(1, 100_00), st.booleans())
def test_to_the_cent_or_a_difference(amount: int, listed_first: bool) -> None:
    """Either side may come first; the outcome is the same."""
    world = World(booked(amount))
    commands = [f.list_payout(), match(amount)]
    for command in commands if listed_first else reversed(commands):
        world.send(command)
    last = world.events[-1]
    if amount == 12_15:
        assert isinstance(last, e.PayoutSettled)
    else:
        assert isinstance(last, e.PayoutDiffers)
        assert (last.listed, last.arrived) == (12_15, amount)
    payout = world.state(payout_id("stripe", "TRACE1"))
    assert isinstance(payout, Payout)
    assert not payout.waiting


def test_listed_or_arrived_alone_waits() -> None:
    for world, command in ((World(), f.list_payout()), (World(booked(12_15)), match())):
        world.send(command)
        payout = world.state(payout_id("stripe", "TRACE1"))
        assert isinstance(payout, Payout)
        assert payout.waiting


def test_a_payout_is_listed_once_and_adds_up() -> None:
    world = World()
    world.send(f.list_payout())
    given(world.events).when(f.list_payout(items=(), net=0)).nothing()
    given([]).when(f.list_payout(12_16)).refused("payout po_1 do not add up to its net")


def test_a_line_explains_one_payout_and_no_more_than_itself() -> None:
    past = booked(12_15, 12_15)
    given(past).when(match(12_16)).refused("explains no more than its own amount")
    given([]).when(match()).refused("explains no more than its own amount")
    world = World(past)
    world.send(match(number=1))
    given(world.events).when(match(number=1)).nothing()
    (repeated,) = given(world.events).when(match(number=2)).records(e.LineRepeated)
    given([*world.events, repeated]).when(match(number=2)).nothing()


@pytest.mark.parametrize(
    ("counterparty", "reference", "provider"),
    [
        ("Stripe Payments Europe", "TRACE1", "stripe"),
        ("STRIPE", "TRACE1", "stripe"),
        ("Stripes and Co", "TRACE1", None),
        ("Stripe", "NOTPROVIDED", None),
        ("Stripe", "", None),
        ("Stripe", None, None),
        (None, "TRACE1", None),
    ],
)
def test_whose_payout_a_line_is(
    counterparty: str | None, reference: str | None, provider: str | None
) -> None:
    assert payout_provider(counterparty, reference) == provider


def test_an_unknown_code_is_a_case_and_no_crash() -> None:
    assert code_rule("XX99").action == "CASE"
    assert code_rule("AM04").action == "RETRY"
    assert refund_code_rule("XX99").action == "CASE"


def adjust(amount: int) -> AdjustRecovery:
    return AdjustRecovery(
        by="flow:collecting",
        recovery_id=f.RECOVERY,
        payment_id=f.PAYMENT,
        customer_id=f.CUSTOMER,
        amount=amount,
    )


def test_a_recovery_follows_what_left_us_twice() -> None:
    given([]).when(adjust(0)).nothing()
    (opened,) = given([]).when(adjust(5_00)).records(RecoveryOpened)
    (adjusted,) = given([opened]).when(adjust(2_00)).records(RecoveryAdjusted)
    (closed,) = given([opened, adjusted]).when(adjust(0)).records(RecoveryAdjusted)
    assert isinstance(closed, RecoveryAdjusted)
    assert closed.amount == 0
