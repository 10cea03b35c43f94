"""What can be found by typing: customers, contracts, documents, payments and refunds, by the words
people know of them or by an amount. It knows where nothing is shown."""

from datetime import date
from enum import StrEnum

import msgspec

from domain.contracts.events import ContractSigned
from domain.customers.events import CustomerRegistered
from domain.invoices.events import CorrectionIssued, InvoiceIssued
from domain.kernel.message import Recorded
from domain.kernel.money import Cents
from domain.kernel.time import berlin_date
from domain.kernel.value import Value
from domain.payments import events as e
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import prefix_query, words_of
from domain.stream.database import Connection

GROUP_SIZE = 8
"""Of each kind; who needs more narrows the search or opens the list."""
CANDIDATES_MAX = 1_000
"""Of each kind; a single letter fits half of all customers, and counting them helps nobody."""


class Kind(StrEnum):
    """In the order of the result page."""

    CUSTOMER = "customer"
    CONTRACT = "contract"
    INVOICE = "invoice"
    CORRECTION = "correction"
    PAYMENT = "payment"
    REFUND = "refund"


class ThingRow(Value):
    """`label` is what people call it, `detail` tells two of the same label apart."""

    thing: str
    kind: Kind
    label: str
    detail: str
    words: tuple[str, ...]
    customer_id: str
    amount: Cents | None = None
    on_date: date | None = None


THING = Table(
    name="search",
    row=ThingRow,
    key=("thing",),
    columns="""
      thing text, kind text NOT NULL, label text NOT NULL, detail text NOT NULL,
      words text[] NOT NULL, customer_id text NOT NULL, amount bigint, on_date date
    """,
    indexes=(
        "USING gin (array_to_tsvector(words))",
        "(amount, kind) WHERE amount IS NOT NULL",
    ),
)


def project(rows: Rows, recorded: Recorded) -> None:
    match recorded.event:
        case CustomerRegistered() as event:
            rows.put(THING, _customer(event))
        case ContractSigned() as event:
            rows.put(THING, _contract(rows, event))
        case InvoiceIssued() | CorrectionIssued() as event:
            rows.put(THING, _document(event))
        case e.PaymentScheduled() as event:
            rows.put(THING, _payment(rows, event))
        case e.RefundRequested() as event:
            rows.put(THING, _refund(rows, event))
        case e.PaymentAccepted() as event:
            _refer(rows, event.payment_id, event.reference)
        case e.RefundAccepted() as event:
            _refer(rows, event.refund_id, event.reference)
        case _:
            pass


def _customer(event: CustomerRegistered) -> ThingRow:
    return ThingRow(
        thing=event.customer_id,
        kind=Kind.CUSTOMER,
        label=event.name or "",
        detail=event.number,
        words=words_of(event.name, event.number, event.customer_id),
        customer_id=event.customer_id,
    )


def _name(rows: Rows, customer_id: str) -> str:
    customer = rows.get(THING, customer_id)
    return customer.label if customer else ""


def _contract(rows: Rows, event: ContractSigned) -> ThingRow:
    name = _name(rows, event.customer_id)
    return ThingRow(
        thing=event.contract_id,
        kind=Kind.CONTRACT,
        label=event.number,
        detail=name,
        words=words_of(event.number, name, event.contract_id),
        customer_id=event.customer_id,
    )


def _document(event: InvoiceIssued | CorrectionIssued) -> ThingRow:
    kind = Kind.INVOICE if isinstance(event, InvoiceIssued) else Kind.CORRECTION
    return ThingRow(
        thing=event.document_id,
        kind=kind,
        label=event.number,
        detail=event.recipient or "",
        words=words_of(event.number, event.recipient, event.document_id),
        customer_id=event.customer_id,
        amount=event.amount,
        on_date=event.issued_on,
    )


def _payment(rows: Rows, event: e.PaymentScheduled) -> ThingRow:
    name = _name(rows, event.customer_id)
    return ThingRow(
        thing=event.payment_id,
        kind=Kind.PAYMENT,
        label=event.payment_id,
        detail=name,
        words=words_of(name, event.payment_id),
        customer_id=event.customer_id,
        amount=event.amount,
        on_date=event.debit_on,
    )


def _refund(rows: Rows, event: e.RefundRequested) -> ThingRow:
    name = _name(rows, event.customer_id)
    return ThingRow(
        thing=event.refund_id,
        kind=Kind.REFUND,
        label=event.refund_id,
        detail=name,
        words=words_of(name, event.refund_id),
        customer_id=event.customer_id,
        amount=event.amount,
        on_date=berlin_date(event.at),
    )


def _refer(rows: Rows, thing: str, reference: str) -> None:
    """From now on it is found by the provider's reference, too."""
    row = rows.get(THING, thing)
    known = row.words if row else ()
    rows.change(THING, thing, words=tuple(sorted({*known, *words_of(reference)})))


MODEL = ReadModel(name="search", version=2, tables=(THING,), project=project)


class Group(Value):
    """The best of one kind. `capped`: there are more than `count`."""

    kind: Kind
    rows: tuple[ThingRow, ...]
    count: int
    capped: bool


_SEARCH = """
WITH kinds AS (SELECT unnest(%(kinds)s::text[]) AS kind),
     hit AS (
       SELECT found.* FROM kinds CROSS JOIN LATERAL (
         SELECT t.* FROM read.search t
          WHERE t.kind = kinds.kind
            AND (array_to_tsvector(t.words) @@ nullif(%(words)s, '')::tsquery
                 OR t.amount = %(amount)s)
          LIMIT %(candidates)s) found),
     placed AS (
       SELECT hit.*, count(*) OVER (PARTITION BY kind) AS of_kind,
              row_number() OVER (PARTITION BY kind
                                 ORDER BY on_date DESC NULLS LAST, label, thing) AS place
         FROM hit)
SELECT (to_jsonb(p) - 'of_kind' - 'place')::text, of_kind
  FROM placed p WHERE place <= %(size)s ORDER BY kind, place
"""


def find(connection: Connection, text: str, amount: Cents | None = None) -> list[Group]:
    """Everything with all words of `text` as beginnings of words, or with that amount."""
    query = prefix_query(text)
    if not query and amount is None:
        return []
    values = {
        "kinds": [kind.value for kind in Kind],
        "words": query,
        "amount": amount,
        "candidates": CANDIDATES_MAX + 1,
        "size": GROUP_SIZE,
    }
    found: dict[Kind, list[ThingRow]] = {}
    counts: dict[Kind, int] = {}
    for data, count in connection.execute(_SEARCH, values):
        row = msgspec.json.decode(data, type=ThingRow)
        found.setdefault(row.kind, []).append(row)
        counts[row.kind] = count
    return [
        Group(
            kind=kind,
            rows=tuple(found[kind]),
            count=min(counts[kind], CANDIDATES_MAX),
            capped=counts[kind] > CANDIDATES_MAX,
        )
        for kind in Kind
        if kind in found
    ]
