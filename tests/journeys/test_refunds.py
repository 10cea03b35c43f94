"""Refunds that go well, and the people who decide on them."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest

from domain.dispatch import Moved
from domain.invoices.events import CorrectionIssued
from domain.kernel.ids import derive
from domain.kernel.message import Refused
from domain.kernel.time import berlin, berlin_date
from domain.payments.events import Reason, RefundApproved
from domain.payments.payment import Payment
from domain.payments.refund import Status
from domain.payments.rules import can_still_be_returned
from domain.work.case import Status as CaseStatus
from domain.work.events import CaseType
from tests.journeys.acts import ASKER, approve, case, refund, reject, request, withdraw
from tests.journeys.people import Insured, insure
from tests.journeys.town import DEBIT_ON, FIRST_REFUND_ON, PREMIUM, Town
from tests.journeys.world import World

PEOPLE = 11
SENT = ["refund-submitted", "refund-accepted"]
HOME = ["refund-confirmed", "refund-paid-out", "refund-settled"]


def correction_of(refund_id: str) -> str:
    return derive("inv", refund_id, "correction", refund_id)


@pytest.mark.parametrize("reason", [Reason.GOODWILL, Reason.OVERPAYMENT])
def test_below_the_limit_by_rule_to_the_settled_cent(town: Town, reason: Reason) -> None:
    insured, world = town.someone(), town.world
    before = world.told(insured.receivable())
    refund_id = refund(world, insured, 80_00, reason)
    assert world.told(refund_id) == ["refund-requested", "refund-approved", *SENT]
    approved = world.events(refund_id)[1]
    assert isinstance(approved, RefundApproved)
    assert (approved.approved_by, approved.role, approved.rule_version) == ("rule", "rule", 1)
    town.days(10)
    assert world.told(refund_id)[4:] == HOME
    assert world.state(insured.payment()).left == PREMIUM - 80_00
    assert world.told(correction_of(refund_id)) == []
    assert world.told(insured.receivable()) == before


def test_a_premium_reduction_makes_a_correction_with_number_and_pdf(town: Town) -> None:
    insured, world = town.someone(), town.world
    refund_id = refund(world, insured, 5_00, Reason.PREMIUM_REDUCTION)
    # At approval, long before the money went back.
    assert world.state(refund_id).status is Status.ACCEPTED
    issued, *rest = world.events(correction_of(refund_id))
    assert isinstance(issued, CorrectionIssued)
    assert issued.number.startswith("KOR-2027-")
    assert [event.wire() for event in rest] == ["document-rendered", "document-delivered"]
    assert [line.gross for line in issued.lines] == [4_20, 80]
    assert (world.kontor.document(correction_of(refund_id)) or b"").startswith(b"%PDF-")
    receivable = world.state(insured.receivable())
    assert (receivable.owed, receivable.applied) == (PREMIUM - 5_00, PREMIUM)
    town.days(9)
    assert world.told(refund_id)[4:] == HOME
    receivable = world.state(insured.receivable())
    assert (receivable.owed, receivable.applied, receivable.open) == (PREMIUM - 5_00,) * 2 + (0,)


def test_over_the_limit_waits_for_a_second_person(town: Town) -> None:
    insured, world = town.someone(), town.world
    first = refund(world, insured, 60_00)
    second = refund(world, insured, 40_01, Reason.PREMIUM_REDUCTION)
    assert world.told(first)[1] == "refund-approved"
    assert world.told(second) == ["refund-requested"]
    waiting = case(world, CaseType.REFUND_APPROVAL, second)
    assert waiting.status is CaseStatus.OPEN
    assert waiting.opened is not None
    assert waiting.opened.amount == 40_01
    for by, role, why in (
        (ASKER, "operations", "Someone else has to decide"),
        ("staff:sina", "support", "does not decide on refunds"),
    ):
        with pytest.raises(Refused, match=why):
            approve(world, insured, second, by=by, role=role)
    assert world.told(second) == ["refund-requested"]
    assert world.told(correction_of(second)) == []
    approve(world, insured, second)
    assert world.told(second) == ["refund-requested", "refund-approved", *SENT]
    assert world.told(correction_of(second))[0] == "correction-issued"
    assert case(world, CaseType.REFUND_APPROVAL, second).status is CaseStatus.CLOSED
    with pytest.raises(Refused, match="cannot be decided on any more"):
        approve(world, insured, second)
    town.days(9)
    assert world.state(second).status is Status.SETTLED
    # The expiry of the approval is a timer that is never cancelled: it decides nothing.
    town.days(8)
    assert world.state(second).status is Status.SETTLED


def _rejected(town: Town, insured: Insured, refund_id: str) -> None:
    reject(town.world, insured, refund_id)


def _withdrawn(town: Town, insured: Insured, refund_id: str) -> None:
    with pytest.raises(Refused, match="Only the person who requested"):
        withdraw(town.world, insured, refund_id, by="staff:somebody")
    withdraw(town.world, insured, refund_id)


def _expired(town: Town, insured: Insured, refund_id: str) -> None:
    town.days(13)
    assert town.world.state(refund_id).status is Status.REQUESTED
    town.days(1, 23)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (_rejected, Status.REJECTED),
        (_withdrawn, Status.WITHDRAWN),
        (_expired, Status.EXPIRED),
    ],
)
def test_what_is_not_approved_is_free_again(
    town: Town, end: Callable[[Town, Insured, str], None], status: Status
) -> None:
    insured, world = town.someone(), town.world
    refund_id = refund(world, insured, PREMIUM)
    assert world.state(insured.payment()).left == 0
    with pytest.raises(Refused, match=r"more than the 0\.00 EUR that are left"):
        refund(world, insured, 1)
    assert case(world, CaseType.REFUND_APPROVAL, refund_id).status is CaseStatus.OPEN
    end(town, insured, refund_id)
    assert world.state(refund_id).status is status
    assert world.state(insured.payment()).left == PREMIUM
    assert case(world, CaseType.REFUND_APPROVAL, refund_id).status is CaseStatus.CLOSED
    with pytest.raises(Refused, match="cannot be decided on any more"):
        approve(world, insured, refund_id)
    assert [one for one in world.book()["refund"] if one["amount"] == PREMIUM] == []


def test_the_limit_counts_thirty_days(town: Town) -> None:
    insured, world = town.someone(), town.world
    refund(world, insured, 100_00)
    assert world.state(refund(world, insured, 1)).status is Status.REQUESTED
    town.days(31)
    assert world.state(refund(world, insured, 99_00)).status is Status.ACCEPTED


def test_amounts_that_cannot_be_refunded(town: Town) -> None:
    insured, world = town.someone(), town.world
    before = world.rows("SELECT count(*) FROM event")
    for amount, why in (
        (0, "has to be more than"),
        (-1, "has to be more than"),
        (PREMIUM + 1, "is more than the"),
    ):
        with pytest.raises(Refused, match=why):
            refund(world, insured, amount)
    assert world.rows("SELECT count(*) FROM event") == before


def test_two_racing_refunds_never_exceed_what_is_left(town: Town) -> None:
    insured, world = town.someone(), town.world
    commands = [request(insured, PREMIUM // 2 + 1) for _ in range(8)]
    start, refusals = Barrier(len(commands)), []

    def ask(number: int) -> None:
        start.wait()
        try:
            world.send(commands[number])
        except Refused as refused:
            refusals.append(str(refused))

    threads = [Thread(target=ask, args=(number,)) for number in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.settle()
    assert len(refusals) == len(commands) - 1
    assert all("that are left of this payment" in why for why in refusals)
    assert world.state(insured.payment()).reserved == PREMIUM // 2 + 1


def test_a_preview_that_no_longer_holds_is_shown_again(town: Town) -> None:
    insured, world = town.someone(), town.world
    command = request(insured, 90_00)
    digest = world.kontor.preview(command).digest
    refund(world, insured, 20_00)  # Another agent: now 90.00 needs a second person.
    with pytest.raises(Moved) as moved:
        world.kontor.dispatch(command, uuid4(), previewed=digest)
    assert moved.value.preview.events
    assert world.told(command.refund_id) == []


def test_the_first_possible_day_and_the_window_of_returns(world: World) -> None:
    insured = insure(world, first_due=date(2027, 1, 1))
    command = request(insured, 10_00)
    with pytest.raises(Refused, match="does not exist"):
        world.kontor.preview(command)
    world.until(berlin(DEBIT_ON, 12))
    with pytest.raises(Refused, match="not confirmed yet"):
        world.kontor.preview(command)
    world.until(berlin(FIRST_REFUND_ON - timedelta(days=1), 23, 59))
    with pytest.raises(Refused) as refused:
        world.kontor.preview(command)
    assert refused.value.values == {"last": date(2027, 1, 11), "first": date(2027, 1, 12)}
    world.until(berlin(FIRST_REFUND_ON, 0))
    world.do(command)
    payment = world.state(insured.payment())
    assert isinstance(payment, Payment)
    assert payment.debit_on == DEBIT_ON
    assert can_still_be_returned(payment.debit_on, berlin(date(2027, 3, 1), 23))
    assert not can_still_be_returned(payment.debit_on, berlin(date(2027, 3, 2)))
    assert berlin_date(world.kontor.now()) == FIRST_REFUND_ON
