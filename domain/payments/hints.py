"""Which notification this is and what it points at, for the inbox: a table provider -> reader.
Nothing else of a body is believed; the object itself is fetched."""

from collections.abc import Callable

import msgspec

from domain.kernel.value import Value

ID_CHARS_MAX = 255
"""Stripe's own bound for ids (RELIABILITY a, Stripe versioning)."""

ASKED = "asked by kontor"
"""The header of a question of our own (`Dispatcher.ask_again`), which stands in the inbox beside
the provider's hints: what kind of object to look at. No header of HTTP can be called so."""

STRIPE_NEEDLESS = frozenset(
    {
        "payment_intent.created",
        # A charge is told by its payment intent, its refunds and its dispute.
        "charge.pending",
        "charge.succeeded",
        "charge.failed",
        "charge.updated",
        "charge.refunded",
        "charge.refund.updated",
        "payout.created",
        "balance.available",
    }
)
"""Types that say nothing that another one does not say: stored, and settled at once."""


class Pointer(Value):
    """`needless`: why nothing follows from it, else ""."""

    notification_id: str
    object_id: str
    needless: str = ""


class _Object(msgspec.Struct):
    id: str


class _Data(msgspec.Struct):
    object: _Object


class _StripeEvent(msgspec.Struct):
    id: str
    data: _Data
    type: str = ""


def needless(event_type: str) -> str:
    return f"{event_type} says nothing that another event does not say"


_read_stripe = msgspec.json.Decoder(_StripeEvent).decode


def _stripe(body: bytes) -> Pointer:
    event = _read_stripe(body)
    return Pointer(
        notification_id=event.id,
        object_id=event.data.object.id,
        needless=needless(event.type) if event.type in STRIPE_NEEDLESS else "",
    )


class _Metadata(msgspec.Struct):
    operation_id: str = ""


class _Ordered(msgspec.Struct):
    metadata: _Metadata


class _OrderedData(msgspec.Struct):
    object: _Ordered


class _StripeOrdered(msgspec.Struct):
    data: _OrderedData


_read_ordered = msgspec.json.Decoder(_StripeOrdered).decode


def about(provider: str, body: bytes) -> str:
    """Our own id in what we ordered, "" where there is none. For traces; nothing is decided by
    it."""
    if provider != "stripe":
        return ""
    try:
        return _read_ordered(body).data.object.metadata.operation_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


READERS: dict[str, Callable[[bytes], Pointer]] = {"stripe": _stripe}


def read(provider: str, body: bytes) -> Pointer | None:
    """None for a body that is no notification of this provider."""
    try:
        pointer = READERS[provider](body)
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    ids = (pointer.notification_id, pointer.object_id)
    sound = all(0 < len(one) <= ID_CHARS_MAX and "\0" not in one for one in ids)
    return pointer if sound else None
