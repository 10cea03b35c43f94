"""The list of refunds: its filters and its columns."""

from __future__ import annotations

from typing import Final

from domain.payments.events import Reason
from domain.readmodels.lists import Order
from domain.readmodels.payment_queries import REFUNDS
from webapp.lists import Column, Listing
from webapp.lists import filters as f
from webapp.sentences import REFUND_STATES, reason_name
from webapp.sentences.who import people
from webapp.texts import N_, _

DOCUMENT: Final = {"yes": "with_document", "no": "without_document"}


def _states() -> list[tuple[str, str]]:
    return [(status.value, words()) for status, (_tone, words) in REFUND_STATES.items()]


def _reasons() -> list[tuple[str, str]]:
    return [(reason.value, reason_name(reason)) for reason in Reason]


def _document() -> list[tuple[str, str]]:
    return [("yes", _("with a correction")), ("no", _("without a correction"))]


LIST: Final = Listing(
    name="refunds",
    label=N_("Refunds"),
    endpoint="refunds.index",
    act="payment.read",
    source=REFUNDS,
    order=Order(sort="requested", down=True),
    fields=(
        f.several("status", N_("State"), _states, "status", "statuses"),
        f.words("customer", N_("Customer"), "customer_words", by_id=("cus", "customer_id")),
        f.choice("reason", N_("Reason"), _reasons, "reason"),
        f.choice("by", N_("Requested by"), people, "requested_by", aside=True),
        f.amount("amount", N_("Amount"), "amount"),
        f.instant_from("from", N_("Requested from"), "requested_from"),
        f.instant_to("to", N_("Requested to"), "requested_to"),
        f.either("contract", N_("Contract"), "contract_number", ("ct", "contract_id"), aside=True),
        f.amount("min", N_("Amount from"), "amount_min", aside=True),
        f.amount("max", N_("Amount to"), "amount_max", aside=True),
        f.choice("decided", N_("Decided by"), people, "decided_by", aside=True),
        f.flags("correction", N_("Correction"), _document, DOCUMENT, aside=True),
        f.instant_from("confirmed-from", N_("Confirmed from"), "confirmed_from", aside=True),
        f.instant_to("confirmed-to", N_("Confirmed to"), "confirmed_to", aside=True),
        f.text("reference", N_("Provider reference"), "reference", aside=True, size=16),
        f.text("code", N_("Code of failure"), "code", aside=True),
        f.by_id("payout", N_("Payout"), "payout_id", "po"),
    ),
    columns=(
        Column(N_("Refund")),
        Column(N_("Requested"), "requested"),
        Column(N_("Customer"), "customer"),
        Column(N_("Reason"), "reason"),
        Column(N_("Requested by"), "by"),
        Column(N_("State"), "status"),
        Column(N_("Amount"), "amount", "num"),
    ),
)
