"""The words that Kontor and its payment providers share: what is ordered, what came of it, what
a provider reports later. Adapters translate into these; no SDK object and no network here."""

from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from domain.kernel.money import Cents


class PaymentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One collection, off-session, by a mandate that the provider already holds."""

    operation_id: str
    idempotency_key: str
    amount: Cents
    customer: str
    payment_method: str
    description: str = ""


class RefundOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Money back over the payment `payment_reference` (the provider's id of it)."""

    operation_id: str
    idempotency_key: str
    amount: Cents
    payment_reference: str


class ProviderState(StrEnum):
    """How far the provider says an operation is."""

    PROCESSING = "processing"
    CONFIRMED = "confirmed"
    FAILED = "failed"


class UnknownReason(StrEnum):
    """Why nobody knows what came of a call."""

    CONNECTION = "connection"  # timed out, refused, or cut before the answer
    SERVER_ERROR = "server_error"  # 5xx, also one that the provider replays for the key
    IN_FLIGHT = "in_flight"  # 409: the same key is being worked on
    RATE_LIMITED = "rate_limited"
    KEY_REUSED = "key_reused"  # this key was used with other content: a defect, never a refusal
    NOT_ALLOWED = "not_allowed"  # our credentials were refused: says nothing about the money
    UNREADABLE = "unreadable"  # an answer in a state that is not in our table
    NOT_SENT = "not_sent"  # the provider's circuit opened a moment before: it is sent later


class ProviderAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """The provider has the operation under `reference`; its state is never FAILED here."""

    reference: str
    state: ProviderState


class ProviderRefused(msgspec.Struct, frozen=True, kw_only=True):
    """It surely does not happen. `code` is the ISO reason where the table knows one, else ""."""

    code: str
    raw_code: str
    message: str
    reference: str = ""


class ProviderUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """Ask by our reference; never send again under another key."""

    reason: UnknownReason
    message: str = ""


Outcome: TypeAlias = ProviderAccepted | ProviderRefused | ProviderUnknown


class ProviderUnreachable(Exception):
    """A question (not an order) got no usable answer: ask again later, nothing was decided."""


class ProviderNotCalled(ProviderUnreachable):
    """Its circuit is open, or it asked us to wait: the call was not even made."""


class PaymentUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection is now. The codes are set when it failed."""

    operation_id: str
    reference: str
    state: ProviderState
    amount: Cents
    code: str = ""
    raw_code: str = ""


class PaymentReversal(msgspec.Struct, frozen=True, kw_only=True):
    """The customer's bank took a confirmed debit back. `fee` is what the provider charges us."""

    operation_id: str
    reference: str
    reversal_reference: str
    amount: Cents
    fee: Cents
    code: str
    raw_code: str
    reversed_at: datetime


class RefundUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What a refund is now; FAILED may follow CONFIRMED days later."""

    operation_id: str
    reference: str
    payment_reference: str
    state: ProviderState
    amount: Cents
    raw_code: str = ""


class PayoutItemKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"  # a refund's money coming back to our balance
    REVERSAL = "reversal"  # a returned debit, with the provider's fee
    OTHER = "other"


class PayoutItem(msgspec.Struct, frozen=True, kw_only=True):
    """One booking inside a payout: net = gross - fee, signed as on our balance.

    `operation_id` is empty where the booking carries no id of ours; it counts in the sum.
    """

    kind: PayoutItemKind
    transaction: str
    reference: str
    operation_id: str
    gross: Cents
    fee: Cents
    net: Cents


class PayoutUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A payout whose list of items is complete: their nets add up to `net`."""

    reference: str
    trace_id: str
    net: Cents
    arrival_on: date
    items: tuple[PayoutItem, ...]


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """Understood, and nothing to do."""

    reason: str


class Unrecognised(msgspec.Struct, frozen=True, kw_only=True):
    """Not in our tables: quarantine, a person looks."""

    reason: str


def unrecognised(message: str, **values: object) -> Unrecognised:
    """The reason as a sentence that the screens know how to tell in the reader's language."""
    return Unrecognised(reason=message % values)


ProviderUpdate: TypeAlias = (
    PaymentUpdate | PaymentReversal | RefundUpdate | PayoutUpdate | Ignored | Unrecognised
)


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification points at. It is a hint: the object itself is fetched."""

    event_id: str
    event_type: str
    kind: str
    object_id: str


class PolledEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the provider's own list of events, raw, as a notification would carry it."""

    event_id: str
    event_type: str
    created_at: datetime
    body: bytes
