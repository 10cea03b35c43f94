"""Asking for a refund and saying yes or no to it: the decisions people take."""

import hashlib

from domain.kernel.decider import Deciders, on_many, on_one
from domain.kernel.message import Decision, Event, Refused, States
from domain.kernel.money import Amount
from domain.kernel.time import berlin_date
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.events import Reason, ReleaseCause
from domain.payments.payment import HeldState, Payment, Status
from domain.payments.refund import Refund
from domain.payments.refund import Status as RefundStatus
from domain.payments.rules import APPROVER_ROLES, approval_limit, first_refund_day, last_return_day


def content_hash(command: c.RequestRefund) -> str:
    """SHA-256 over what a second person approves: which payment, how much, why."""
    content = f"{command.refund_id}|{command.payment_id}|{command.amount}|{command.reason}"
    return hashlib.sha256(content.encode()).hexdigest()


def check_amount(command: c.RequestRefund, payment: Payment) -> e.PaymentScheduled:
    """Refused with the first reason that stands against it; else what the payment is for."""
    if command.amount <= 0:
        raise Refused("A refund has to be more than %(zero)s.", zero=Amount(0))
    if payment.scheduled is None:
        raise Refused("This payment does not exist.")
    _check_money_is_here(payment)
    _check_return_window(command, payment)
    _check_room(command, payment)
    return payment.scheduled


def _check_money_is_here(payment: Payment) -> None:
    if payment.status is Status.FAILED:
        raise Refused("This payment failed; no money came in that could be refunded.")
    if payment.status is Status.RETURNED:
        raise Refused(
            "The customer's bank returned this debit; the customer has the money back already."
        )
    if not payment.confirmed:
        raise Refused("This payment is not confirmed yet; there is nothing to refund so far.")


def _check_return_window(command: c.RequestRefund, payment: Payment) -> None:
    if payment.submitted is None:
        return
    debit_on = payment.submitted.debit_on
    if berlin_date(command.at) <= last_return_day(debit_on):
        raise Refused(
            "The customer's bank can return this debit until %(last)s without being asked."
            " A refund is possible from %(first)s.",
            last=last_return_day(debit_on),
            first=first_refund_day(debit_on),
        )


def _check_room(command: c.RequestRefund, payment: Payment) -> None:
    if command.amount > payment.left:
        raise Refused(
            "%(amount)s is more than the %(left)s that are left of this payment.",
            amount=Amount(command.amount),
            left=Amount(payment.left),
        )
    reduction_room = payment.collected - payment.reductions
    if command.reason is Reason.PREMIUM_REDUCTION and command.amount > reduction_room:
        raise Refused(
            "Premium reductions of one payment never exceed what was collected; %(room)s are left."
            " To pay a failed one again choose overpayment: it makes no second document.",
            room=Amount(reduction_room),
        )


def request(command: c.RequestRefund, states: States) -> Decision:
    """Reserves the money, and approves by rule below the limit. [] when requested already."""
    refund = states.of(command.refund_id, Refund)
    payment = states.of(command.payment_id, Payment)
    if refund.requested is not None:
        return []
    scheduled = check_amount(command, payment)
    limit = approval_limit(command.at)
    window = payment.requested_since(command.at - limit.window) + command.amount
    requested = e.RefundRequested(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        customer_id=scheduled.customer_id,
        receivable_id=scheduled.receivable_id,
        invoice_id=scheduled.invoice_id,
        amount=command.amount,
        reason=command.reason,
        note=command.note,
        requested_by=command.by,
        needs_approval=window > limit.amount,
        limit_version=limit.version,
        content_hash=content_hash(command),
    )
    reserved = e.RefundReserved(
        at=command.at,
        payment_id=command.payment_id,
        refund_id=command.refund_id,
        amount=command.amount,
        reason=command.reason,
    )
    decision: Decision = [(command.refund_id, requested), (command.payment_id, reserved)]
    if not requested.needs_approval:
        by_rule = _approved(requested, command, role="rule", rule_version=limit.version)
        decision.insert(1, (command.refund_id, by_rule))
    return decision


