"""One collection attempt from schedule to settlement, with every reservation, refund and return
against it. Its invariant: refunded + reserved <= collected - known losses."""

from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.kernel.decider import Thing
from domain.kernel.money import Cents
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments import events as e
from domain.payments.events import Reason, ReleaseCause

PaymentFact: TypeAlias = (
    e.PaymentScheduled
    | e.PaymentAnnounced
    | e.PaymentSubmitted
    | e.PaymentAccepted
    | e.PaymentOutcomeUnknown
    | e.PaymentConfirmed
    | e.PaymentPaidOut
    | e.PaymentSettled
    | e.PaymentFailed
    | e.PaymentReturned
    | e.RefundReserved
    | e.RefundSent
    | e.RefundReleased
    | e.RefundBooked
    | e.RefundUnbooked
)


class Status(StrEnum):
    """The strongest fact, weakest first (STORY, "Facts are flags")."""

    NOTHING = "nothing"
    SCHEDULED = "scheduled"
    ANNOUNCED = "announced"
    SUBMITTED = "submitted"
    OUTCOME_UNKNOWN = "outcome-unknown"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    PAID_OUT = "paid-out"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"


S = Status
TRANSITIONS: dict[tuple[Status, str], Status] = {
    (S.NOTHING, "payment-scheduled"): S.SCHEDULED,
    (S.SCHEDULED, "payment-announced"): S.ANNOUNCED,
    (S.SCHEDULED, "payment-failed"): S.FAILED,
    (S.ANNOUNCED, "payment-submitted"): S.SUBMITTED,
    (S.ANNOUNCED, "payment-failed"): S.FAILED,
    (S.SUBMITTED, "payment-accepted"): S.ACCEPTED,
    (S.SUBMITTED, "payment-outcome-unknown"): S.OUTCOME_UNKNOWN,
    (S.SUBMITTED, "payment-failed"): S.FAILED,
    (S.OUTCOME_UNKNOWN, "payment-accepted"): S.ACCEPTED,
    (S.OUTCOME_UNKNOWN, "payment-failed"): S.FAILED,
    (S.ACCEPTED, "payment-confirmed"): S.CONFIRMED,
    (S.ACCEPTED, "payment-failed"): S.FAILED,
    (S.CONFIRMED, "payment-paid-out"): S.PAID_OUT,
    (S.CONFIRMED, "payment-returned"): S.RETURNED,
    (S.PAID_OUT, "payment-settled"): S.SETTLED,
    (S.PAID_OUT, "payment-returned"): S.RETURNED,
    (S.SETTLED, "payment-returned"): S.RETURNED,
    # Facts that arrive after a return are kept; the return stays the strongest.
    (S.RETURNED, "payment-paid-out"): S.RETURNED,
    (S.RETURNED, "payment-settled"): S.RETURNED,
}


class HeldState(StrEnum):
    """Where the money of one refund stands on its payment."""

    NOTHING = "nothing"
    RESERVED = "reserved"
    SENT = "sent"
    BOOKED = "booked"
    RELEASED = "released"
    UNBOOKED = "unbooked"


H = HeldState
HELD_TRANSITIONS: dict[tuple[HeldState, str], HeldState] = {
    (H.NOTHING, "refund-reserved"): H.RESERVED,
    (H.RESERVED, "refund-sent"): H.SENT,
    (H.RESERVED, "refund-released"): H.RELEASED,
    (H.SENT, "refund-booked"): H.BOOKED,
    (H.SENT, "refund-released"): H.RELEASED,
    (H.BOOKED, "refund-unbooked"): H.UNBOOKED,
}
_HOLDS = frozenset({H.RESERVED, H.SENT, H.BOOKED})


class Held(Value):
    """One refund on its payment."""

    amount: Cents
    reason: Reason
    requested_at: datetime
    state: HeldState
    cause: ReleaseCause | None = None

    @property
    def was_approved(self) -> bool:
        """Counts against what may ever be approved; a release after approval still counts."""
        before_approval = (ReleaseCause.REJECTED, ReleaseCause.WITHDRAWN, ReleaseCause.EXPIRED)
        return self.cause not in before_approval


