"""From a refund that was asked for to money that went back, its correction document, and the cases
that need a person."""

from domain.flows.flow import Flow, Reaction, render
from domain.invoices import commands as invoices
from domain.invoices.events import CorrectionIssued
from domain.kernel.ids import derive
from domain.kernel.message import Effect, Event, Timer
from domain.kernel.time import add_target_days, berlin_date
from domain.payments import events as e
from domain.payments.refund import Refund
from domain.payments.rules import APPROVAL_EXPIRES_AFTER, REASONS
from domain.work.commands import CloseCase, OpenCase, case_id
from domain.work.events import CaseType

BY = "flow:refunding"
PROVIDER = "stripe"
"""The one provider so far: refunds go back the way the money came."""
CASE_DAYS = 1
"""A failed refund keeps a customer waiting: somebody looks the next day at the latest."""


def react(event: Event, state: object) -> list[Reaction]:
    match event, state:
        case CorrectionIssued(), _:
            return [render(event.document_id, event.at)]
        case e.RefundEvent(), Refund(requested=e.RefundRequested() as requested):
            return _on_refund(event, state, requested)
        case _:
            return []


def _on_refund(event: Event, refund: Refund, requested: e.RefundRequested) -> list[Reaction]:
    corrects = REASONS[requested.reason].corrects
    match event:
        case e.RefundRequested(needs_approval=True):
            return [_expiry(event), _approval_case(event)]
        case e.RefundApproved():
            correction = [_correct(requested)] if corrects else []
            decided = [_decided(requested)] if requested.needs_approval else []
            return [_submit(requested, event), *correction, *decided]
        case e.RefundRejected() | e.RefundWithdrawn() | e.RefundExpired():
            return [_decided(requested)]
        case e.RefundConfirmed() if corrects:
            return [_take_off(requested)]
        case e.RefundAccepted() if refund.was_unknown:
            return [_close(CaseType.OUTCOME_UNRESOLVED, event.refund_id)]
        case e.RefundFailed():
            return _on_failure(event, refund, requested)
        case _:
            return []


def _on_failure(
    event: e.RefundFailed, refund: Refund, requested: e.RefundRequested
) -> list[Reaction]:
    reactions: list[Reaction] = [_failure_case(event, requested)]
    if event.late and REASONS[requested.reason].corrects:
        reactions.append(_restore(requested))
    if requested.needs_approval:
        reactions.append(_decided(requested))
    if refund.was_unknown:
        reactions.append(_close(CaseType.OUTCOME_UNRESOLVED, event.refund_id))
    return reactions


def _expiry(event: e.RefundRequested) -> Timer:
    return Timer(
        kind="expire_refund",
        stream=event.refund_id,
        due_at=event.at + APPROVAL_EXPIRES_AFTER,
        payload={"payment_id": event.payment_id},
    )


def _approval_case(event: e.RefundRequested) -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(CaseType.REFUND_APPROVAL, event.refund_id),
        case_type=CaseType.REFUND_APPROVAL,
        subject=event.refund_id,
        customer_id=event.customer_id,
        amount=event.amount,
        until=berlin_date(event.at + APPROVAL_EXPIRES_AFTER),
        details={"payment_id": event.payment_id, "requested_by": event.requested_by},
    )


def _decided(requested: e.RefundRequested) -> CloseCase:
    return _close(CaseType.REFUND_APPROVAL, requested.refund_id)


def _close(case_type: CaseType, subject: str) -> CloseCase:
    return CloseCase(by=BY, case_id=case_id(case_type, subject))


def _submit(requested: e.RefundRequested, event: e.RefundApproved) -> Effect:
    return Effect(
        kind="submit_refund",
        stream=requested.refund_id,
        due_at=event.at,
        payload={
            "refund_id": requested.refund_id,
            "payment_id": requested.payment_id,
            "provider": PROVIDER,
        },
    )


def _correct(requested: e.RefundRequested) -> invoices.IssueCorrection:
    return invoices.IssueCorrection(
        by=BY,
        correction_id=derive("inv", requested.refund_id, "correction", requested.refund_id),
        receivable_id=requested.receivable_id,
        invoice_id=requested.invoice_id,
        customer_id=requested.customer_id,
        refund_id=requested.refund_id,
        amount=requested.amount,
    )


def _take_off(requested: e.RefundRequested) -> invoices.RefundReceipt:
    return invoices.RefundReceipt(
        by=BY,
        receivable_id=requested.receivable_id,
        payment_id=requested.payment_id,
        refund_id=requested.refund_id,
        amount=requested.amount,
    )


def _restore(requested: e.RefundRequested) -> invoices.RestoreReceipt:
    return invoices.RestoreReceipt(
        by=BY,
        receivable_id=requested.receivable_id,
        payment_id=requested.payment_id,
        refund_id=requested.refund_id,
        amount=requested.amount,
    )


def _failure_case(event: e.RefundFailed, requested: e.RefundRequested) -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(CaseType.REFUND_FAILED, event.refund_id),
        case_type=CaseType.REFUND_FAILED,
        subject=event.refund_id,
        customer_id=requested.customer_id,
        amount=requested.amount,
        until=add_target_days(berlin_date(event.at), CASE_DAYS),
        details={
            "payment_id": event.payment_id,
            "code": event.code,
            "raw_code": event.raw_code,
        },
    )


REFUNDING = Flow(name="refunding", watches=frozenset({"rf", "inv"}), react=react)
