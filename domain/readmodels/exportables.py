"""Every list that can be written to a file, by name. A new one is an entry here, and one in the web
app that names its columns for people."""

from collections.abc import Mapping
from typing import cast

import msgspec

from domain.readmodels import (
    browse,
    contract_queries,
    customer_queries,
    invoice_queries,
    payment_queries,
    settlement_queries,
    stream,
    work_queries,
)
from domain.readmodels.exports import Column, Exportable, Kind, of_source
from domain.readmodels.invoices import DocumentRow


def _document_state(row: msgspec.Struct) -> str:
    """The document's own state; what was paid for it stands apart."""
    document = cast(DocumentRow, row)
    if document.pdf_sha256 is None:
        return "being-made"
    return "reduced" if document.reduced else "issued"


EXPORTABLES: Mapping[str, Exportable] = {
    **browse.exportables(),
    "payments": of_source(
        payment_queries.PAYMENTS,
        (
            Column(name="payment_id"),
            Column(name="debit_on", kind=Kind.DAY),
            Column(name="customer"),
            Column(name="contract_number"),
            Column(name="invoice_number"),
            Column(name="status", kind=Kind.WORD),
            Column(name="amount", kind=Kind.MONEY),
            Column(name="refunded", kind=Kind.MONEY),
            Column(name="reference"),
        ),
    ),
    "invoices": of_source(
        invoice_queries.DOCUMENTS,
        (
            Column(name="number"),
            Column(name="kind", kind=Kind.WORD),
            Column(name="issued_on", kind=Kind.DAY),
            Column(name="recipient"),
            Column(name="contract_number"),
            Column(name="net", kind=Kind.MONEY),
            Column(name="tax", kind=Kind.MONEY),
            Column(name="gross", kind=Kind.MONEY),
            Column(name="paid", kind=Kind.MONEY),
            Column(name="document", kind=Kind.WORD, of=_document_state),
            Column(name="standing", kind=Kind.WORD),
            Column(name="code"),
            Column(name="corrects_number"),
        ),
    ),
    "contracts": of_source(
        contract_queries.SOURCE,
        (
            Column(name="number"),
            Column(name="customer"),
            Column(name="product"),
            Column(name="instalments_per_year", kind=Kind.NUMBER),
            Column(name="standing", kind=Kind.WORD),
            Column(name="first_due_on", kind=Kind.DAY),
            Column(name="next_due_on", kind=Kind.DAY),
            Column(name="premium", kind=Kind.MONEY),
            Column(name="due", kind=Kind.MONEY),
            Column(name="open_again", kind=Kind.MONEY),
        ),
    ),
    "customers": of_source(
        customer_queries.SOURCE,
        (
            Column(name="name"),
            Column(name="number"),
            Column(name="kind", kind=Kind.WORD),
            Column(name="street"),
            Column(name="postcode"),
            Column(name="city"),
            Column(name="email"),
            Column(name="since", kind=Kind.INSTANT),
            Column(name="contracts", kind=Kind.NUMBER),
            Column(name="due", kind=Kind.MONEY),
            Column(name="open_again", kind=Kind.MONEY),
            Column(name="on_its_way", kind=Kind.MONEY),
            Column(name="credit", kind=Kind.MONEY),
            Column(name="owes_back", kind=Kind.MONEY),
        ),
    ),
    "refunds": of_source(
        payment_queries.REFUNDS,
        (
            Column(name="refund_id"),
            Column(name="payment_id"),
            Column(name="customer"),
            Column(name="status", kind=Kind.WORD),
            Column(name="amount", kind=Kind.MONEY),
            Column(name="reason", kind=Kind.WORD),
            Column(name="requested_by"),
            Column(name="requested_at", kind=Kind.INSTANT),
            Column(name="decided_by"),
            Column(name="approved_at", kind=Kind.INSTANT),
            Column(name="settled_at", kind=Kind.INSTANT),
            Column(name="correction_number"),
            Column(name="reference"),
            Column(name="code"),
        ),
    ),
    "payouts": of_source(
        settlement_queries.PAYOUTS,
        (
            Column(name="payout_id"),
            Column(name="provider"),
            Column(name="provider_payout"),
            Column(name="reference"),
            Column(name="state", kind=Kind.WORD),
            Column(name="items", kind=Kind.NUMBER),
            Column(name="listed_at", kind=Kind.INSTANT),
            Column(name="listed", kind=Kind.MONEY),
            Column(name="arrived_at", kind=Kind.INSTANT),
            Column(name="arrived", kind=Kind.MONEY),
        ),
    ),
    "statements": of_source(
        settlement_queries.STATEMENTS,
        (
            Column(name="bank_reference"),
            Column(name="sequence", kind=Kind.NUMBER),
            Column(name="from_on", kind=Kind.DAY),
            Column(name="to_on", kind=Kind.DAY),
            Column(name="opening", kind=Kind.MONEY),
            Column(name="closing", kind=Kind.MONEY),
            Column(name="lines", kind=Kind.NUMBER),
            Column(name="imported_at", kind=Kind.INSTANT),
        ),
    ),
    "statement-lines": of_source(
        settlement_queries.LINES,
        (
            Column(name="booked_on", kind=Kind.DAY),
            Column(name="value_on", kind=Kind.DAY),
            Column(name="amount", kind=Kind.MONEY),
            Column(name="counterparty"),
            Column(name="remittance"),
            Column(name="end_to_end_id"),
            Column(name="bank_reference"),
            Column(name="payout_id"),
        ),
    ),
    "work": of_source(
        work_queries.CASES,
        (
            Column(name="case_id"),
            Column(name="case_type", kind=Kind.WORD),
            Column(name="customer"),
            Column(name="amount", kind=Kind.MONEY),
            Column(name="until", kind=Kind.DAY),
            Column(name="owner"),
            Column(name="opened_at", kind=Kind.INSTANT),
            Column(name="closed_at", kind=Kind.INSTANT),
            Column(name="closed_by"),
            Column(name="subject"),
        ),
    ),
    "stream": of_source(
        stream.EVENTS,
        (
            Column(name="feed_position", kind=Kind.NUMBER),
            Column(name="at", kind=Kind.INSTANT),
            Column(name="type"),
            Column(name="stream"),
            Column(name="version", kind=Kind.NUMBER),
            Column(name="actor"),
            Column(name="cause_position", kind=Kind.NUMBER),
            Column(name="event_id"),
        ),
    ),
}
