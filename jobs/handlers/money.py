"""Submitting a payment or a refund to its provider. The intent is recorded before the call; an
effect that was claimed before asks the provider first."""

from domain.kernel.message import Command
from domain.payments import commands as c
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.payment import Status as PaymentStatus
from domain.payments.ports import PaymentOrder, ProviderRefused, RefundOrder
from domain.payments.refund import Refund
from domain.payments.refund import Status as RefundStatus
from domain.stream import effects
from domain.stream.effects import Claimed
from jobs.context import Context
from jobs.handlers.answers import Steps, carry_out, step_id

BY = "worker"
LEASE_EXPIRED = "the worker that sent it did not come back"


def submit_payment(context: Context, claimed: Claimed) -> None:
    payload = claimed.effect.payload
    payment_id, mandate_id = payload["payment_id"], payload["mandate_id"]
    payment = _payment(context, payment_id)
    doubted = claimed.was == "unknown"
    if payment.status is PaymentStatus.ANNOUNCED:
        intent = c.SubmitPayment(
            by=BY, payment_id=payment_id, mandate_id=mandate_id, key=str(claimed.effect_id)
        )
        _intend(context, claimed, intent)
        payment = _payment(context, payment_id)
        ask_first = doubted
    else:
        # Somebody recorded the intent and did not come back: the call may have been made.
        _doubt(
            context,
            claimed,
            c.RecordPaymentUnknown(by=BY, payment_id=payment_id, why=LEASE_EXPIRED),
        )
        ask_first = True
    if not _payment(context, payment_id).waiting or payment.reference is not None:
        _nothing_left(context, claimed)
        return
    mandate = context.dispatcher.state(mandate_id)
    assert isinstance(mandate, Mandate) and mandate.registered and payment.scheduled
    registered, scheduled = mandate.registered, payment.scheduled
    order = PaymentOrder(
        operation_id=payment_id,
        idempotency_key=str(claimed.effect_id),
        amount=scheduled.amount,
        customer=registered.provider_customer,
        payment_method=registered.provider_method,
    )
    submitted_at = payment.submitted.at if payment.submitted else None

    def refused(answer: ProviderRefused) -> Command:
        code = answer.code or answer.raw_code
        return c.FailPayment(
            by="stripe", payment_id=payment_id, code=code, raw_code=answer.raw_code
        )

    steps = Steps(
        subject=payment_id,
        submitted_at=submitted_at,
        send=lambda: context.stripe.collect(order),
        ask=lambda: context.stripe.look_up_payment(payment_id, scheduled.at, order.customer),
        accepted=lambda reference: c.RecordPaymentAccepted(
            by="stripe", payment_id=payment_id, reference=reference
        ),
        confirmed=lambda reference: c.ConfirmPayment(
            by="stripe", payment_id=payment_id, reference=reference
        ),
        refused=refused,
        unknown=lambda why: c.RecordPaymentUnknown(by=BY, payment_id=payment_id, why=why),
    )
    carry_out(context, claimed, steps, ask_first=ask_first)


def submit_refund(context: Context, claimed: Claimed) -> None:
    payload = claimed.effect.payload
    refund_id, payment_id = payload["refund_id"], payload["payment_id"]
    refund = _refund(context, refund_id)
    doubted = claimed.was == "unknown"
    if refund.status is RefundStatus.APPROVED:
        intent = c.SubmitRefund(
            by=BY, refund_id=refund_id, payment_id=payment_id, key=str(claimed.effect_id)
        )
        _intend(context, claimed, intent)
        ask_first = doubted
    else:
        _doubt(
            context,
            claimed,
            c.RecordRefundUnknown(
                by=BY, refund_id=refund_id, payment_id=payment_id, why=LEASE_EXPIRED
            ),
        )
        ask_first = True
    refund = _refund(context, refund_id)
    if not refund.waiting or refund.reference is not None:
        _nothing_left(context, claimed)
        return
    payment = _payment(context, payment_id)
    assert refund.requested and refund.submitted_at and payment.reference
    reference = payment.reference
    order = RefundOrder(
        operation_id=refund_id,
        idempotency_key=str(claimed.effect_id),
        amount=refund.requested.amount,
        payment_reference=reference,
    )

    def refused(answer: ProviderRefused) -> Command:
        return c.FailRefund(
            by="stripe",
            refund_id=refund_id,
            payment_id=payment_id,
            code=answer.code or answer.raw_code,
            raw_code=answer.raw_code,
        )

    steps = Steps(
        subject=refund_id,
        submitted_at=refund.submitted_at,
        send=lambda: context.stripe.refund(order),
        ask=lambda: context.stripe.look_up_refund(refund_id, reference),
        accepted=lambda theirs: c.RecordRefundAccepted(
            by="stripe", refund_id=refund_id, payment_id=payment_id, reference=theirs
        ),
        confirmed=lambda theirs: c.ConfirmRefund(
            by="stripe", refund_id=refund_id, payment_id=payment_id, reference=theirs
        ),
        refused=refused,
        unknown=lambda why: c.RecordRefundUnknown(
            by=BY, refund_id=refund_id, payment_id=payment_id, why=why
        ),
    )
    carry_out(context, claimed, steps, ask_first=ask_first)


def _intend(context: Context, claimed: Claimed, intent: Command) -> None:
    """Recorded before the call, with the lease kept: whoever lost it stops here."""
    context.dispatcher.dispatch(
        intent,
        step_id(claimed, "intend"),
        cause=claimed.effect.payload.get("cause"),
        lease=claimed.then("leased"),
    )


def _doubt(context: Context, claimed: Claimed, unknown: Command) -> None:
    context.dispatcher.dispatch(unknown, step_id(claimed, "doubt"), lease=claimed.then("leased"))


def _nothing_left(context: Context, claimed: Claimed) -> None:
    """It failed without a call, or the answer came by another way meanwhile."""
    with context.dispatcher.read() as connection:
        effects.finish(connection, claimed.then("done"))


def _payment(context: Context, payment_id: str) -> Payment:
    state = context.dispatcher.state(payment_id)
    assert isinstance(state, Payment)
    return state


def _refund(context: Context, refund_id: str) -> Refund:
    state = context.dispatcher.state(refund_id)
    assert isinstance(state, Refund)
    return state
