"""Carrying out a refund: the intent before the call, the answers, and failing at once or late."""

from __future__ import annotations

import pytest

from domain.kernel.message import Event
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.payment import HeldState, Payment
from domain.payments.refund import Refund, Status
from tests.domain import facts as f
from tests.spec import World, given

SUBMIT = f.of_refund(c.SubmitRefund)
ACCEPT = f.of_refund(c.RecordRefundAccepted)
LOSE = f.of_refund(c.RecordRefundUnknown)
CONFIRM = f.of_refund(c.ConfirmRefund)
FAIL = f.of_refund(c.FailRefund)
PAY_OUT = f.of_refund(c.MarkRefundPaidOut)
SETTLE = f.of_refund(c.SettleRefund)
BOTH = {"at": SUBMIT.at, "refund_id": f.REFUND, "payment_id": f.PAYMENT}
HELD = {"at": SUBMIT.at, "payment_id": f.PAYMENT, "refund_id": f.REFUND}


def held(past: list[Event]) -> HeldState:
    payment = World(past).state(f.PAYMENT)
    assert isinstance(payment, Payment)
    return payment.refunds[f.REFUND].state


def refund_of(past: list[Event]) -> Refund:
    refund = World(past).state(f.REFUND)
    assert isinstance(refund, Refund)
    return refund


def test_the_intent_is_recorded_before_the_call_with_the_approved_hash() -> None:
    past = f.refund_until("approved")
    submitted, _ = given(past).when(SUBMIT).records(e.RefundSubmitted, e.RefundSent)
    (approved,) = f.only(past, e.RefundApproved)
    assert isinstance(submitted, e.RefundSubmitted)
    assert isinstance(approved, e.RefundApproved)
    assert (submitted.key, submitted.content_hash) == ("k-2", approved.content_hash)


def test_only_what_is_approved_is_sent_and_once() -> None:
    given(f.waiting_refund()).when(SUBMIT).nothing()
    for state in ("submitted", "outcome-unknown", "accepted", "confirmed", "settled"):
        given(f.refund_until(state)).when(SUBMIT).nothing()


def test_without_its_reservation_nothing_is_called() -> None:
    """STORY 8: a return between approval and call would pay twice otherwise."""
    world = World(f.refund_until("approved"))
    world.send(f.give_back())
    (failed,) = given(world.events).when(SUBMIT).records(e.RefundFailed)
    assert isinstance(failed, e.RefundFailed)
    assert (failed.code, failed.late) == ("reservation-gone", False)


def test_the_provider_accepts() -> None:
    accepted = e.RefundAccepted(**BOTH, reference="re_1")
    for state in ("submitted", "outcome-unknown"):
        given(f.refund_until(state)).when(ACCEPT).then([accepted])
    for state in ("approved", "accepted", "confirmed", "settled"):
        given(f.refund_until(state)).when(ACCEPT).nothing()


def test_unknown_is_a_state_until_the_provider_answers() -> None:
    unknown = e.RefundOutcomeUnknown(**BOTH, why="connection")
    given(f.refund_until("submitted")).when(LOSE).then([unknown])
    assert refund_of(f.refund_until("outcome-unknown")).waiting
    for state in ("approved", "accepted", "confirmed"):
        given(f.refund_until(state)).when(LOSE).nothing()


def test_confirmed_is_booked_on_the_payment() -> None:
    confirmed, booked = e.RefundConfirmed(**BOTH), e.RefundBooked(**HELD)
    accepted = e.RefundAccepted(**BOTH, reference="re_1")
    given(f.refund_until("accepted")).when(CONFIRM).then([confirmed, booked])
    given(f.refund_until("submitted")).when(CONFIRM).then([accepted, confirmed, booked])
    given(f.refund_until("outcome-unknown")).when(CONFIRM).then([accepted, confirmed, booked])
    for state in ("confirmed", "paid-out", "settled"):
        given(f.refund_until(state)).when(CONFIRM).nothing()


