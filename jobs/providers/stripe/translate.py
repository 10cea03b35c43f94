"""Stripe's words into Kontor's: tables first, then pure functions over the objects as JSON.
What is not in a table is Unrecognised, never guessed. It calls nobody."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from domain.kernel.time import berlin_date
from domain.payments import hints
from domain.payments.ports import (
    Hint,
    Ignored,
    Outcome,
    PaymentReversal,
    PaymentUpdate,
    PayoutItem,
    PayoutItemKind,
    PayoutUpdate,
    ProviderAccepted,
    ProviderRefused,
    ProviderState,
    ProviderUnknown,
    ProviderUpdate,
    RefundUpdate,
    UnknownReason,
    Unrecognised,
    unrecognised,
)

Json: TypeAlias = dict[str, Any]

IGNORED = ""
# Event type -> the kind of object to fetch. The object tells everything; many events ask for one.
EVENTS: dict[str, str] = {
    "payment_intent.succeeded": "payment_intent",
    "payment_intent.payment_failed": "payment_intent",
    "payment_intent.canceled": "payment_intent",
    "payment_intent.processing": "payment_intent",
    "charge.dispute.created": "dispute",
    "charge.dispute.updated": "dispute",
    "charge.dispute.closed": "dispute",
    "charge.dispute.funds_withdrawn": "dispute",
    "charge.dispute.funds_reinstated": "dispute",
    "refund.created": "refund",
    "refund.updated": "refund",
    "refund.failed": "refund",
    "payout.updated": "payout",
    "payout.paid": "payout",
    "payout.failed": "payout",
    "payout.canceled": "payout",
    "payout.reconciliation_completed": "payout",
    **dict.fromkeys(hints.STRIPE_NEEDLESS, IGNORED),
}

# A dispute's reason or a charge's failure code -> ISO 20022 return reason (DOMAIN_RULES R4).
ISO_CODES: dict[str, str] = {
    "insufficient_funds": "AM04",
    "account_closed": "AC04",
    "incorrect_account_details": "AC01",
    "debit_not_authorized": "MD01",
    "customer_initiated": "MD06",
    "bank_cannot_process": "MS03",
    "general": "MS03",
}

PAYMENT_STATES: dict[str, ProviderState] = {
    "processing": ProviderState.PROCESSING,
    "succeeded": ProviderState.CONFIRMED,
    "requires_payment_method": ProviderState.FAILED,
    "canceled": ProviderState.FAILED,
}

REFUND_STATES: dict[str, ProviderState] = {
    "pending": ProviderState.PROCESSING,
    "succeeded": ProviderState.CONFIRMED,
    "failed": ProviderState.FAILED,
    "canceled": ProviderState.FAILED,
}

# Balance transactions by reporting category; a payout lists itself too, which is no item.
PAYOUT_ITEMS: dict[str, PayoutItemKind] = {
    "charge": PayoutItemKind.PAYMENT,
    "refund": PayoutItemKind.REFUND,
    "refund_failure": PayoutItemKind.REFUND_FAILURE,
    "dispute": PayoutItemKind.REVERSAL,
}
PAYOUT_ITSELF = "payout"

LOST = "lost"
PAID = "paid"
PAYOUT_WAITS = frozenset({"pending", "in_transit"})
RECONCILED = "completed"


class _EventObject(msgspec.Struct):
    id: str


class _EventData(msgspec.Struct):
    object: _EventObject


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _EventData


def read_notification(body: bytes) -> Hint | Ignored | Unrecognised:
    """What a notification, pushed or polled, points at. Never raises."""
    try:
        event = msgspec.json.decode(body, type=_Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return unrecognised("not a Stripe event: %(error)s", error=error)
    kind = EVENTS.get(event.type)
    if kind is None:
        return unrecognised("unknown event type %(type)s", type=event.type)
    if kind == IGNORED:
        return Ignored(reason=hints.needless(event.type))
    return Hint(event_id=event.id, event_type=event.type, kind=kind, object_id=event.data.object.id)


def _unknown_status(obj: Json) -> Unrecognised:
    return unrecognised(
        "%(id)s has the unknown status %(status)s", id=obj["id"], status=obj["status"]
    )


def operation_id(obj: Json) -> str:
    """Our id on the object, "" when somebody else made it."""
    metadata = obj.get("metadata") or {}
    return str(metadata.get("operation_id", ""))


def iso_code(raw_code: str) -> str:
    """The ISO reason, "" when the table does not know it: then a person looks."""
    return ISO_CODES.get(raw_code, "")


def _failure_code(intent: Json) -> str:
    """The charge's failure code wins over the intent's error, which is coarser."""
    charge = intent.get("latest_charge")
    if isinstance(charge, dict) and charge.get("failure_code"):
        return str(charge["failure_code"])
    error = intent.get("last_payment_error") or {}
    return str(error.get("code") or intent.get("cancellation_reason") or intent["status"])


def payment_outcome(intent: Json) -> Outcome:
    """What the answer to an order, or a look-up, means."""
    state = PAYMENT_STATES.get(intent["status"])
    if state is None:
        return ProviderUnknown(
            reason=UnknownReason.UNREADABLE, message=f"{intent['id']} is {intent['status']}"
        )
    if state is not ProviderState.FAILED:
        return ProviderAccepted(reference=intent["id"], state=state)
    raw = _failure_code(intent)
    error = intent.get("last_payment_error") or {}
    return ProviderRefused(
        code=iso_code(raw),
        raw_code=raw,
        message=str(error.get("message") or intent["status"]),
        reference=intent["id"],
    )


def refund_outcome(refund: Json) -> Outcome:
    state = REFUND_STATES.get(refund["status"] or "")
    if state is None:
        return ProviderUnknown(
            reason=UnknownReason.UNREADABLE, message=f"{refund['id']} is {refund['status']}"
        )
    if state is not ProviderState.FAILED:
        return ProviderAccepted(reference=refund["id"], state=state)
    raw = str(refund.get("failure_reason") or refund["status"])
    return ProviderRefused(code=iso_code(raw), raw_code=raw, message=raw, reference=refund["id"])


def payment_update(intent: Json) -> ProviderUpdate:
    """`intent` with its latest charge expanded."""
    ours = operation_id(intent)
    if not ours:
        return Ignored(reason=f"{intent['id']} carries no id of ours")
    state = PAYMENT_STATES.get(intent["status"])
    if state is None:
        return _unknown_status(intent)
    raw = _failure_code(intent) if state is ProviderState.FAILED else ""
    return PaymentUpdate(
        operation_id=ours,
        reference=intent["id"],
        state=state,
        amount=intent["amount"],
        code=iso_code(raw),
        raw_code=raw,
    )


def refund_update(refund: Json) -> ProviderUpdate:
    ours = operation_id(refund)
    if not ours:
        return Ignored(reason=f"{refund['id']} was made outside Kontor; its payout will tell")
    state = REFUND_STATES.get(refund["status"] or "")
    if state is None:
        return _unknown_status(refund)
    failed = state is ProviderState.FAILED
    return RefundUpdate(
        operation_id=ours,
        reference=refund["id"],
        payment_reference=str(refund["payment_intent"]),
        state=state,
        amount=refund["amount"],
        raw_code=str(refund.get("failure_reason") or refund["status"]) if failed else "",
    )


def reversal_update(dispute: Json) -> ProviderUpdate:
    """`dispute` with its payment intent expanded. A returned SEPA debit is lost at once."""
    intent = dispute["payment_intent"]
    if not isinstance(intent, dict):
        return unrecognised("%(id)s belongs to no payment intent", id=dispute["id"])
    ours = operation_id(intent)
    if not ours:
        return Ignored(reason=f"{intent['id']} carries no id of ours")
    if dispute["status"] != LOST or "sepa_debit" not in intent["payment_method_types"]:
        return unrecognised(
            "%(id)s has the status %(status)s: a dispute that can be answered",
            id=dispute["id"],
            status=dispute["status"],
        )
    return PaymentReversal(
        operation_id=ours,
        reference=intent["id"],
        reversal_reference=dispute["id"],
        amount=dispute["amount"],
        fee=sum(one["fee"] for one in dispute["balance_transactions"]),
        code=iso_code(dispute["reason"]),
        raw_code=dispute["reason"],
        reversed_at=datetime.fromtimestamp(dispute["created"], UTC),
    )


def payout_state(payout: Json) -> Ignored | Unrecognised | None:
    """Why its items need not be fetched (yet); None when they are complete."""
    if payout["currency"] != "eur":
        return unrecognised(
            "%(id)s pays in the currency %(currency)s", id=payout["id"], currency=payout["currency"]
        )
    if payout["status"] in PAYOUT_WAITS:
        return Ignored(reason=f"{payout['id']} is {payout['status']}")
    if payout["status"] != PAID:
        return _unknown_status(payout)
    if payout["reconciliation_status"] != RECONCILED:
        return Ignored(reason=f"the list of {payout['id']} is not complete yet")
    if not (payout["trace_id"] or {}).get("value"):
        return unrecognised("%(id)s has no trace id to find at the bank", id=payout["id"])
    return None


def payout_items(transactions: Sequence[Json]) -> tuple[PayoutItem, ...]:
    """Balance transactions of one payout, source expanded, in Stripe's order."""
    return tuple(
        _payout_item(one) for one in transactions if one["reporting_category"] != PAYOUT_ITSELF
    )


