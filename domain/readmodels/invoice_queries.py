"""What the Invoices screens ask of their read model: the list of documents, one document with its
corrections, and those that somebody selected."""

from collections.abc import Sequence

import msgspec

from domain.kernel.ids import MalformedId, read_id
from domain.kernel.value import Value
from domain.readmodels.invoices import DocumentRow
from domain.readmodels.lists import Kind as K
from domain.readmodels.lists import Sort, Source, Term
from domain.stream.database import Connection

_ISSUED = Term(sql="issued_on", kind=K.DAY)
DOCUMENTS = Source(
    table="read.invoices_document",
    row=DocumentRow,
    # No two documents have the same number, and people read a day's documents in its order.
    key=Term(sql="number", kind=K.TEXT),
    sorts={
        "issued": Sort(terms=(_ISSUED,), down=True),
        "number": Sort(terms=(), down=True),
        "customer": Sort(terms=(Term(sql="sorted_name", kind=K.TEXT), _ISSUED)),
        "gross": Sort(terms=(Term(sql="gross", kind=K.NUMBER),), down=True),
        "paid": Sort(terms=(Term(sql="paid", kind=K.NUMBER),), down=True),
        "due": Sort(terms=(Term(sql="coalesce(due_on, 'infinity')", kind=K.DAY),)),
        "payment": Sort(terms=(Term(sql="standing", kind=K.TEXT), _ISSUED)),
    },
    conditions={
        "words": "array_to_tsvector(words) @@ %(words)s::tsquery",
        "customer_id": "customer_id = %(customer_id)s",
        "contract_number": "contract_number = %(contract_number)s",
        "kind": "kind = %(kind)s",
        "standing": "standing = %(standing)s",
        "standings": "standing = ANY(%(standings)s)",
        "issued": "pdf_sha256 IS NOT NULL AND reduced = 0",
        "reduced": "reduced > 0",
        "being_made": "pdf_sha256 IS NULL",
        "issued_from": "issued_on >= %(issued_from)s",
        "issued_to": "issued_on <= %(issued_to)s",
        "due_from": "coalesce(due_on, 'infinity') >= %(due_from)s AND due_on IS NOT NULL",
        "due_to": "coalesce(due_on, 'infinity') <= %(due_to)s",
        "gross": "abs(gross) = %(gross)s",
        "gross_min": "abs(gross) >= %(gross_min)s",
        "gross_max": "abs(gross) <= %(gross_max)s",
        "code": "code = %(code)s",
    },
)


class Detail(Value):
    """A document with the corrections that lower it, the oldest first."""

    document: DocumentRow
    corrections: tuple[DocumentRow, ...]


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


def _known_id(typed: str) -> str:
    try:
        read_id(typed, "inv")
    except MalformedId:
        return ""
    return typed
