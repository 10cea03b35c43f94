"""Carrying out an approved refund: the intent before the call, the provider's answers, the payout,
and what happens when it fails at once or days later."""

from domain.kernel.decider import Deciders, on_many
from domain.kernel.message import Decision, Refused, States
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.payment import HeldState, Payment
from domain.payments.refund import CLOSED, CONFIRMED, IN_FLIGHT, Refund, Status


def submit(command: c.SubmitRefund, states: States) -> Decision:
    """Recorded before the call. Without its reservation the refund fails and nothing is called:
    a return between approval and call would pay twice otherwise (STORY 8)."""
    refund = states.of(command.refund_id, Refund)
    if refund.status is not Status.APPROVED or refund.requested is None:
        return []
    held = states.of(command.payment_id, Payment).refunds[command.refund_id]
    if held.state is not HeldState.RESERVED:
        return [(command.refund_id, _failed(command, "reservation-gone", "", late=False))]
    submitted = e.RefundSubmitted(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        key=command.key,
        content_hash=refund.requested.content_hash,
    )
    sent = e.RefundSent(at=command.at, payment_id=command.payment_id, refund_id=command.refund_id)
    return [(command.refund_id, submitted), (command.payment_id, sent)]


def _does_not_fit(refund: Refund) -> Refused:
    if refund.requested is None:
        return Refused("We have no such refund; the provider's news does not fit anything.")
    if refund.status is Status.FAILED:
        return Refused("This refund failed; the provider's news does not fit.")
    return Refused("This refund was not sent; the provider's news does not fit.")


def accept(command: c.RecordRefundAccepted, states: States) -> Decision:
    """[] once the reference is known."""
    refund = states.of(command.refund_id, Refund)
    if refund.reference is not None or refund.status not in IN_FLIGHT:
        return []
    return [(command.refund_id, _accepted(command, command.reference))]


def _accepted(command: c.RefundCommand, reference: str) -> e.RefundAccepted:
    return e.RefundAccepted(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        reference=reference,
    )


def lose_track(command: c.RecordRefundUnknown, states: States) -> Decision:
    """Unknown is a state; [] when it is known already or the provider answered meanwhile."""
    if states.of(command.refund_id, Refund).status is not Status.SUBMITTED:
        return []
    unknown = e.RefundOutcomeUnknown(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        why=command.why,
    )
    return [(command.refund_id, unknown)]


def confirm(command: c.ConfirmRefund, states: States) -> Decision:
    """The provider says the money went back. [] when confirmed already."""
    refund = states.of(command.refund_id, Refund)
    if refund.status in CONFIRMED:
        return []
    return _implied(command, refund)


def _implied(command: c.ConfirmRefund | c.MarkRefundPaidOut, refund: Refund) -> Decision:
    """The facts up to Confirmed that a later fact implies (STORY, "Facts are flags")."""
    if refund.status in CONFIRMED:
        return []
    if refund.status not in IN_FLIGHT:
        raise _does_not_fit(refund)
    facts: Decision = []
    if refund.reference is None:
        facts.append((command.refund_id, _accepted(command, command.reference)))
    confirmed = e.RefundConfirmed(
        at=command.at, refund_id=command.refund_id, payment_id=command.payment_id
    )
    booked = e.RefundBooked(
        at=command.at, payment_id=command.payment_id, refund_id=command.refund_id
    )
    return [*facts, (command.refund_id, confirmed), (command.payment_id, booked)]


def fail(command: c.FailRefund, states: States) -> Decision:
    """What was reserved or booked is free again. [] when it is over already."""
    refund = states.of(command.refund_id, Refund)
    if refund.requested is None:
        raise Refused("This refund does not exist.")
    if refund.status in CLOSED:
        return []
    late = refund.status in CONFIRMED
    decision: Decision = [
        (command.refund_id, _failed(command, command.code, command.raw_code, late=late))
    ]
    held = states.of(command.payment_id, Payment).refunds[command.refund_id]
    if late:
        unbooked = e.RefundUnbooked(
            at=command.at, payment_id=command.payment_id, refund_id=command.refund_id
        )
        decision.append((command.payment_id, unbooked))
    elif held.state in (HeldState.RESERVED, HeldState.SENT):
        released = e.RefundReleased(
            at=command.at,
            payment_id=command.payment_id,
            refund_id=command.refund_id,
            cause=e.ReleaseCause.FAILED,
        )
        decision.append((command.payment_id, released))
    return decision


def _failed(command: c.RefundCommand, code: str, raw_code: str, *, late: bool) -> e.RefundFailed:
    return e.RefundFailed(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        code=code,
        raw_code=raw_code,
        late=late,
    )


def pay_out(command: c.MarkRefundPaidOut, states: States) -> Decision:
    """[] when it lies in a payout, or failed after it did."""
    refund = states.of(command.refund_id, Refund)
    if refund.payout_id is not None or refund.status is Status.FAILED:
        return []
    paid_out = e.RefundPaidOut(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        payout_id=command.payout_id,
    )
    return [*_implied(command, refund), (command.refund_id, paid_out)]


def settle(command: c.SettleRefund, states: States) -> Decision:
    """[] when settled, or failed meanwhile. Refused before it lies in that payout."""
    refund = states.of(command.refund_id, Refund)
    if refund.status in (Status.SETTLED, Status.FAILED):
        return []
    if refund.payout_id != command.payout_id:
        raise Refused("This refund does not lie in that payout.")
    settled = e.RefundSettled(
        at=command.at,
        refund_id=command.refund_id,
        payment_id=command.payment_id,
        payout_id=command.payout_id,
    )
    return [(command.refund_id, settled)]


DECIDERS: Deciders = {
    c.SubmitRefund: on_many(submit),
    c.RecordRefundAccepted: on_many(accept),
    c.RecordRefundUnknown: on_many(lose_track),
    c.ConfirmRefund: on_many(confirm),
    c.FailRefund: on_many(fail),
    c.MarkRefundPaidOut: on_many(pay_out),
    c.SettleRefund: on_many(settle),
}
