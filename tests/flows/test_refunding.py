"""Refunding: each event and exactly what the flow answers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.flows.flow import Reaction
from domain.flows.refunding import BY, REFUNDING
from domain.invoices import commands as invoices
from domain.invoices.events import CorrectionIssued
from domain.kernel.ids import derive
from domain.kernel.message import Command, Effect, Event, Timer
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.events import Reason
from domain.work.commands import CloseCase, OpenCase, case_id
from domain.work.events import CaseType
from tests.domain import facts as f
from tests.spec import World, reactions

REDUCTION = Reason.PREMIUM_REDUCTION
AMOUNT = 150_00
DECIDED = CloseCase(by=BY, case_id=case_id(CaseType.REFUND_APPROVAL, f.REFUND))
KNOWN = CloseCase(by=BY, case_id=case_id(CaseType.OUTCOME_UNRESOLVED, f.REFUND))


def of(kind: type[Event], past: list[Event], command: Command) -> list[Reaction]:
    """What the flow answers to the event of that kind that the command records."""
    world = World(past)
    for event in world.decide(command):
        world.record(event)
        if isinstance(event, kind):
            return reactions(REFUNDING, world.events)
    raise AssertionError(f"no {kind.__name__}")


def submission(at: timedelta = timedelta(0)) -> Effect:
    return Effect(
        kind="submit_refund",
        stream=f.REFUND,
        due_at=f.REFUND_DAY + at,
        payload={"refund_id": f.REFUND, "payment_id": f.PAYMENT, "provider": "stripe"},
    )


def correction(amount: int) -> invoices.IssueCorrection:
    return invoices.IssueCorrection(
        by=BY,
        correction_id=derive("inv", f.REFUND, "correction", f.REFUND),
        receivable_id=f.RECEIVABLE,
        invoice_id=f.INVOICE,
        customer_id=f.CUSTOMER,
        refund_id=f.REFUND,
        amount=amount,
    )


def failure(amount: int, code: str = "", raw_code: str = "declined") -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(CaseType.REFUND_FAILED, f.REFUND),
        case_type=CaseType.REFUND_FAILED,
        subject=f.REFUND,
        customer_id=f.CUSTOMER,
        amount=amount,
        until=date(2026, 12, 10),
        details={"payment_id": f.PAYMENT, "code": code, "raw_code": raw_code},
    )


def test_a_request_over_the_limit_waits_for_a_second_person() -> None:
    past = f.payment_until("confirmed", amount=476_00)
    timer = Timer(
        kind="expire_refund",
        stream=f.REFUND,
        due_at=f.REFUND_DAY + timedelta(days=14),
        payload={"payment_id": f.PAYMENT},
    )
    told = OpenCase(
        by=BY,
        case_id=case_id(CaseType.REFUND_APPROVAL, f.REFUND),
        case_type=CaseType.REFUND_APPROVAL,
        subject=f.REFUND,
        customer_id=f.CUSTOMER,
        amount=AMOUNT,
        until=date(2026, 12, 23),
        details={"payment_id": f.PAYMENT, "requested_by": "staff:mia"},
    )
    assert of(e.RefundRequested, past, f.request(AMOUNT)) == [timer, told]


@pytest.mark.parametrize(
    ("reason", "documents"),
    [(REDUCTION, [correction(5_00)]), (Reason.OVERPAYMENT, []), (Reason.GOODWILL, [])],
)
def test_approved_by_rule_it_is_sent_and_a_reduction_corrected(
    reason: Reason, documents: list[Reaction]
) -> None:
    past, wish = f.payment_until("confirmed"), f.request(5_00, reason=reason)
    assert of(e.RefundRequested, past, wish) == []
    assert of(e.RefundApproved, past, wish) == [submission(), *documents]


def test_approved_by_a_person_it_also_closes_the_case() -> None:
    hour = timedelta(hours=1)
    assert of(e.RefundApproved, f.waiting_refund(), f.approve()) == [submission(hour), DECIDED]
    past = f.waiting_refund(reason=REDUCTION)
    assert of(e.RefundApproved, past, f.approve()) == [
        submission(hour),
        correction(AMOUNT),
        DECIDED,
    ]


@pytest.mark.parametrize("kind", [c.RejectRefund, c.WithdrawRefund, c.ExpireRefund])
def test_decided_otherwise_it_only_closes_the_case(kind: type[c.RefundCommand]) -> None:
    by = "staff:mia" if kind is c.WithdrawRefund else "staff:jon"
    command = f.of_refund(kind, by=by)
    assert of(e.RefundEvent, f.waiting_refund(), command) == [DECIDED]


@pytest.mark.parametrize(("reason", "takes_off"), [(REDUCTION, True), (Reason.GOODWILL, False)])
def test_a_confirmed_reduction_is_taken_off_the_receipt(reason: Reason, takes_off: bool) -> None:
    past = f.refund_until("accepted", reason=reason)
    taken = invoices.RefundReceipt(
        by=BY,
        receivable_id=f.RECEIVABLE,
        payment_id=f.PAYMENT,
        refund_id=f.REFUND,
        amount=5_00,
    )
    answer = of(e.RefundConfirmed, past, f.of_refund(c.ConfirmRefund))
    assert answer == ([taken] if takes_off else [])


def test_an_answer_after_an_unknown_outcome_closes_its_case() -> None:
    unknown = f.refund_until("outcome-unknown")
    accept, confirm = f.of_refund(c.RecordRefundAccepted), f.of_refund(c.ConfirmRefund)
    assert of(e.RefundAccepted, f.refund_until("submitted"), accept) == []
    assert of(e.RefundAccepted, unknown, accept) == [KNOWN]
    assert of(e.RefundAccepted, unknown, confirm) == [KNOWN]
    answer = of(e.RefundFailed, unknown, f.of_refund(c.FailRefund))
    assert answer == [failure(5_00), KNOWN]


@pytest.mark.parametrize("state", ["submitted", "accepted", "confirmed", "settled"])
def test_a_failed_refund_is_a_case(state: str) -> None:
    answer = of(e.RefundFailed, f.refund_until(state), f.of_refund(c.FailRefund))
    assert answer == [failure(5_00)]


@pytest.mark.parametrize(("state", "late"), [("submitted", False), ("settled", True)])
def test_a_late_failure_of_a_reduction_restores_the_receipt(state: str, late: bool) -> None:
    restored = invoices.RestoreReceipt(
        by=BY,
        receivable_id=f.RECEIVABLE,
        payment_id=f.PAYMENT,
        refund_id=f.REFUND,
        amount=5_00,
    )
    past = f.refund_until(state, reason=REDUCTION)
    answer = of(e.RefundFailed, past, f.of_refund(c.FailRefund))
    assert answer == [failure(5_00), *([restored] if late else [])]


def test_a_request_that_fails_by_a_return_waits_for_nobody_any_more() -> None:
    world = World(f.waiting_refund())
    world.send(f.give_back(476_00))
    command = f.of_refund(c.FailRefund, code="debit-returned", raw_code="")
    answer = of(e.RefundFailed, world.events, command)
    assert answer == [failure(AMOUNT, "debit-returned", ""), DECIDED]


def test_a_correction_gets_its_pdf() -> None:
    render = Effect(
        kind="render",
        queue="documents",
        stream=f.CORRECTION,
        due_at=f.REFUND_DAY,
        payload={"document_id": f.CORRECTION},
    )
    assert of(CorrectionIssued, f.invoiced(), f.issue_correction()) == [render]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("approved", c.SubmitRefund),
        ("submitted", c.RecordRefundUnknown),
        ("confirmed", c.MarkRefundPaidOut),
        ("paid-out", c.SettleRefund),
    ],
)
def test_these_facts_need_no_answer(state: str, kind: type[c.RefundCommand]) -> None:
    assert of(e.RefundEvent, f.refund_until(state), f.of_refund(kind)) == []
