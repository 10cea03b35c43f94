"""Refunds whose answer is lost, that are refused, or that fail days later: money moves once, what
was reserved or booked is free again, and somebody is told."""

from threading import Thread

import pytest

from domain.invoices.document import Document
from domain.kernel.ids import derive
from domain.kernel.message import Refused
from domain.payments.events import Reason, RefundFailed
from domain.payments.refund import Status
from domain.stream import clock, effects
from domain.work.case import Status as CaseStatus
from domain.work.events import CaseType
from jobs import effects as work
from tests.journeys.acts import case, refund, request
from tests.journeys.town import PREMIUM, Town

PEOPLE = 9
CREATE = "refunds.create"


@pytest.mark.parametrize("fault", ["lose_answers", "lose_requests", "store_500"])
def test_an_answer_that_never_came_is_asked_for(town: Town, fault: str) -> None:
    insured, world = town.someone(), town.world
    world.faults(**{fault: {CREATE: 1}})
    refund_id = refund(world, insured, 30_00)
    assert world.told(refund_id) == [
        "refund-requested",
        "refund-approved",
        "refund-submitted",
        "refund-outcome-unknown",
        "refund-accepted",
    ]
    assert world.state(insured.payment()).reserved == 30_00
    assert len(_in_book(town, refund_id)) == 1
    town.days(8)
    assert world.state(refund_id).status is Status.SETTLED


def test_a_second_worker_while_the_first_is_still_calling(town: Town) -> None:
    insured, world = town.someone(), town.world
    world.faults(hold_answers_ms={CREATE: 1500})
    command = request(insured, 30_00)
    world.send(command)
    with world.kontor.read() as connection:
        due = effects.due(connection, clock.now(connection), 10)
    slow = Thread(target=work.carry_out, args=(world.context, due[0].effect_id))
    slow.start()
    while world.state(command.refund_id).status is not Status.SUBMITTED:
        pass
    world.rows(
        "UPDATE effect SET lease_until = clock_timestamp() WHERE stream = %s RETURNING 1",
        command.refund_id,
    )
    world.settle()  # The second asks, finds nothing, sends the same key: 409, in flight.
    slow.join()
    world.settle()
    told = world.told(command.refund_id)
    assert told[2:] == ["refund-submitted", "refund-outcome-unknown", "refund-accepted"]
    assert len(_in_book(town, command.refund_id)) == 1


def test_refused_at_once(town: Town) -> None:
    insured, world = town.someone(), town.world
    world.faults(refuse_refunds={"count": 1, "code": "balance_insufficient"})
    refund_id = refund(world, insured, 30_00, Reason.PREMIUM_REDUCTION)
    assert world.told(refund_id)[-1] == "refund-failed"
    _is_free_again(town, refund_id, insured.payment(), "balance_insufficient", late=False)
    assert _in_book(town, refund_id) == []
    # The correction stands: less is owed than was paid, and the receipt was never touched.
    receivable = world.state(insured.receivable())
    assert (receivable.owed, receivable.applied) == (PREMIUM - 30_00, PREMIUM)
    assert isinstance(world.state(_correction(refund_id)), Document)
    # Paid again as an overpayment, without a second document.
    again = refund(world, insured, 30_00, Reason.OVERPAYMENT)
    assert world.state(again).status is Status.ACCEPTED
    assert world.told(_correction(again)) == []


def test_failed_before_it_was_confirmed(town: Town) -> None:
    insured, world = town.someone(), town.world
    world.faults(fail_refunds={"count": 1, "after_days": 1, "reason": "declined"})
    refund_id = refund(world, insured, 30_00)
    town.days(4)
    assert world.told(refund_id)[-2:] == ["refund-accepted", "refund-failed"]
    _is_free_again(town, refund_id, insured.payment(), "declined", late=False)


@pytest.mark.parametrize("status", [Status.CONFIRMED, Status.PAID_OUT, Status.SETTLED])
def test_failed_days_later(town: Town, status: Status) -> None:
    insured, world = town.someone(), town.world
    refund_id = refund(world, insured, 30_00, Reason.PREMIUM_REDUCTION)
    town.until_status(refund_id, status)
    receivable = world.state(insured.receivable())
    assert (receivable.owed, receivable.applied) == (PREMIUM - 30_00,) * 2
    world.act("fail_refund", refund=refund_id, reason="expired_or_canceled_card")
    _is_free_again(town, refund_id, insured.payment(), "expired_or_canceled_card", late=True)
    receivable = world.state(insured.receivable())
    assert (receivable.owed, receivable.applied) == (PREMIUM - 30_00, PREMIUM)
    assert world.told(_correction(refund_id))[0] == "correction-issued"
    with pytest.raises(Refused, match="never exceed what was collected"):
        world.kontor.preview(request(insured, PREMIUM, Reason.PREMIUM_REDUCTION))
    town.days(8)  # The booking that takes the refund back lies in a later payout.
    assert world.state(refund_id).status is Status.FAILED


def _is_free_again(town: Town, refund_id: str, payment_id: str, code: str, *, late: bool) -> None:
    world = town.world
    failed = world.events(refund_id)[-1]
    assert isinstance(failed, RefundFailed)
    assert (failed.raw_code, failed.late) == (code, late)
    assert world.told(payment_id)[-1] == ("refund-unbooked" if late else "refund-released")
    assert world.state(payment_id).left == PREMIUM
    told = case(world, CaseType.REFUND_FAILED, refund_id)
    assert told.status is CaseStatus.OPEN
    assert told.opened is not None
    assert told.opened.details["raw_code"] == code


def _correction(refund_id: str) -> str:
    return derive("inv", refund_id, "correction", refund_id)


def _in_book(town: Town, refund_id: str) -> list[dict[str, object]]:
    refunds = town.world.book()["refund"]
    return [one for one in refunds if one["metadata"].get("operation_id") == refund_id]
