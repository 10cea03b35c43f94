"""The customer's bank returns a debit: the receivable is open again, what was only promised is
void, and what left us twice is a recovery."""

import pytest

from domain.kernel.message import Refused
from domain.payments.events import Reason, RefundFailed
from domain.payments.payment import Status as PaymentStatus
from domain.payments.refund import Status
from domain.work.case import Status as CaseStatus
from domain.work.events import CaseType
from tests.journeys.acts import approve, case, refund, request
from tests.journeys.people import Insured
from tests.journeys.town import PREMIUM, Town

PEOPLE = 6


def _returned(town: Town, insured: Insured, reason: str, code: str) -> None:
    town.world.act("return", payment=insured.payment(), reason=reason)
    world = town.world
    assert world.state(insured.payment()).status is PaymentStatus.RETURNED
    told = case(world, CaseType.PAYMENT_RETURNED, insured.payment())
    assert told.opened is not None
    assert told.opened.details == {"code": code, "raw_code": reason}
    assert told.status is CaseStatus.OPEN
    receivable = world.state(insured.receivable())
    assert (receivable.applied, receivable.collecting) == (0, None)


def test_a_reservation_that_waits_is_void(town: Town) -> None:
    insured, world = town.someone(), town.world
    refund_id = refund(world, insured, 200_00)
    _returned(town, insured, "customer_initiated", "MD06")
    assert world.told(refund_id)[-1] == "refund-failed"
    failed = world.events(refund_id)[-1]
    assert isinstance(failed, RefundFailed)
    assert failed.code == "debit-returned"
    assert case(world, CaseType.REFUND_APPROVAL, refund_id).status is CaseStatus.CLOSED
    assert case(world, CaseType.RECOVERY, insured.payment()).opened is None
    assert world.state(insured.receivable()).open == PREMIUM
    with pytest.raises(Refused, match="cannot be decided on any more"):
        approve(world, insured, refund_id)
    with pytest.raises(Refused, match="returned this debit"):
        refund(world, insured, 1_00)


def test_a_return_between_approval_and_call_sends_nothing(town: Town) -> None:
    insured, world = town.someone(), town.world
    command = request(insured, 50_00, Reason.PREMIUM_REDUCTION)
    world.control.ask("POST", "/act", {"act": "return", "payment": insured.payment()})
    # Approved by rule a moment before the notification is read; both are worked on together.
    world.send(command)
    world.settle()
    assert world.state(command.refund_id).status is Status.FAILED
    assert world.state(insured.payment()).status is PaymentStatus.RETURNED
    refunds = world.book()["refund"]
    assert not [r for r in refunds if r["metadata"].get("operation_id") == command.refund_id]
    # The correction was issued with the approval and stands: so much less is open again.
    assert world.state(insured.receivable()).open == PREMIUM - 50_00


def test_a_refund_on_its_way_comes_back_too(town: Town) -> None:
    insured, world = town.someone(), town.world
    refund_id = refund(world, insured, 40_00)
    assert world.state(refund_id).status is Status.ACCEPTED
    world.faults(webhooks={"shuffle": True, "duplicate": 3})
    _returned(town, insured, "insufficient_funds", "AM04")
    assert world.state(refund_id).status is Status.FAILED
    assert case(world, CaseType.REFUND_FAILED, refund_id).status is CaseStatus.OPEN
    # Whichever news came first, nothing is owed back in the end.
    assert case(world, CaseType.RECOVERY, insured.payment()).status is not CaseStatus.OPEN
    assert world.state(insured.payment()).excess == 0


@pytest.mark.parametrize(
    ("reason", "status"),
    [(Reason.PREMIUM_REDUCTION, Status.CONFIRMED), (Reason.GOODWILL, Status.SETTLED)],
)
def test_a_refund_that_left_is_owed_back(town: Town, reason: Reason, status: Status) -> None:
    insured, world = town.someone(), town.world
    refund_id = refund(world, insured, 70_00, reason)
    town.until_status(refund_id, status)
    _returned(town, insured, "debit_not_authorized", "MD01")
    recovery = case(world, CaseType.RECOVERY, insured.payment())
    assert recovery.status is CaseStatus.OPEN
    assert recovery.opened is not None
    assert recovery.opened.amount == 70_00
    reduced = 70_00 if reason is Reason.PREMIUM_REDUCTION else 0
    assert world.state(insured.receivable()).open == PREMIUM - reduced
    # The refund comes back after all: nothing is owed, nothing is received.
    world.act("fail_refund", refund=refund_id)
    assert case(world, CaseType.RECOVERY, insured.payment()).status is CaseStatus.CLOSED
    assert world.state(insured.receivable()).open == PREMIUM - reduced
    town.days(8)


def test_the_return_is_told_once_however_often_it_is_told(town: Town) -> None:
    insured, world = town.someone(), town.world
    world.faults(webhooks={"duplicate": 9, "shuffle": True})
    _returned(town, insured, "something_nobody_knows", "something_nobody_knows")
    assert world.told(insured.payment()).count("payment-returned") == 1
    assert world.told(insured.receivable()).count("receipt-reversed") == 1
