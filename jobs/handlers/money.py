"""Submitting a payment or a refund to its provider. The intent is recorded before the call; an
effect that was claimed before asks the provider first, unless it was given back unsent."""

from typing import TypeVar

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
PROVIDER = "stripe"
LEASE_EXPIRED = "the worker that sent it did not come back"

S = TypeVar("S")


def submit_payment(context: Context, claimed: Claimed) -> None:
    payload, key = claimed.effect.payload, str(claimed.effect_id)
    payment_id, mandate_id = payload["payment_id"], payload["mandate_id"]
    fresh = _state(context, payment_id, Payment).status is PaymentStatus.ANNOUNCED
    ask_first = _may_be_there(claimed, fresh)
    step: Command | None = None
    if fresh:
        step = c.SubmitPayment(by=BY, payment_id=payment_id, mandate_id=mandate_id, key=key)
    elif ask_first:
        step = c.RecordPaymentUnknown(by=BY, payment_id=payment_id, why=LEASE_EXPIRED)
    _keep_lease(context, claimed, step)
    payment = _state(context, payment_id, Payment)
    if not payment.waiting or payment.reference is not None:
        _nothing_left(context, claimed)
        return
    steps = _payment_steps(context, payment, _state(context, mandate_id, Mandate), key)
    carry_out(context, claimed, steps, ask_first=ask_first)


def _payment_steps(context: Context, payment: Payment, mandate: Mandate, key: str) -> Steps:
    scheduled, submitted = payment.scheduled, payment.submitted
    registered = mandate.registered
    if scheduled is None or submitted is None or registered is None:
        raise LookupError("a payment that was submitted has a schedule and a mandate")
    payment_id = scheduled.payment_id
    order = PaymentOrder(
        operation_id=payment_id,
        idempotency_key=key,
        amount=scheduled.amount,
        customer=registered.provider_customer,
        payment_method=registered.provider_method,
    )

    def refused(answer: ProviderRefused) -> Command:
        code = answer.code or answer.raw_code
        return c.FailPayment(
            by=PROVIDER, payment_id=payment_id, code=code, raw_code=answer.raw_code
        )

    return Steps(
        subject=payment_id,
        submitted_at=submitted.at,
        send=lambda: context.stripe.collect(order),
        ask=lambda: context.stripe.look_up_payment(payment_id, scheduled.at, order.customer),
        accepted=lambda reference: c.RecordPaymentAccepted(
            by=PROVIDER, payment_id=payment_id, reference=reference
        ),
        confirmed=lambda reference: c.ConfirmPayment(
            by=PROVIDER, payment_id=payment_id, reference=reference
        ),
        refused=refused,
        unknown=lambda why: c.RecordPaymentUnknown(by=BY, payment_id=payment_id, why=why),
    )


def submit_refund(context: Context, claimed: Claimed) -> None:
    payload, key = claimed.effect.payload, str(claimed.effect_id)
    refund_id, payment_id = payload["refund_id"], payload["payment_id"]
    fresh = _state(context, refund_id, Refund).status is RefundStatus.APPROVED
    ask_first = _may_be_there(claimed, fresh)
    step: Command | None = None
    if fresh:
        step = c.SubmitRefund(by=BY, refund_id=refund_id, payment_id=payment_id, key=key)
    elif ask_first:
        step = c.RecordRefundUnknown(
            by=BY, refund_id=refund_id, payment_id=payment_id, why=LEASE_EXPIRED
        )
    _keep_lease(context, claimed, step)
    refund = _state(context, refund_id, Refund)
    if not refund.waiting or refund.reference is not None:
        _nothing_left(context, claimed)
        return
    steps = _refund_steps(context, refund, _state(context, payment_id, Payment), key)
    carry_out(context, claimed, steps, ask_first=ask_first)


def _refund_steps(context: Context, refund: Refund, payment: Payment, key: str) -> Steps:
    requested, charged = refund.requested, payment.reference
    if requested is None or charged is None:
        raise LookupError("a refund that was submitted has a request and a collected payment")
    refund_id, payment_id = requested.refund_id, requested.payment_id
    order = RefundOrder(
        operation_id=refund_id,
        idempotency_key=key,
        amount=requested.amount,
        payment_reference=charged,
    )

    def refused(answer: ProviderRefused) -> Command:
        return c.FailRefund(
            by=PROVIDER,
            refund_id=refund_id,
            payment_id=payment_id,
            code=answer.raw_code,
            raw_code=answer.raw_code,
        )

    return Steps(
        subject=refund_id,
        submitted_at=refund.submitted_at,
        send=lambda: context.stripe.refund(order),
        ask=lambda: context.stripe.look_up_refund(refund_id, charged),
        accepted=lambda reference: c.RecordRefundAccepted(
            by=PROVIDER, refund_id=refund_id, payment_id=payment_id, reference=reference
        ),
        confirmed=lambda reference: c.ConfirmRefund(
            by=PROVIDER, refund_id=refund_id, payment_id=payment_id, reference=reference
        ),
        refused=refused,
        unknown=lambda why: c.RecordRefundUnknown(
            by=BY, refund_id=refund_id, payment_id=payment_id, why=why
        ),
    )


def _may_be_there(claimed: Claimed, fresh: bool) -> bool:
    """Whether the provider may know of it: it was in doubt before, or somebody recorded the intent
    and did not come back. One that waits with its intent on record was given back unsent."""
    return claimed.was == "unknown" or (claimed.was == "leased" and not fresh)


def _keep_lease(context: Context, claimed: Claimed, step: Command | None) -> None:
    """Recorded before the call, with the lease kept: whoever lost it stops here."""
    if step is None:
        with context.dispatcher.read() as connection:
            effects.finish(connection, claimed.then("leased"))
        return
    context.dispatcher.dispatch(
        step,
        step_id(claimed, "intend"),
        cause=claimed.effect.payload.get("cause"),
        lease=claimed.then("leased"),
    )


def _nothing_left(context: Context, claimed: Claimed) -> None:
    """It failed without a call, or the answer came by another way meanwhile."""
    with context.dispatcher.read() as connection:
        effects.finish(connection, claimed.then("done"))


def _state(context: Context, stream: str, kind: type[S]) -> S:
    state = context.dispatcher.state(stream)
    if not isinstance(state, kind):
        raise TypeError(f"{stream} holds {type(state).__name__}, not {kind.__name__}")
    return state
