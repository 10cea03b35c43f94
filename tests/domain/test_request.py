"""Asking for a refund: how much, when, and who must say yes (STORY, money rules)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.kernel.message import Event
from domain.kernel.time import berlin
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.events import Reason, ReleaseCause
from domain.payments.payment import Payment
from tests.domain import facts as f
from tests.spec import World, given, make_id

BIG = 476_00


def refund_id(name: object) -> str:
    return make_id("rf", name)


def test_below_the_limit_the_rule_approves() -> None:
    requested, approved, reserved = (
        given(f.payment_until("confirmed"))
        .when(f.request(5_00))
        .records(e.RefundRequested, e.RefundApproved, e.RefundReserved)
    )
    assert isinstance(requested, e.RefundRequested)
    assert isinstance(approved, e.RefundApproved)
    assert isinstance(reserved, e.RefundReserved)
    assert (requested.needs_approval, requested.requested_by) == (False, "staff:mia")
    assert (approved.approved_by, approved.role, approved.rule_version) == ("rule", "rule", 1)
    assert approved.content_hash == requested.content_hash
    assert (reserved.amount, reserved.refund_id) == (5_00, f.REFUND)


def test_asking_again_changes_nothing() -> None:
    given(f.waiting_refund()).when(f.request(150_00)).nothing()


@pytest.mark.parametrize(("amount", "needs"), [(1, False), (100_00, False), (100_01, True)])
def test_one_hundred_by_rule_one_cent_more_by_a_person(amount: int, needs: bool) -> None:
    past = f.payment_until("confirmed", amount=BIG)
    events = World(past).send(f.request(amount))
    assert isinstance(events[0], e.RefundRequested)
    assert events[0].needs_approval is needs
    assert any(isinstance(event, e.RefundApproved) for event in events) is not needs


@pytest.mark.parametrize(
    ("after", "needs"),
    [
        (timedelta(0), True),
        (timedelta(days=30), True),
        (timedelta(days=30, microseconds=1), False),
    ],
)
def test_the_window_is_thirty_times_twenty_four_hours(after: timedelta, needs: bool) -> None:
    """Over the change to summer time, too: 30 x 24 h, not 30 calendar days."""
    start = berlin(date(2027, 3, 10), 12)
    world = World(f.payment_until("confirmed", amount=BIG))
    world.send(f.request(60_00, at=start, refund_id=refund_id(1)))
    events = world.send(f.request(60_00, at=start + after, refund_id=refund_id(2)))
    assert isinstance(events[0], e.RefundRequested)
    assert events[0].needs_approval is needs


def needs_after(*commands: c.RefundCommand) -> bool:
    """60.00 is asked for and ends as the commands say; does 60.00 more need a person?"""
    world = World(f.payment_until("confirmed", amount=BIG))
    world.send(f.request(60_00, refund_id=f.REFUND))
    for command in commands:
        world.send(command)
    events = world.send(f.request(60_00, refund_id=refund_id("next")))
    assert isinstance(events[0], e.RefundRequested)
    return events[0].needs_approval


def test_what_was_released_or_unbooked_does_not_count() -> None:
    sent = f.of_refund(c.SubmitRefund)
    confirmed, failed = f.of_refund(c.ConfirmRefund), f.of_refund(c.FailRefund)
    assert needs_after()
    assert needs_after(sent)
    assert needs_after(sent, confirmed)
    assert not needs_after(failed)
    assert not needs_after(sent, failed)
    assert not needs_after(sent, confirmed, failed)


@pytest.mark.parametrize(
    ("day", "possible"),
    [
        (date(2026, 12, 2), False),
        (date(2026, 12, 8), False),
        (date(2026, 12, 9), True),
    ],
)
def test_through_d_plus_five_target_days_it_is_refused(day: date, possible: bool) -> None:
    """STORY: D 1 Dec 2026 is refused through 8 Dec, allowed on 9 Dec."""
    when = given(f.payment_until("confirmed")).when(f.request(5_00, at=berlin(day, 23, 59)))
    if possible:
        when.records(e.RefundRequested, e.RefundApproved, e.RefundReserved)
    else:
        refused = when.refused("until 2026-12-08")
        assert refused.values == {"last": date(2026, 12, 8), "first": date(2026, 12, 9)}


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_than_nothing(amount: int) -> None:
    given(f.payment_until("confirmed")).when(f.request(amount)).refused("more than 0.00 EUR")


def test_more_than_is_left() -> None:
    past = f.payment_until("confirmed")
    given(past).when(f.request(12_51)).refused("12.51 EUR is more than the 12.50 EUR")
    world = World(past)
    world.send(f.request(12_50))
    racing = f.request(1, refund_id=refund_id("racing"))
    given(world.events).when(racing).refused("more than the 0.00 EUR that are left")


def test_no_money_no_refund() -> None:
    given([]).when(f.request(1)).refused("does not exist")
    for state in ("scheduled", "announced", "submitted", "accepted"):
        given(f.payment_until(state)).when(f.request(1)).refused("not confirmed yet")
    failed, returned = World(f.payment_until("accepted")), World(f.payment_until("confirmed"))
    failed.send(f.FAIL)
    returned.send(f.give_back())
    given(failed.events).when(f.request(1)).refused("This payment failed")
    given(returned.events).when(f.request(1)).refused("has the money back already")


def test_premium_reductions_never_exceed_what_was_collected() -> None:
    """STORY: failed ones included; overpayment pays a failed one again."""
    reduction = Reason.PREMIUM_REDUCTION
    world = World(f.payment_until("confirmed"))
    world.send(f.request(10_00, reason=reduction))
    for kind in (c.SubmitRefund, c.ConfirmRefund, c.FailRefund):
        world.send(f.of_refund(kind))
    again = {"refund_id": refund_id("again")}
    refused = given(world.events).when(f.request(2_51, reason=reduction, **again))
    refused.refused("Premium reductions of one payment never exceed")
    refused.refused("2.50 EUR are left")
    for wish in (f.request(2_50, reason=reduction, **again), f.request(10_00, **again)):
        given(world.events).when(wish).records(
            e.RefundRequested, e.RefundApproved, e.RefundReserved
        )


@pytest.mark.parametrize("kind", [c.RejectRefund, c.WithdrawRefund, c.ExpireRefund])
def test_a_reduction_that_was_never_approved_takes_no_room(kind: type[c.RefundCommand]) -> None:
    reduction = Reason.PREMIUM_REDUCTION
    world = World(f.waiting_refund(400_00, reason=reduction))
    world.send(f.of_refund(kind, by="staff:mia" if kind is c.WithdrawRefund else "staff:jon"))
    payment = world.state(f.PAYMENT)
    assert isinstance(payment, Payment)
    assert (payment.reductions, payment.left) == (0, BIG)
    world.send(f.request(BIG, reason=reduction, refund_id=refund_id("again")))


def test_a_second_person_approves_the_content_that_was_asked_for() -> None:
    past = f.waiting_refund()
    (approved,) = given(past).when(f.approve()).records(e.RefundApproved)
    (requested,) = f.only(past, e.RefundRequested)
    assert isinstance(approved, e.RefundApproved)
    assert isinstance(requested, e.RefundRequested)
    assert (approved.approved_by, approved.role, approved.rule_version) == (
        "staff:jon",
        "operations",
        None,
    )
    assert (approved.amount, approved.reason) == (requested.amount, requested.reason)
    assert approved.content_hash == requested.content_hash
    given([*past, approved]).when(f.approve()).nothing()


def test_other_content_has_another_hash() -> None:
    hashes = set()
    for changes in ({}, {"amount": 151_00}, {"reason": Reason.GOODWILL}):
        (requested,) = f.only(
            World(f.payment_until("confirmed", amount=BIG)).send(
                f.request(**{"amount": 150_00} | changes)  # type: ignore[arg-type]
            ),
            e.RefundRequested,
        )
        assert isinstance(requested, e.RefundRequested)
        hashes.add(requested.content_hash)
    assert len(hashes) == 3


def test_maker_is_not_checker() -> None:
    past = f.waiting_refund()
    reject = f.of_refund(c.RejectRefund, by="staff:mia")
    given(past).when(f.approve(by="staff:mia")).refused("Someone else has to decide")
    given(past).when(reject).refused("Someone else has to decide")


@pytest.mark.parametrize("role", ["support", "auditor", "admin", ""])
def test_who_may_not_decide(role: str) -> None:
    given(f.waiting_refund()).when(f.approve(role=role)).refused("does not decide on refunds")
    reject = f.of_refund(c.RejectRefund, by="staff:jon", role=role)
    given(f.waiting_refund()).when(reject).refused("does not decide on refunds")


@pytest.mark.parametrize("role", ["operations", "finance", "lead"])
def test_who_may(role: str) -> None:
    given(f.waiting_refund()).when(f.approve(role=role)).records(e.RefundApproved)


def test_a_rejection_says_why_and_frees_the_money() -> None:
    reject = f.of_refund(c.RejectRefund, by="staff:jon", remark=" no receipt ")
    rejected, released = (
        given(f.waiting_refund()).when(reject).records(e.RefundRejected, e.RefundReleased)
    )
    assert isinstance(rejected, e.RefundRejected)
    assert isinstance(released, e.RefundReleased)
    assert (rejected.rejected_by, rejected.remark) == ("staff:jon", "no receipt")
    assert released.cause is ReleaseCause.REJECTED


def test_only_the_requester_withdraws() -> None:
    withdraw = f.of_refund(c.WithdrawRefund, by="staff:mia")
    _, released = (
        given(f.waiting_refund()).when(withdraw).records(e.RefundWithdrawn, e.RefundReleased)
    )
    assert isinstance(released, e.RefundReleased)
    assert released.cause is ReleaseCause.WITHDRAWN
    other = f.of_refund(c.WithdrawRefund, by="staff:jon")
    given(f.waiting_refund()).when(other).refused("Only the person who requested")


def test_after_fourteen_days_it_expires() -> None:
    expire = f.of_refund(c.ExpireRefund, by="timer")
    _, released = given(f.waiting_refund()).when(expire).records(e.RefundExpired, e.RefundReleased)
    assert isinstance(released, e.RefundReleased)
    assert released.cause is ReleaseCause.EXPIRED


DECIDED = {
    "approved": f.approve(),
    "rejected": f.of_refund(c.RejectRefund, by="staff:jon"),
    "withdrawn": f.of_refund(c.WithdrawRefund, by="staff:mia"),
    "expired": f.of_refund(c.ExpireRefund, by="timer"),
}


@pytest.mark.parametrize("first", DECIDED)
@pytest.mark.parametrize("second", DECIDED)
def test_decided_once(first: str, second: str) -> None:
    """The same decision again, and a timer that comes late, add nothing; another is refused."""
    world = World(f.waiting_refund())
    world.send(DECIDED[first])
    when = given(world.events).when(DECIDED[second])
    if second in (first, "expired"):
        when.nothing()
    else:
        when.refused(f"cannot be decided on any more: its state is “{first}”")


def test_deciding_on_a_refund_that_nobody_asked_for() -> None:
    past: list[Event] = f.payment_until("confirmed")
    given(past).when(f.approve()).refused("This refund does not exist")
    for name in ("rejected", "withdrawn"):
        given(past).when(DECIDED[name]).refused("This refund does not exist")
    given(past).when(DECIDED["expired"]).nothing()
