"""The filter line of the payments list: from the address to a question and back. What cannot be
understood is said at its field; it is never guessed and never left out silently."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import msgspec
from flask import abort, request, url_for

from domain.kernel.message import Refused
from domain.payments.payment import Status
from domain.readmodels.payment_queries import Filters, Place, Sort, typed_value
from webapp.format import parse_amount
from webapp.texts import sentence
from webapp.typed import typed as typed_text

T = TypeVar("T")
NAMES = ("status", "customer", "contract", "reference", "amount", "from", "to")
TEXT_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """`typed` are the texts as they stand in the fields, `errors` the sentences beside them."""

    filters: Filters
    sort: Sort
    after: Place | None
    typed: Mapping[str, str]
    errors: Mapping[str, str]

    def url(self, endpoint: str = "payments.index", **changed: str) -> str:
        """The address of this view of the list."""
        kept = {**self.typed, **({"sort": self.sort.value} if self.sort != Sort.NEWEST else {})}
        values: dict[str, Any] = {**kept, **changed}
        return url_for(endpoint, **values)

    def next_url(self, place: Place) -> str:
        return self.url(after=write_place(place))

    def sorted_url(self, up: str, down: str) -> str:
        """The other way round when this column sorts already."""
        return self.url(sort=down if self.sort.value == up else up)


def read_filters() -> Asked:
    typed = {name: typed_text(request.args.get(name), TEXT_CHARS_MAX) for name in NAMES}
    typed = {name: text for name, text in typed.items() if text}
    errors: dict[str, str] = {}
    filters = Filters(
        status=_read(typed, errors, "status", _status),
        customer=typed.get("customer", ""),
        contract=typed.get("contract", ""),
        reference=typed.get("reference", ""),
        amount=_read(typed, errors, "amount", parse_amount),
        from_on=_read(typed, errors, "from", _day),
        to_on=_read(typed, errors, "to", _day),
    )
    sort = request.args.get("sort", Sort.NEWEST.value)
    if sort not in set(Sort):
        abort(400)
    after = read_place(request.args.get("after", ""), Sort(sort))
    return Asked(filters, Sort(sort), after, typed, errors)


def _read(
    typed: Mapping[str, str], errors: dict[str, str], name: str, read: Callable[[str], T]
) -> T | None:
    if name not in typed:
        return None
    try:
        return read(typed[name])
    except Refused as refused:
        errors[name] = sentence(refused)
        return None


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise Refused("There is no such state.") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("This is not a day.") from None


def write_place(place: Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_place(text: str, sort: Sort) -> Place | None:
    """None without one; 400 for one that nobody gave out."""
    if not text:
        return None
    try:
        place = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Place)
        typed_value(sort, place.value)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        abort(400)
    return place
