"""A payment on its way in: scheduled, announced, submitted, and what provider and bank report."""

from __future__ import annotations

from datetime import date

import pytest

from domain.kernel.message import Event
from domain.kernel.time import berlin
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.events import Reason
from domain.payments.payment import Payment, Status
from tests.domain import facts as f
from tests.spec import World, given, make_id

REVOKE = c.RevokeMandate(by="staff:mia", mandate_id=f.MANDATE)


def payment_of(past: list[Event]) -> Payment:
    payment = World(past).state(f.PAYMENT)
    assert isinstance(payment, Payment)
    return payment


def test_scheduling_happens_once() -> None:
    (event,) = given([]).when(f.schedule()).records(e.PaymentScheduled)
    given([event]).when(f.schedule(99_99)).nothing()


@pytest.mark.parametrize(
    ("delivered_on", "kind"),
    [
        (date(2026, 11, 10), e.PaymentAnnounced),
        (date(2026, 11, 17), e.PaymentAnnounced),
        (date(2026, 11, 18), e.PaymentFailed),
    ],
)
def test_a_notice_is_given_fourteen_days_before(delivered_on: date, kind: type[Event]) -> None:
    """S6: 17 November is 14 days before the 1 December, 18 November is too late."""
    (event,) = given(f.payment_until("scheduled")).when(f.announce(delivered_on)).records(kind)
    assert getattr(event, "code", "notice-late") == "notice-late"


def test_announcing_again_or_nothing() -> None:
    given(f.payment_until("announced")).when(f.announce()).nothing()
    given([]).when(f.announce()).refused("after it was scheduled")


def test_submitting_is_recorded_before_the_call() -> None:
    past = f.payment_until("announced")
    (event,) = given(past).when(f.submit()).records(e.PaymentSubmitted)
    assert isinstance(event, e.PaymentSubmitted)
    assert (event.debit_on, event.key, len(event.content_hash)) == (f.D, "k-1", 64)
    given([*past, event]).when(f.submit()).nothing()
    given(f.payment_until("scheduled")).when(f.submit()).nothing()


def test_a_debit_sent_late_is_due_on_the_next_target_day() -> None:
    past = f.payment_until("announced")
    late = f.submit(berlin(date(2026, 12, 25), 9))
    (event,) = given(past).when(late).records(e.PaymentSubmitted)
    assert isinstance(event, e.PaymentSubmitted)
    assert event.debit_on == date(2026, 12, 28)


def test_a_revoked_mandate_is_never_debited() -> None:
    world = World(f.payment_until("announced"))
    world.send(REVOKE)
    (event,) = given(world.events).when(f.submit()).records(e.PaymentFailed)
    assert isinstance(event, e.PaymentFailed)
    assert event.code == "mandate-revoked"


def test_the_provider_answers_with_its_reference() -> None:
    accepted = e.PaymentAccepted(at=f.ACCEPT.at, payment_id=f.PAYMENT, reference="pi_1")
    given(f.payment_until("submitted")).when(f.ACCEPT).then([accepted])
    for state in ("announced", "accepted", "settled"):
        given(f.payment_until(state)).when(f.ACCEPT).nothing()


def test_unknown_is_a_state_until_the_provider_answers() -> None:
    unknown = e.PaymentOutcomeUnknown(at=f.LOSE.at, payment_id=f.PAYMENT, why="connection")
    past = f.payment_until("submitted")
    given(past).when(f.LOSE).then([unknown])
    assert payment_of([*past, unknown]).waiting
    given([*past, unknown]).when(f.ACCEPT).records(e.PaymentAccepted)
    given([*past, unknown]).when(f.CONFIRM).records(e.PaymentAccepted, e.PaymentConfirmed)
    given([*past, unknown]).when(f.FAIL).records(e.PaymentFailed)
    for state in ("announced", "accepted", "confirmed"):
        given(f.payment_until(state)).when(f.LOSE).nothing()