def _payout_item(transaction: Json) -> PayoutItem:
    source = transaction["source"] or {}
    kind = PAYOUT_ITEMS.get(transaction["reporting_category"], PayoutItemKind.OTHER)
    return PayoutItem(
        kind=kind,
        transaction=transaction["id"],
        reference=_reference(kind, source),
        operation_id=operation_id(source),
        gross=transaction["amount"],
        fee=transaction["fee"],
        net=transaction["net"],
    )


def _reference(kind: PayoutItemKind, source: Json) -> str:
    """What our own facts carry: a debit is known by its payment intent, a refund by itself."""
    if kind in (PayoutItemKind.PAYMENT, PayoutItemKind.REVERSAL) and source.get("payment_intent"):
        return str(source["payment_intent"])
    return str(source.get("id", ""))


def payout_update(payout: Json, items: tuple[PayoutItem, ...]) -> ProviderUpdate:
    total = sum(item.net for item in items)
    if total != payout["amount"]:
        return unrecognised(
            "%(id)s pays %(cents)s, its items make %(total)s",
            id=payout["id"],
            cents=payout["amount"],
            total=total,
        )
    return PayoutUpdate(
        reference=payout["id"],
        trace_id=payout["trace_id"]["value"],
        net=payout["amount"],
        arrival_on=berlin_date(datetime.fromtimestamp(payout["arrival_date"], UTC)),
        items=items,
    )
