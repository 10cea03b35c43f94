"""The lists that can be exported, with the headings and words of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from domain.operating.exporting import Export
from domain.payments.events import Reason
from webapp.access import security
from webapp.data.exports import tables
from webapp.lists import (
    contracts,
    customers,
    documents,
    payments,
    refunds,
    settlement,
    stream,
    work,
)
from webapp.lists.exports import Listed, Words, of_listing
from webapp.sentences import PAYMENT_STATES, REFUND_STATES, reason_name
from webapp.sentences.work import CASE_TYPES
from webapp.showing.customer_view import KINDS as CUSTOMER_KINDS
from webapp.showing.document_view import KINDS, STANDINGS
from webapp.texts import _

_CUSTOMER: Final[Mapping[str, Words]] = {
    "customer": lambda: _("Customer"),
    "contract_number": lambda: _("Contract"),
}
_OPEN: Final[Mapping[str, Words]] = {
    "due": lambda: _("Due"),
    "open_again": lambda: _("Open again"),
}

LISTED: Final[Mapping[str, Listed]] = {
    "payments": of_listing(
        payments.LIST,
        head={
            **_CUSTOMER,
            "payment_id": lambda: _("Payment"),
            "debit_on": lambda: _("Debit"),
            "invoice_number": lambda: _("Invoice"),
            "status": lambda: _("State"),
            "amount": lambda: _("Amount"),
            "refunded": lambda: _("Refunded"),
            "reference": lambda: _("Reference"),
        },
        words={"status": {state: words for state, (_tone, words) in PAYMENT_STATES.items()}},
    ),
    "invoices": of_listing(
        documents.LIST,
        head={
            **_CUSTOMER,
            "number": lambda: _("Number"),
            "kind": lambda: _("Kind"),
            "issued_on": lambda: _("Issued"),
            "recipient": lambda: _("Customer"),
            "net": lambda: _("Net"),
            "tax": lambda: _("Tax"),
            "gross": lambda: _("Gross"),
            "paid": lambda: _("Paid"),
            "document": lambda: _("Document"),
            "standing": lambda: _("Payment"),
            "code": lambda: _("Code"),
            "corrects_number": lambda: _("Corrects"),
        },
        words={
            "kind": KINDS,
            "standing": {standing: words for standing, (_tone, words) in STANDINGS.items()},
            "document": {
                "being-made": lambda: _("PDF is being made"),
                "reduced": lambda: _("reduced"),
                "issued": lambda: _("issued"),
            },
        },
    ),
    "contracts": of_listing(
        contracts.LIST,
        head={
            **_CUSTOMER,
            **_OPEN,
            "number": lambda: _("Contract"),
            "product": lambda: _("Product"),
            "instalments_per_year": lambda: _("Instalments a year"),
            "standing": lambda: _("Status"),
            "first_due_on": lambda: _("First due"),
            "next_due_on": lambda: _("Next due"),
            "premium": lambda: _("A year"),
        },
        words={"standing": contracts.STANDINGS},
    ),
    "customers": of_listing(
        customers.LIST,
        head={
            **_OPEN,
            "name": lambda: _("Name"),
            "number": lambda: _("Number"),
            "kind": lambda: _("Kind"),
            "street": lambda: _("Street"),
            "postcode": lambda: _("Postcode"),
            "city": lambda: _("City"),
            "email": lambda: _("E-mail"),
            "since": lambda: _("Customer since"),
            "contracts": lambda: _("Contracts"),
            "on_its_way": lambda: _("On its way"),
            "credit": lambda: _("Credit"),
            "owes_back": lambda: _("Owes money back"),
        },
        words={"kind": CUSTOMER_KINDS},
    ),
    "refunds": of_listing(
        refunds.LIST,
        head={
            **_CUSTOMER,
            "refund_id": lambda: _("Refund"),
            "payment_id": lambda: _("Payment"),
            "status": lambda: _("State"),
            "amount": lambda: _("Amount"),
            "reason": lambda: _("Reason"),
            "requested_by": lambda: _("Requested by"),
            "requested_at": lambda: _("Requested"),
            "decided_by": lambda: _("Decided by"),
            "approved_at": lambda: _("Approved"),
            "settled_at": lambda: _("Settled"),
            "correction_number": lambda: _("Correction"),
            "reference": lambda: _("Reference"),
            "code": lambda: _("Code"),
        },
        words={
            "status": {state: words for state, (_tone, words) in REFUND_STATES.items()},
            "reason": {reason: partial(reason_name, reason) for reason in Reason},
        },
    ),
    "payouts": of_listing(
        settlement.PAYOUT_LIST,
        head={
            "payout_id": lambda: _("Payout"),
            "provider": lambda: _("Provider"),
            "provider_payout": lambda: _("Number at the provider"),
            "reference": lambda: _("Reference"),
            "state": lambda: _("State"),
            "items": lambda: _("Items"),
            "listed_at": lambda: _("Listed"),
            "listed": lambda: _("Amount listed"),
            "arrived_at": lambda: _("Arrived"),
            "arrived": lambda: _("Amount arrived"),
        },
        words={"state": {one: words for one, (_tone, words) in settlement.STATES.items()}},
    ),
    "statements": of_listing(
        settlement.STATEMENT_LIST,
        head={
            "bank_reference": lambda: _("Number"),
            "sequence": lambda: _("Sequence"),
            "from_on": lambda: _("From"),
            "to_on": lambda: _("To"),
            "opening": lambda: _("Opening balance"),
            "closing": lambda: _("Closing balance"),
            "lines": lambda: _("Lines"),
            "imported_at": lambda: _("Imported"),
        },
    ),
    "statement-lines": of_listing(
        settlement.LINE_LIST,
        head={
            "booked_on": lambda: _("Booked"),
            "value_on": lambda: _("Value date"),
            "amount": lambda: _("Amount"),
            "counterparty": lambda: _("From or to"),
            "remittance": lambda: _("Text"),
            "end_to_end_id": lambda: _("End-to-end reference"),
            "bank_reference": lambda: _("Bank reference"),
            "payout_id": lambda: _("Payout"),
        },
    ),
    "work": of_listing(
        work.LIST,
        head={
            **_CUSTOMER,
            "case_id": lambda: _("Case"),
            "case_type": lambda: _("What happened"),
            "amount": lambda: _("At risk"),
            "until": lambda: _("Until"),
            "owner": lambda: _("Taken by"),
            "opened_at": lambda: _("Opened"),
            "closed_at": lambda: _("Closed"),
            "closed_by": lambda: _("Closed by"),
            "subject": lambda: _("About"),
        },
        words={"case_type": CASE_TYPES},
    ),
    "stream": of_listing(
        stream.LIST,
        head={
            "feed_position": lambda: _("Position"),
            "at": lambda: _("When"),
            "type": lambda: _("Type"),
            "stream": lambda: _("Stream"),
            "version": lambda: _("Version"),
            "actor": lambda: _("Who"),
            "cause_position": lambda: _("Caused by"),
            "event_id": lambda: _("Event"),
        },
    ),
    **tables(),
}


def offered(name: str) -> bool:
    """For templates: whether the list has a button for this person."""
    listed = LISTED.get(name)
    return listed is not None and security.allowed(listed.act)


def title(export: Export) -> str:
    """The list's name; of one that is no longer there, its key."""
    listed = LISTED.get(export.list)
    return listed.title() if listed else export.list


def home(export: Export) -> str:
    listed = LISTED.get(export.list)
    return listed.home() if listed else ""