def _approved(
    requested: e.RefundRequested,
    command: c.RequestRefund | c.ApproveRefund,
    *,
    role: str,
    rule_version: int | None,
) -> e.RefundApproved:
    return e.RefundApproved(
        at=command.at,
        refund_id=requested.refund_id,
        payment_id=requested.payment_id,
        amount=requested.amount,
        reason=requested.reason,
        approved_by="rule" if rule_version is not None else command.by,
        role=role,
        rule_version=rule_version,
        content_hash=requested.content_hash,
    )


def _second_person(command: c.ApproveRefund | c.RejectRefund, refund: Refund) -> None:
    """Maker is not checker, and the checker's role is looked at now (RELIABILITY 28)."""
    if command.role not in APPROVER_ROLES:
        raise Refused("The role %(role)s does not decide on refunds.", role=command.role)
    if refund.requested is not None and command.by == refund.requested.requested_by:
        raise Refused("Someone else has to decide on a refund that you requested.")


def _still_requested(refund: Refund) -> e.RefundRequested:
    if refund.requested is None:
        raise Refused("This refund does not exist.")
    if refund.status is not RefundStatus.REQUESTED:
        raise Refused(
            "This refund cannot be decided on any more: its state is “%(status)s”.",
            status=refund.status,
        )
    return refund.requested


def approve(command: c.ApproveRefund, refund: Refund) -> list[Event]:
    """[] when approved already."""
    if refund.status is RefundStatus.APPROVED:
        return []
    _second_person(command, refund)
    requested = _still_requested(refund)
    return [_approved(requested, command, role=command.role, rule_version=None)]


def reject(command: c.RejectRefund, states: States) -> Decision:
    refund = states.of(command.refund_id, Refund)
    if refund.status is RefundStatus.REJECTED:
        return []
    _second_person(command, refund)
    requested = _still_requested(refund)
    rejected = e.RefundRejected(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        customer_id=requested.customer_id,
        rejected_by=command.by,
        remark=command.remark.strip() or None,
    )
    return _and_release(command, states, rejected, ReleaseCause.REJECTED)


def withdraw(command: c.WithdrawRefund, states: States) -> Decision:
    refund = states.of(command.refund_id, Refund)
    if refund.status is RefundStatus.WITHDRAWN:
        return []
    requested = _still_requested(refund)
    if command.by != requested.requested_by:
        raise Refused("Only the person who requested a refund can withdraw it.")
    withdrawn = e.RefundWithdrawn(
        at=command.at, refund_id=command.refund_id, payment_id=command.payment_id
    )
    return _and_release(command, states, withdrawn, ReleaseCause.WITHDRAWN)


def expire(command: c.ExpireRefund, states: States) -> Decision:
    """Sent by a timer that is never cancelled: [] when somebody decided meanwhile."""
    if states.of(command.refund_id, Refund).status is not RefundStatus.REQUESTED:
        return []
    expired = e.RefundExpired(
        at=command.at, refund_id=command.refund_id, payment_id=command.payment_id
    )
    return _and_release(command, states, expired, ReleaseCause.EXPIRED)


def _and_release(
    command: c.RefundCommand, states: States, event: Event, cause: ReleaseCause
) -> Decision:
    decision: Decision = [(command.refund_id, event)]
    held = states.of(command.payment_id, Payment).refunds.get(command.refund_id)
    if held is not None and held.state is HeldState.RESERVED:
        released = e.RefundReleased(
            at=command.at,
            payment_id=command.payment_id,
            refund_id=command.refund_id,
            cause=cause,
        )
        decision.append((command.payment_id, released))
    return decision


DECIDERS: Deciders = {
    c.RequestRefund: on_many(request),
    c.ApproveRefund: on_one(lambda command: command.refund_id, Refund, approve),
    c.RejectRefund: on_many(reject),
    c.WithdrawRefund: on_many(withdraw),
    c.ExpireRefund: on_many(expire),
}
