"""From a payout the provider lists and a line the bank books to payments and refunds that are
settled; what does not fit becomes a case."""

from datetime import datetime

from domain.flows.flow import Flow, Reaction
from domain.kernel.message import Command, Event, Timer
from domain.kernel.time import add_target_days, berlin, berlin_date
from domain.payments import commands as payments
from domain.payments import settlement_events as e
from domain.payments.rules import payout_provider
from domain.payments.settlement import Payout
from domain.payments.settlement_commands import MatchLine
from domain.work.commands import CloseCase, OpenCase, case_id
from domain.work.events import CaseType

BY = "flow:settling"
ALONE_TARGET_DAYS = 3
"""STORY 5: listed or arrived alone for three TARGET days is a case."""
NOON = 12
CASE_DAYS = 3
"""By then somebody should have explained a difference."""


def react(event: Event, state: object) -> list[Reaction]:
    match event, state:
        case e.PayoutListed(), Payout(waiting=waiting):
            alone = [_review(event.payout_id, event.at)] if waiting else []
            return [*alone, *_paid_out(event)]
        case e.PayoutArrived(), Payout(waiting=True):
            return [_review(event.payout_id, event.at)]
        case e.PayoutSettled(), Payout(listed=e.PayoutListed() as listed):
            return [_found(event.payout_id), *_settled(listed)]
        case e.PayoutDiffers(), _:
            return [_found(event.payout_id), _differs(event)]
        case e.LineBooked(), _:
            return [_explain(event)]
        case e.LineRepeated(), _:
            return [_unknown(event, {"payout_id": event.payout_id})]
        case _:
            return []


def _review(payout_id: str, at: datetime) -> Timer:
    due_on = add_target_days(berlin_date(at), ALONE_TARGET_DAYS)
    return Timer(kind="review_payout", stream=payout_id, due_at=berlin(due_on, NOON))


def _paid_out(listed: e.PayoutListed) -> list[Command]:
    commands: list[Command] = []
    for item in listed.items:
        match item:
            case e.PayoutItem(kind=e.ItemKind.PAYMENT, payment_id=str(payment_id)):
                paid = payments.MarkPaymentPaidOut(
                    by=BY,
                    payment_id=payment_id,
                    reference=item.reference,
                    payout_id=listed.payout_id,
                    fee=item.fee,
                )
                commands.append(paid)
            case e.PayoutItem(
                kind=e.ItemKind.REFUND, payment_id=str(payment_id), refund_id=str(refund_id)
            ):
                refunded = payments.MarkRefundPaidOut(
                    by=BY,
                    refund_id=refund_id,
                    payment_id=payment_id,
                    reference=item.reference,
                    payout_id=listed.payout_id,
                )
                commands.append(refunded)
            case e.PayoutItem(kind=e.ItemKind.REFUND):
                commands.append(_foreign_refund(listed, item))
            case _:
                # Returns and failed refunds are told by notification; they count in the sum.
                pass
    return commands


def _settled(listed: e.PayoutListed) -> list[Command]:
    commands: list[Command] = []
    for item in listed.items:
        match item:
            case e.PayoutItem(kind=e.ItemKind.PAYMENT, payment_id=str(payment_id)):
                settled = payments.SettlePayment(
                    by=BY, payment_id=payment_id, payout_id=listed.payout_id
                )
                commands.append(settled)
            case e.PayoutItem(
                kind=e.ItemKind.REFUND, payment_id=str(payment_id), refund_id=str(refund_id)
            ):
                back = payments.SettleRefund(
                    by=BY,
                    refund_id=refund_id,
                    payment_id=payment_id,
                    payout_id=listed.payout_id,
                )
                commands.append(back)
            case _:
                pass
    return commands


def _foreign_refund(listed: e.PayoutListed, item: e.PayoutItem) -> OpenCase:
    """Somebody refunded in the provider's own screens: money left without a decision of ours."""
    return OpenCase(
        by=BY,
        case_id=case_id(CaseType.FOREIGN_REFUND, listed.payout_id, item.reference),
        case_type=CaseType.FOREIGN_REFUND,
        subject=listed.payout_id,
        amount=-item.amount,
        until=add_target_days(berlin_date(listed.at), CASE_DAYS),
        details={"reference": item.reference},
    )


def _differs(event: e.PayoutDiffers) -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(CaseType.PAYOUT_DIFFERS, event.payout_id),
        case_type=CaseType.PAYOUT_DIFFERS,
        subject=event.payout_id,
        amount=abs(event.listed - event.arrived),
        until=add_target_days(berlin_date(event.at), CASE_DAYS),
        details={"listed": str(event.listed), "arrived": str(event.arrived)},
    )


def _found(payout_id: str) -> CloseCase:
    return CloseCase(by=BY, case_id=case_id(CaseType.PAYOUT_MISSING, payout_id))


def _explain(event: e.LineBooked) -> Command:
    credit = event.amount > 0
    provider = payout_provider(event.counterparty, event.end_to_end_id) if credit else None
    if provider is not None and event.end_to_end_id is not None:
        return MatchLine(
            by=BY,
            line_id=event.line_id,
            provider=provider,
            reference=event.end_to_end_id,
            amount=event.amount,
        )
    return _unknown(event, {})


def _unknown(event: e.LineBooked | e.LineRepeated, details: dict[str, str]) -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(CaseType.UNKNOWN_LINE, event.line_id),
        case_type=CaseType.UNKNOWN_LINE,
        subject=event.line_id,
        amount=abs(event.amount),
        until=add_target_days(berlin_date(event.at), CASE_DAYS),
        details=details,
    )


SETTLING = Flow(name="settling", watches=frozenset({"po", "ln"}), react=react)
