"""From an instalment that falls due to money that is confirmed, and back when it is returned."""

from datetime import date, timedelta

from domain.contracts.contract import Contract, due_on
from domain.contracts.events import ContractSigned, InstalmentBilled
from domain.flows.flow import Flow, Reaction, render
from domain.invoices import commands as invoices
from domain.invoices import events as billed
from domain.invoices.document import Document
from domain.kernel.ids import derive
from domain.kernel.message import Effect, Event, Timer
from domain.kernel.money import Cents
from domain.kernel.time import add_target_days, berlin, berlin_date, roll_to_target_day
from domain.payments import commands as payments
from domain.payments import events as paid
from domain.payments.payment import Payment
from domain.payments.recovery import Recovery
from domain.work.commands import CloseCase, OpenCase, case_id
from domain.work.events import CaseType

BY = "flow:collecting"
BILL_DAYS_BEFORE = 21
"""Longer than the 14 days of the announcement, so that a slow day harms nobody (STORY, Setup)."""
MORNING = 6
PROVIDER = "stripe"
"""The one provider so far; routing chooses among several later."""
CASE_DAYS = 3
"""By then somebody should have looked at a failed or returned payment."""


def react(event: Event, state: object) -> list[Reaction]:
    match event, state:
        case ContractSigned(), Contract():
            return [_bill_timer(event, event.first_due_on)]
        case InstalmentBilled(), Contract(signed=ContractSigned() as signed):
            following = due_on(signed, event.instalment + 1)
            return [_bill_timer(signed, following), _issue_invoice(event)]
        case billed.ReceivableRaised(), _:
            return [_schedule(event)]
        case billed.InvoiceIssued(), _:
            return [render(event.document_id, event.at)]
        case billed.DocumentDelivered(), Document(issued=billed.InvoiceIssued() as issued):
            return [_announce(event, issued)]
        case paid.PaymentAnnounced(), Payment(scheduled=paid.PaymentScheduled() as scheduled):
            return [_submit(event, scheduled)]
        case paid.RecoveryOpened() | paid.RecoveryAdjusted(), Recovery(amount=0):
            return [_close(CaseType.RECOVERY, event.payment_id)]
        case paid.RecoveryOpened(), _:
            return [_recovery_case(event)]
        case _, Payment(scheduled=paid.PaymentScheduled() as scheduled):
            return _on_payment(event, state, scheduled)
        case _:
            return []


def _on_payment(event: Event, payment: Payment, scheduled: paid.PaymentScheduled) -> list[Reaction]:
    match event:
        case paid.PaymentConfirmed():
            return [_apply(scheduled)]
        case paid.PaymentAccepted() if payment.was_unknown:
            return [_close(CaseType.OUTCOME_UNRESOLVED, event.payment_id)]
        case paid.PaymentFailed():
            closed = [_close(CaseType.OUTCOME_UNRESOLVED, event.payment_id)]
            told = _case(CaseType.PAYMENT_FAILED, scheduled, scheduled.amount, event)
            return [_release(scheduled), told, *(closed if payment.was_unknown else [])]
        case paid.PaymentReturned():
            told = _case(CaseType.PAYMENT_RETURNED, scheduled, event.amount, event)
            return [_reverse(scheduled, event.amount), told, *_recover(payment, scheduled)]
        case paid.RefundReleased(cause=paid.ReleaseCause.DEBIT_RETURNED):
            return [_fail_refund(event)]
        case paid.RefundReleased() | paid.RefundBooked() | paid.RefundUnbooked():
            return _recover(payment, scheduled) if payment.returned else []
        case _:
            return []


def _bill_timer(signed: ContractSigned, due: date) -> Timer:
    return Timer(
        kind="bill_instalment",
        stream=signed.contract_id,
        due_at=berlin(due - timedelta(days=BILL_DAYS_BEFORE), MORNING),
        payload={"due_on": due.isoformat()},
    )


def _issue_invoice(event: InstalmentBilled) -> invoices.IssueInvoice:
    return invoices.IssueInvoice(
        by=BY,
        receivable_id=event.receivable_id,
        invoice_id=event.invoice_id,
        payment_id=event.payment_id,
        customer_id=event.customer_id,
        contract_id=event.contract_id,
        contract_number=event.contract_number,
        product=event.product,
        mandate_id=event.mandate_id,
        lines=event.lines,
        period_from=event.period_from,
        period_to=event.period_to,
        due_on=event.due_on,
        debit_on=roll_to_target_day(event.due_on),
        prenotification_days=event.prenotification_days,
    )


