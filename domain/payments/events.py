"""What can be true of payments, refunds and mandates. Facts we were told (confirmed) and facts we
saw (settled) have different names (ARCHITECTURE, idea 3)."""

from datetime import date
from enum import StrEnum

from domain.kernel.message import Event, Sealed
from domain.kernel.money import Cents


class Reason(StrEnum):
    """Why money goes back; `rules.REASONS` says what each one means."""

    PREMIUM_REDUCTION = "premium-reduction"
    OVERPAYMENT = "overpayment"
    GOODWILL = "goodwill"


class ReleaseCause(StrEnum):
    """Why a reservation ended without money moving."""

    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"
    DEBIT_RETURNED = "debit-returned"


class MandateRegistered(Event):
    """The customer allowed us to debit this account; the provider knows it under its own ids."""

    prefix = "man"
    mandate_id: str
    customer_id: str
    reference: str
    creditor_id: str
    provider: str
    provider_customer: str
    provider_method: str
    iban: Sealed[str]
    signed_on: date

    @property
    def seal_subject(self) -> str:
        return self.customer_id


class MandateRevoked(Event):
    """No debit from this account any more."""

    prefix = "man"
    mandate_id: str


class PaymentEvent(Event):
    """Something about one collection attempt."""

    prefix = "pay"
    payment_id: str


class PaymentScheduled(PaymentEvent):
    """A receivable will be collected from this mandate on `debit_on`."""

    receivable_id: str
    invoice_id: str
    contract_id: str
    customer_id: str
    mandate_id: str
    provider: str
    amount: Cents
    due_on: date
    debit_on: date
    prenotification_days: int


class PaymentAnnounced(PaymentEvent):
    """The customer was told the amount and the date (S6)."""

    delivered_on: date
    debit_on: date


class PaymentSubmitted(PaymentEvent):
    """Recorded before the call to the provider: from now on the outcome may be unknown."""

    debit_on: date
    key: str
    content_hash: str


class PaymentAccepted(PaymentEvent):
    """The provider answered with its own reference."""

    reference: str


class PaymentOutcomeUnknown(PaymentEvent):
    """No answer that can be trusted; the provider is asked by our reference."""

    why: str


class PaymentConfirmed(PaymentEvent):
    """The provider says the money came in. The customer's bank may still take it back."""

    reversible_until: date


class PaymentPaidOut(PaymentEvent):
    """It lies in a payout of the provider."""

    payout_id: str
    fee: Cents


class PaymentSettled(PaymentEvent):
    """The payout it lies in was found on our bank statement."""

    payout_id: str


class PaymentFailed(PaymentEvent):
    """No money came. `code` is ours or an ISO reason; `raw_code` is the provider's own word."""

    code: str
    raw_code: str


class PaymentReturned(PaymentEvent):
    """The customer's bank took the debit back."""

    amount: Cents
    code: str
    raw_code: str
    fee: Cents


class RefundReserved(PaymentEvent):
    """Part of the collected money is set aside for a refund."""

    refund_id: str
    amount: Cents
    reason: Reason


class RefundSent(PaymentEvent):
    """The refund is on its way to the provider: recorded before the call."""

    refund_id: str


class RefundReleased(PaymentEvent):
    """The reservation ended and no money moved."""

    refund_id: str
    cause: ReleaseCause


class RefundBooked(PaymentEvent):
    """The provider confirmed the refund: the money went back."""

    refund_id: str


class RefundUnbooked(PaymentEvent):
    """A refund failed after it was confirmed: the money is with the provider again."""

    refund_id: str


class RefundEvent(Event):
    """Something about one refund of one payment."""

    prefix = "rf"
    refund_id: str
    payment_id: str


class RefundRequested(RefundEvent):
    """Somebody asked for money back. `content_hash` is what a second person approves."""

    customer_id: str
    receivable_id: str
    invoice_id: str
    amount: Cents
    reason: Reason
    note: Sealed[str]
    requested_by: str
    needs_approval: bool
    limit_version: int
    content_hash: str

    @property
    def seal_subject(self) -> str:
        return self.customer_id


class RefundApproved(RefundEvent):
    """By a person with a role, or by the rule whose version stands here."""

    amount: Cents
    reason: Reason
    approved_by: str
    role: str
    rule_version: int | None
    content_hash: str


class RefundRejected(RefundEvent):
    """By a second person; `remark` says why, for the one who asked."""

    customer_id: str
    rejected_by: str
    remark: Sealed[str] = None

    @property
    def seal_subject(self) -> str:
        return self.customer_id


class RefundWithdrawn(RefundEvent):
    """By the person who asked for it."""


class RefundExpired(RefundEvent):
    """Nobody decided in time."""


class RefundSubmitted(RefundEvent):
    """Recorded before the call; repeats the hash of what was approved."""

    key: str
    content_hash: str


class RefundAccepted(RefundEvent):
    """The provider answered with its own reference."""

    reference: str


class RefundOutcomeUnknown(RefundEvent):
    """No answer that can be trusted; the provider is asked by our reference."""

    why: str


class RefundConfirmed(RefundEvent):
    """The provider says the money went back."""


class RefundPaidOut(RefundEvent):
    """It was deducted from a payout of the provider."""

    payout_id: str


class RefundSettled(RefundEvent):
    """The payout it was deducted from was found on our bank statement."""

    payout_id: str


class RefundFailed(RefundEvent):
    """`late` when it had been confirmed before."""

    code: str
    raw_code: str
    late: bool


class RecoveryOpened(Event):
    """Money left us twice: the customer owes it back, and it is never a premium arrear."""

    prefix = "rec"
    recovery_id: str
    payment_id: str
    customer_id: str
    amount: Cents


class RecoveryAdjusted(Event):
    """What left us twice is another amount now; zero when nothing did after all."""

    prefix = "rec"
    recovery_id: str
    payment_id: str
    amount: Cents
