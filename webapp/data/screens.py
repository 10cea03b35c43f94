"""From a cell of the data browser to the screen of the thing that it names, for those who may open
it. What a thing is, the beginning of its id says."""

from __future__ import annotations

from typing import Any, Final

from flask import url_for

from domain.kernel.ids import MalformedId, prefix_of, read_id
from webapp.access import security

# Prefix -> endpoint, its argument, and the act that opens it.
SCREENS: Final[dict[str, tuple[str, str, str]]] = {
    "pay": ("payments.detail", "payment_id", "payment.read"),
    "rf": ("refunds.detail", "refund_id", "payment.read"),
    "inv": ("invoices.detail", "document_id", "invoice.read"),
    "cus": ("customers.detail", "customer_id", "customer.read"),
    "ct": ("contracts.detail", "contract_id", "customer.read"),
    "cs": ("work.detail", "case_id", "case.read"),
    "po": ("payouts.show", "payout_id", "payment.read"),
    "st": ("statements.show", "statement_id", "payment.read"),
}
POSITION: Final = "feed_position"


def address(column: str, value: object) -> str:
    """Of the screen, or nothing where there is none for this person."""
    if column == POSITION and isinstance(value, int):
        return url_for("stream.show", position=value) if security.allowed("stream.read") else ""
    if not isinstance(value, str) or prefix_of(value) not in SCREENS:
        return ""
    endpoint, argument, act = SCREENS[prefix_of(value)]
    try:
        read_id(value, prefix_of(value))
    except MalformedId:
        return ""
    values: dict[str, Any] = {argument: value}
    return url_for(endpoint, **values) if security.allowed(act) else ""
