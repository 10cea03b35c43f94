"""One refund of one payment: who asked, who approved, and what became of the money. The payment
decides how much may go back; the refund decides who approves and how it runs."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.kernel.decider import Thing
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments import events as e

RefundFact: TypeAlias = (
    e.RefundRequested
    | e.RefundApproved
    | e.RefundRejected
    | e.RefundWithdrawn
    | e.RefundExpired
    | e.RefundSubmitted
    | e.RefundAccepted
    | e.RefundOutcomeUnknown
    | e.RefundConfirmed
    | e.RefundPaidOut
    | e.RefundSettled
    | e.RefundFailed
)


class Status(StrEnum):
    """Where a refund stands."""

    NOTHING = "nothing"
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUBMITTED = "submitted"
    OUTCOME_UNKNOWN = "outcome-unknown"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    PAID_OUT = "paid-out"
    SETTLED = "settled"
    FAILED = "failed"


S = Status
TRANSITIONS: dict[tuple[Status, str], Status] = {
    (S.NOTHING, "refund-requested"): S.REQUESTED,
    (S.REQUESTED, "refund-approved"): S.APPROVED,
    (S.REQUESTED, "refund-rejected"): S.REJECTED,
    (S.REQUESTED, "refund-withdrawn"): S.WITHDRAWN,
    (S.REQUESTED, "refund-expired"): S.EXPIRED,
    (S.REQUESTED, "refund-failed"): S.FAILED,
    (S.APPROVED, "refund-submitted"): S.SUBMITTED,
    (S.APPROVED, "refund-failed"): S.FAILED,
    (S.SUBMITTED, "refund-accepted"): S.ACCEPTED,
    (S.SUBMITTED, "refund-outcome-unknown"): S.OUTCOME_UNKNOWN,
    (S.SUBMITTED, "refund-failed"): S.FAILED,
    (S.OUTCOME_UNKNOWN, "refund-accepted"): S.ACCEPTED,
    (S.OUTCOME_UNKNOWN, "refund-failed"): S.FAILED,
    (S.ACCEPTED, "refund-confirmed"): S.CONFIRMED,
    (S.ACCEPTED, "refund-failed"): S.FAILED,
    (S.CONFIRMED, "refund-paid-out"): S.PAID_OUT,
    (S.CONFIRMED, "refund-failed"): S.FAILED,
    (S.PAID_OUT, "refund-settled"): S.SETTLED,
    (S.PAID_OUT, "refund-failed"): S.FAILED,
    (S.SETTLED, "refund-failed"): S.FAILED,
}
IN_FLIGHT = frozenset({S.SUBMITTED, S.OUTCOME_UNKNOWN, S.ACCEPTED})
CONFIRMED = frozenset({S.CONFIRMED, S.PAID_OUT, S.SETTLED})
CLOSED = frozenset({S.REJECTED, S.WITHDRAWN, S.EXPIRED, S.FAILED})


class Refund(Value):
    """`requested` holds the approved content; `reference` is the provider's."""

    status: Status = Status.NOTHING
    requested: e.RefundRequested | None = None
    reference: str | None = None
    payout_id: str | None = None
    was_unknown: bool = False
    submitted_at: datetime | None = None

    @property
    def waiting(self) -> bool:
        """Still on its way, so that a question about it makes sense."""
        return self.status in IN_FLIGHT


def evolve(state: Refund, event: RefundFact) -> Refund:
    """Raises Impossible for an event this refund cannot hold."""
    moved = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
    match event:
        case e.RefundRequested():
            return replace(moved, requested=event)
        case e.RefundSubmitted():
            return replace(moved, submitted_at=event.at)
        case e.RefundAccepted():
            return replace(moved, reference=event.reference)
        case e.RefundOutcomeUnknown():
            return replace(moved, was_unknown=True)
        case e.RefundPaidOut():
            return replace(moved, payout_id=event.payout_id)
        case (
            e.RefundApproved()
            | e.RefundRejected()
            | e.RefundWithdrawn()
            | e.RefundExpired()
            | e.RefundConfirmed()
            | e.RefundSettled()
            | e.RefundFailed()
        ):
            return moved
        case _:
            assert_never(event)


REFUND = Thing(
    prefix="rf",
    transitions=TRANSITIONS,
    initial=Refund,
    evolve=evolve,
    events=(
        e.RefundRequested,
        e.RefundApproved,
        e.RefundRejected,
        e.RefundWithdrawn,
        e.RefundExpired,
        e.RefundSubmitted,
        e.RefundAccepted,
        e.RefundOutcomeUnknown,
        e.RefundConfirmed,
        e.RefundPaidOut,
        e.RefundSettled,
        e.RefundFailed,
    ),
)