def test_confirmed_says_until_when_it_can_be_returned() -> None:
    (event,) = given(f.payment_until("accepted")).when(f.CONFIRM).records(e.PaymentConfirmed)
    assert isinstance(event, e.PaymentConfirmed)
    assert event.reversible_until == date(2027, 1, 26)


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        (f.CONFIRM, [e.PaymentAccepted, e.PaymentConfirmed]),
        (f.PAY_OUT, [e.PaymentAccepted, e.PaymentConfirmed, e.PaymentPaidOut]),
        (f.give_back(), [e.PaymentAccepted, e.PaymentConfirmed, e.PaymentReturned]),
    ],
)
def test_a_later_fact_implies_the_earlier_ones(
    command: c.PaymentCommand, kinds: list[type[Event]]
) -> None:
    """STORY, "Facts are flags": the reference is known whichever fact comes first."""
    events = given(f.payment_until("submitted")).when(command).records(*kinds)
    assert payment_of([*f.payment_until("submitted"), *events]).reference == "pi_1"


@pytest.mark.parametrize("state", ["confirmed", "paid-out", "settled"])
def test_confirmed_once(state: str) -> None:
    given(f.payment_until(state)).when(f.CONFIRM).nothing()


@pytest.mark.parametrize("state", ["scheduled", "announced", "submitted", "accepted"])
def test_a_payment_fails_before_money_came(state: str) -> None:
    failed = e.PaymentFailed(
        at=f.FAIL.at, payment_id=f.PAYMENT, code="AM04", raw_code="insufficient_funds"
    )
    given(f.payment_until(state)).when(f.FAIL).then([failed])


@pytest.mark.parametrize("state", ["confirmed", "paid-out", "settled"])
def test_collected_money_can_only_be_returned(state: str) -> None:
    given(f.payment_until(state)).when(f.FAIL).refused("This payment was collected already")


@pytest.mark.parametrize("command", [f.CONFIRM, f.PAY_OUT, f.give_back()])
def test_news_about_a_debit_that_was_never_sent_or_failed(command: c.PaymentCommand) -> None:
    world = World(f.payment_until("submitted"))
    world.send(f.FAIL)
    given(world.events).when(command).refused(
        "This payment failed; the provider's news does not fit"
    )
    given(f.payment_until("announced")).when(command).refused("This payment was not sent yet")
    given([]).when(command).refused("We have no such payment")
    given([]).when(f.FAIL).refused("We have no such payment")


def test_paid_out_and_settled_are_two_things() -> None:
    paid_out = e.PaymentPaidOut(at=f.PAY_OUT.at, payment_id=f.PAYMENT, payout_id=f.PAYOUT, fee=35)
    given(f.payment_until("confirmed")).when(f.PAY_OUT).then([paid_out])
    settled = e.PaymentSettled(at=f.SETTLE.at, payment_id=f.PAYMENT, payout_id=f.PAYOUT)
    given(f.payment_until("paid-out")).when(f.SETTLE).then([settled])
    given(f.payment_until("confirmed")).when(f.SETTLE).refused("does not lie in that payout")
    other = c.SettlePayment(by="x", payment_id=f.PAYMENT, payout_id=make_id("po", "other"))
    given(f.payment_until("paid-out")).when(other).refused("does not lie in that payout")


@pytest.mark.parametrize("state", ["confirmed", "paid-out", "settled"])
def test_a_return_stays_the_strongest_fact(state: str) -> None:
    past = f.payment_until(state)
    (event,) = given(past).when(f.give_back()).records(e.PaymentReturned)
    assert isinstance(event, e.PaymentReturned)
    assert (event.code, event.fee, event.amount) == ("MD06", 750, 12_50)
    world = World([*past, event])
    for command in (f.CONFIRM, f.PAY_OUT, f.SETTLE):
        world.send(command)
        assert payment_of(world.events).status is Status.RETURNED
    after = payment_of(world.events)
    assert (after.confirmed, after.payout_id, after.settled) == (True, f.PAYOUT, True)


def test_a_return_voids_what_was_reserved_and_not_what_was_sent() -> None:
    world = World(f.payment_until("confirmed"))
    sent, reserved = make_id("rf", "sent"), make_id("rf", "reserved")
    world.send(f.request(2_00, refund_id=sent))
    world.send(f.of_refund(c.SubmitRefund, refund_id=sent))
    world.send(f.request(3_00, refund_id=reserved, reason=Reason.GOODWILL))
    returned, released = (
        given(world.events).when(f.give_back()).records(e.PaymentReturned, e.RefundReleased)
    )
    assert isinstance(released, e.RefundReleased)
    assert (released.refund_id, released.cause) == (reserved, e.ReleaseCause.DEBIT_RETURNED)
    payment = payment_of([*world.events, returned, released])
    assert (payment.left, payment.excess, payment.reserved) == (0, 2_00, 2_00)