def test_paid_out_implies_confirmed_and_knows_the_reference() -> None:
    paid_out = e.RefundPaidOut(**BOTH, payout_id=f.PAYOUT)
    given(f.refund_until("confirmed")).when(PAY_OUT).then([paid_out])
    past = f.refund_until("submitted")
    events = (
        given(past)
        .when(PAY_OUT)
        .records(e.RefundAccepted, e.RefundConfirmed, e.RefundBooked, e.RefundPaidOut)
    )
    assert refund_of([*past, *events]).reference == "re_1"
    given(f.refund_until("paid-out")).when(PAY_OUT).nothing()


def test_settled_only_in_the_payout_it_lies_in() -> None:
    settled = e.RefundSettled(**BOTH, payout_id=f.PAYOUT)
    given(f.refund_until("paid-out")).when(SETTLE).then([settled])
    given(f.refund_until("confirmed")).when(SETTLE).refused("does not lie in that payout")


@pytest.mark.parametrize("state", ["approved", "submitted", "outcome-unknown", "accepted"])
def test_refused_at_once_frees_the_reservation(state: str) -> None:
    failed = e.RefundFailed(**BOTH, code="", raw_code="declined", late=False)
    released = e.RefundReleased(**HELD, cause=e.ReleaseCause.FAILED)
    given(f.refund_until(state)).when(FAIL).then([failed, released])


@pytest.mark.parametrize("state", ["confirmed", "paid-out", "settled"])
def test_a_late_failure_unbooks_the_money(state: str) -> None:
    failed = e.RefundFailed(**BOTH, code="", raw_code="declined", late=True)
    given(f.refund_until(state)).when(FAIL).then([failed, e.RefundUnbooked(**HELD)])


def test_after_a_failure_the_money_is_free_and_old_news_changes_nothing() -> None:
    world = World(f.refund_until("paid-out"))
    world.send(FAIL)
    payment = world.state(f.PAYMENT)
    assert isinstance(payment, Payment)
    assert (payment.left, payment.refunded, held(world.events)) == (12_50, 0, HeldState.UNBOOKED)
    for command in (ACCEPT, LOSE, PAY_OUT, SETTLE, FAIL):
        given(world.events).when(command).nothing()
    given(world.events).when(CONFIRM).refused(
        "This refund failed; the provider's news does not fit"
    )


def test_a_failure_of_what_was_never_asked_for_or_never_approved() -> None:
    given(f.payment_until("confirmed")).when(FAIL).refused("This refund does not exist")
    given(f.waiting_refund()).when(CONFIRM).refused("This refund was not sent")
    given(f.refund_until("approved")).when(PAY_OUT).refused("This refund was not sent")
    given(f.payment_until("confirmed")).when(CONFIRM).refused("We have no such refund")


def test_a_returned_debit_fails_what_waits_and_releases_once() -> None:
    """STORY 10: the payment released it already; the refund only learns that it failed."""
    for past in (f.waiting_refund(), f.refund_until("approved")):
        world = World(past)
        world.send(f.give_back())
        assert held(world.events) is HeldState.RELEASED
        command = f.of_refund(c.FailRefund, code="debit-returned")
        given(world.events).when(command).records(e.RefundFailed)


@pytest.mark.parametrize("kind", [c.RejectRefund, c.WithdrawRefund, c.ExpireRefund])
def test_a_decision_after_the_return_releases_nothing_twice(kind: type[c.RefundCommand]) -> None:
    world = World(f.waiting_refund())
    world.send(f.give_back(476_00))
    by = "staff:mia" if kind is c.WithdrawRefund else "staff:jon"
    (event,) = world.decide(f.of_refund(kind, by=by))
    assert isinstance(event, e.RefundEvent)


def test_the_status_is_what_the_last_fact_says() -> None:
    for state in f.REFUND_STEPS:
        assert refund_of(f.refund_until(state)).status is Status(state)
