"""What the Invoices screens ask of their read model: a filtered list with keyset paging, its
bounded count, the whole list as a stream, one document with its corrections."""

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import LiteralString

import msgspec
from psycopg import sql

from domain.kernel.ids import MalformedId, read_id
from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.readmodels.invoices import DocumentRow, Kind, Standing
from domain.stream.database import Connection

PAGE_ROWS = 50
COUNT_CAP = 10_000
"""Counting stops here and says "over": nobody reads further, and a count costs a scan."""
EXPORT_FETCH = 500
"""Rows fetched at once while a list streams out."""


class Status(StrEnum):
    """What the status filter offers. An invoice can be paid and reduced."""

    OPEN = "open"
    PAID = "paid"
    RETURNED = "returned"
    REDUCED = "reduced"


class Sort(StrEnum):
    ISSUED = "issued"
    NUMBER = "number"
    CUSTOMER = "customer"
    GROSS = "gross"


class Filters(Value):
    """None and "" mean everything. `gross` is matched with and without its sign."""

    text: str = ""
    kind: Kind | None = None
    status: Status | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    gross: Cents | None = None


class Order(Value):
    sort: Sort = Sort.ISSUED
    descending: bool = True


class Listing(Value):
    """One page; `after` is the document behind which the next one begins."""

    documents: tuple[DocumentRow, ...]
    after: str | None


class Count(Value):
    number: int
    capped: bool


class Detail(Value):
    """A document with the corrections that lower it, the oldest first."""

    document: DocumentRow
    corrections: tuple[DocumentRow, ...]


_KEYS: dict[Sort, LiteralString] = {
    Sort.ISSUED: "issued_on",
    Sort.NUMBER: "number",
    Sort.CUSTOMER: "lower(coalesce(recipient, ''))",
    Sort.GROSS: "gross",
}
_STATUS: dict[Status, LiteralString] = {
    Status.OPEN: "kind = 'invoice' AND standing IN ('open', 'collecting', 'failed')",
    Status.PAID: "standing IN ('paid', 'nothing-owed', 'paid-back')",
    Status.RETURNED: "standing = 'returned'",
    Status.REDUCED: "reduced > 0",
}
_ROW = sql.SQL("SELECT to_jsonb(d)::text FROM read.invoices_document d WHERE {where}")
_PAGE = sql.SQL("{rows}{behind} ORDER BY {key} {way}, number {way} LIMIT %(limit)s")
# The row that the page before ended with says where this one begins.
_BEHIND = sql.SQL(
    " AND ({key}, number) {than} (SELECT {key}, number"
    " FROM read.invoices_document WHERE document_id = %(after)s)"
)
_ALL = sql.SQL("{rows} ORDER BY {key} {way}, number {way}")
_COUNT = sql.SQL(
    "SELECT count(*) FROM (SELECT 1 FROM read.invoices_document d WHERE {where}"
    " LIMIT %(cap)s) counted"
)
_DETAIL = """
SELECT to_jsonb(d)::text FROM read.invoices_document d
 WHERE document_id = %(id)s OR corrects_id = %(id)s
 ORDER BY document_id <> %(id)s, number
"""
_CHOSEN = """
SELECT to_jsonb(d)::text FROM read.invoices_document d
 WHERE document_id = ANY (%s) ORDER BY number
"""
_DOCUMENT = msgspec.json.Decoder(DocumentRow)


def listing(connection: Connection, filters: Filters, order: Order, after: str = "") -> Listing:
    where, values = _where(filters)
    values |= {"after": _known_id(after), "limit": PAGE_ROWS + 1}
    ordered, than = _ordered(order), sql.SQL("<" if order.descending else ">")
    behind = _BEHIND.format(than=than, **ordered) if values["after"] else sql.SQL("")
    query = _PAGE.format(rows=_ROW.format(where=where), behind=behind, **ordered)
    found = [_DOCUMENT.decode(row[0]) for row in connection.execute(query, values)]
    shown = tuple(found[:PAGE_ROWS])
    return Listing(documents=shown, after=shown[-1].document_id if len(found) > PAGE_ROWS else None)


def count(connection: Connection, filters: Filters) -> Count:
    where, values = _where(filters)
    values["cap"] = COUNT_CAP + 1
    row = connection.execute(_COUNT.format(where=where), values).fetchone()
    number = int(row[0]) if row else 0
    return Count(number=min(number, COUNT_CAP), capped=number > COUNT_CAP)


def everything(connection: Connection, filters: Filters, order: Order) -> Iterator[DocumentRow]:
    """The whole filtered list as of one moment, a few rows in memory at a time."""
    where, values = _where(filters)
    query = _ALL.format(rows=_ROW.format(where=where), **_ordered(order))
    with connection.transaction(), connection.cursor(name="invoices_export") as cursor:
        cursor.itersize = EXPORT_FETCH
        cursor.execute(query, values)
        for row in cursor:
            yield _DOCUMENT.decode(row[0])


def detail(connection: Connection, document_id: str) -> Detail | None:
    """None for a document that does not exist, and for a text that is no id."""
    rows = connection.execute(_DETAIL, {"id": _known_id(document_id)}, prepare=True)
    found = [_DOCUMENT.decode(row[0]) for row in rows]
    if not found or found[0].document_id != document_id:
        return None
    return Detail(document=found[0], corrections=tuple(found[1:]))


def chosen(connection: Connection, document_ids: Sequence[str]) -> list[DocumentRow]:
    """These documents in the order of their numbers; unknown ids are left out."""
    rows = connection.execute(_CHOSEN, ([_known_id(one) for one in document_ids],))
    return [_DOCUMENT.decode(row[0]) for row in rows]


def _ordered(order: Order) -> dict[str, sql.SQL]:
    way = sql.SQL("DESC" if order.descending else "ASC")
    return {"key": sql.SQL(_KEYS[order.sort]), "way": way}


def _where(filters: Filters) -> tuple[sql.Composable, dict[str, object]]:
    """Constants of this file; everything a person typed is a parameter."""
    conditions: list[LiteralString] = ["true"]
    if filters.text:
        conditions.append(
            "(number ILIKE %(text)s OR recipient ILIKE %(text)s OR contract_number ILIKE %(text)s)"
        )
    if filters.kind:
        conditions.append("kind = %(kind)s")
    if filters.status:
        conditions.append(f"({_STATUS[filters.status]})")
    if filters.issued_from:
        conditions.append("issued_on >= %(issued_from)s")
    if filters.issued_to:
        conditions.append("issued_on <= %(issued_to)s")
    if filters.gross is not None:
        conditions.append("abs(gross) = abs(%(gross)s)")
    values: dict[str, object] = {
        "text": f"%{_literally(filters.text)}%",
        "kind": filters.kind,
        "issued_from": filters.issued_from,
        "issued_to": filters.issued_to,
        "gross": filters.gross,
    }
    return sql.SQL(" AND ").join(sql.SQL(condition) for condition in conditions), values


def _literally(text: str) -> str:
    """`%` and `_` typed by a person are themselves."""
    return text.replace("\0", "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _known_id(after: str) -> str:
    try:
        read_id(after, "inv")
    except MalformedId:
        return ""
    return after


__all__ = [
    "Count",
    "Detail",
    "Filters",
    "Kind",
    "Listing",
    "Order",
    "Sort",
    "Standing",
    "Status",
    "chosen",
    "count",
    "detail",
    "everything",
    "listing",
]