def _schedule(event: billed.ReceivableRaised) -> payments.SchedulePayment:
    return payments.SchedulePayment(
        by=BY,
        payment_id=event.payment_id,
        receivable_id=event.receivable_id,
        invoice_id=event.invoice_id,
        contract_id=event.contract_id,
        customer_id=event.customer_id,
        mandate_id=event.mandate_id,
        provider=PROVIDER,
        amount=event.amount,
        due_on=event.due_on,
        debit_on=event.debit_on,
        prenotification_days=event.prenotification_days,
    )


def _announce(
    event: billed.DocumentDelivered, issued: billed.InvoiceIssued
) -> payments.AnnouncePayment:
    return payments.AnnouncePayment(
        by=BY,
        payment_id=issued.payment_id,
        delivered_on=event.delivered_on,
        debit_on=issued.debit_on,
    )


def _submit(event: paid.PaymentAnnounced, scheduled: paid.PaymentScheduled) -> Effect:
    return Effect(
        kind="submit_payment",
        stream=event.payment_id,
        due_at=berlin(event.debit_on, MORNING),
        payload={
            "payment_id": event.payment_id,
            "mandate_id": scheduled.mandate_id,
            "provider": scheduled.provider,
        },
    )


def _apply(scheduled: paid.PaymentScheduled) -> invoices.ApplyReceipt:
    return invoices.ApplyReceipt(
        by=BY,
        receivable_id=scheduled.receivable_id,
        payment_id=scheduled.payment_id,
        amount=scheduled.amount,
    )


def _release(scheduled: paid.PaymentScheduled) -> invoices.ReleaseCollection:
    return invoices.ReleaseCollection(
        by=BY, receivable_id=scheduled.receivable_id, payment_id=scheduled.payment_id
    )


def _reverse(scheduled: paid.PaymentScheduled, amount: Cents) -> invoices.ReverseReceipt:
    return invoices.ReverseReceipt(
        by=BY,
        receivable_id=scheduled.receivable_id,
        payment_id=scheduled.payment_id,
        amount=amount,
    )


def _fail_refund(event: paid.RefundReleased) -> payments.FailRefund:
    return payments.FailRefund(
        by=BY,
        refund_id=event.refund_id,
        payment_id=event.payment_id,
        code="debit-returned",
        raw_code="",
    )


def _recover(payment: Payment, scheduled: paid.PaymentScheduled) -> list[Reaction]:
    """What left us twice is a recovery from the first cent on (STORY 10)."""
    recovery_id = derive("rec", scheduled.payment_id, scheduled.payment_id)
    return [
        payments.AdjustRecovery(
            by=BY,
            recovery_id=recovery_id,
            payment_id=scheduled.payment_id,
            customer_id=scheduled.customer_id,
            amount=payment.excess,
        )
    ]


def _case(
    case_type: CaseType,
    scheduled: paid.PaymentScheduled,
    amount: Cents,
    event: paid.PaymentFailed | paid.PaymentReturned,
) -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(case_type, scheduled.payment_id),
        case_type=case_type,
        subject=scheduled.payment_id,
        customer_id=scheduled.customer_id,
        amount=amount,
        until=add_target_days(berlin_date(event.at), CASE_DAYS),
        details={"code": event.code, "raw_code": event.raw_code},
    )


def _recovery_case(event: paid.RecoveryOpened) -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(CaseType.RECOVERY, event.payment_id),
        case_type=CaseType.RECOVERY,
        subject=event.payment_id,
        customer_id=event.customer_id,
        amount=event.amount,
        until=add_target_days(berlin_date(event.at), CASE_DAYS),
        details={"recovery_id": event.recovery_id},
    )


def _close(case_type: CaseType, subject: str) -> CloseCase:
    return CloseCase(by=BY, case_id=case_id(case_type, subject))


COLLECTING = Flow(
    name="collecting", watches=frozenset({"ct", "rcv", "inv", "pay", "rec"}), react=react
)