class Payment(Value):
    """`debit_on` is the planned day, and the real one (D) from submission on."""

    status: Status = Status.NOTHING
    scheduled: e.PaymentScheduled | None = None
    debit_on: date | None = None
    submitted: e.PaymentSubmitted | None = None
    reference: str | None = None
    confirmed: bool = False
    payout_id: str | None = None
    settled: bool = False
    returned: Cents = 0
    was_unknown: bool = False
    refunds: dict[str, Held] = {}

    @property
    def waiting(self) -> bool:
        """Still on its way, so that a question about it makes sense."""
        return self.status in (S.SUBMITTED, S.OUTCOME_UNKNOWN, S.ACCEPTED)

    @property
    def collected(self) -> Cents:
        return self.scheduled.amount if self.scheduled and self.confirmed else 0

    def _sum(self, *states: HeldState) -> Cents:
        return sum(held.amount for held in self.refunds.values() if held.state in states)

    @property
    def refunded(self) -> Cents:
        return self._sum(H.BOOKED)

    @property
    def reserved(self) -> Cents:
        """Set aside or on its way."""
        return self._sum(H.RESERVED, H.SENT)

    @property
    def left(self) -> Cents:
        """What a refund may still take. Never negative: an excess is a recovery."""
        return max(0, self.collected - self.returned - self.refunded - self.reserved)

    @property
    def excess(self) -> Cents:
        """What left us twice: refunded + sent + returned - collected (STORY 10)."""
        gone = self.refunded + self._sum(H.SENT) + self.returned
        return max(0, gone - self.collected)

    def requested_since(self, start: datetime) -> Cents:
        """Refunds requested after `start` that were neither released nor unbooked."""
        return sum(
            held.amount
            for held in self.refunds.values()
            if held.state in _HOLDS and held.requested_at >= start
        )

    @property
    def reductions(self) -> Cents:
        """Premium reductions ever approved or waiting, failed ones included."""
        return sum(
            held.amount
            for held in self.refunds.values()
            if held.reason is Reason.PREMIUM_REDUCTION and held.was_approved
        )


def evolve(state: Payment, event: PaymentFact) -> Payment:
    """Raises Impossible for an event this payment cannot hold."""
    match event:
        case (
            e.RefundReserved()
            | e.RefundSent()
            | e.RefundReleased()
            | e.RefundBooked()
            | e.RefundUnbooked()
        ):
            return _hold(state, event)
        case _:
            moved = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
            return _learn(moved, event)


def _learn(
    state: Payment,
    event: (
        e.PaymentScheduled
        | e.PaymentAnnounced
        | e.PaymentSubmitted
        | e.PaymentAccepted
        | e.PaymentOutcomeUnknown
        | e.PaymentConfirmed
        | e.PaymentPaidOut
        | e.PaymentSettled
        | e.PaymentFailed
        | e.PaymentReturned
    ),
) -> Payment:
    match event:
        case e.PaymentScheduled():
            return replace(state, scheduled=event, debit_on=event.debit_on)
        case e.PaymentAnnounced():
            return replace(state, debit_on=event.debit_on)
        case e.PaymentSubmitted():
            return replace(state, submitted=event, debit_on=event.debit_on)
        case e.PaymentAccepted():
            return replace(state, reference=event.reference)
        case e.PaymentConfirmed():
            return replace(state, confirmed=True)
        case e.PaymentPaidOut():
            return replace(state, payout_id=event.payout_id)
        case e.PaymentSettled():
            return replace(state, settled=True)
        case e.PaymentReturned():
            return replace(state, returned=event.amount)
        case e.PaymentOutcomeUnknown():
            return replace(state, was_unknown=True)
        case e.PaymentFailed():
            return state
        case _:
            assert_never(event)


def _hold(
    state: Payment,
    event: e.RefundReserved | e.RefundSent | e.RefundReleased | e.RefundBooked | e.RefundUnbooked,
) -> Payment:
    held = state.refunds.get(event.refund_id)
    before = HeldState.NOTHING if held is None else held.state
    after = step(HELD_TRANSITIONS, before, event.wire())
    match event:
        case e.RefundReserved():
            held = Held(
                amount=event.amount, reason=event.reason, requested_at=event.at, state=after
            )
        case e.RefundReleased():
            held = replace(state.refunds[event.refund_id], state=after, cause=event.cause)
        case _:
            held = replace(state.refunds[event.refund_id], state=after)
    return replace(state, refunds={**state.refunds, event.refund_id: held})


PAYMENT = Thing(
    prefix="pay",
    transitions=TRANSITIONS,
    initial=Payment,
    evolve=evolve,
    events=(
        e.PaymentScheduled,
        e.PaymentAnnounced,
        e.PaymentSubmitted,
        e.PaymentAccepted,
        e.PaymentOutcomeUnknown,
        e.PaymentConfirmed,
        e.PaymentPaidOut,
        e.PaymentSettled,
        e.PaymentFailed,
        e.PaymentReturned,
        e.RefundReserved,
        e.RefundSent,
        e.RefundReleased,
        e.RefundBooked,
        e.RefundUnbooked,
    ),
)
