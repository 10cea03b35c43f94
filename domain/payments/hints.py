"""Which notification this is and what it points at, for the inbox: a table provider -> reader.
Nothing else of a body is believed; the object itself is fetched."""

from collections.abc import Callable

import msgspec

from domain.kernel.value import Value

ID_CHARS_MAX = 255
"""Stripe's own bound for ids (RELIABILITY a, Stripe versioning)."""


class Pointer(Value):
    notification_id: str
    object_id: str


class _Object(msgspec.Struct):
    id: str


class _Data(msgspec.Struct):
    object: _Object


class _StripeEvent(msgspec.Struct):
    id: str
    data: _Data


def _stripe(body: bytes) -> Pointer:
    event = msgspec.json.decode(body, type=_StripeEvent)
    return Pointer(notification_id=event.id, object_id=event.data.object.id)


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
