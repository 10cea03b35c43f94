"""An issued document: frozen content, one PDF with a recorded hash, and where it was delivered.
Invoices and corrections are documents of their own series."""

import hashlib
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeAlias, assert_never, runtime_checkable

import msgspec
from msgspec.structs import replace

from domain.invoices import events as e
from domain.invoices.commands import RecordRendered
from domain.kernel.decider import Deciders, Thing, on_one
from domain.kernel.message import Event, Refused
from domain.kernel.time import berlin_date
from domain.kernel.transitions import step
from domain.kernel.value import Value

Issued: TypeAlias = e.InvoiceIssued | e.CorrectionIssued
DocumentFact: TypeAlias = Issued | e.DocumentRendered | e.DocumentDelivered


@runtime_checkable
class Addressee(Protocol):
    """A customer, as far as a letter needs one."""

    @property
    def number(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def address(self) -> tuple[str, ...] | None: ...


@runtime_checkable
class DebitTerms(Protocol):
    """A mandate, as far as an announcement needs one."""

    @property
    def reference(self) -> str: ...
    @property
    def creditor_id(self) -> str: ...
    @property
    def iban(self) -> str | None: ...


class Status(StrEnum):
    NOTHING = "nothing"
    ISSUED = "issued"
    RENDERED = "rendered"
    DELIVERED = "delivered"


TRANSITIONS: dict[tuple[Status, str], Status] = {
    (Status.NOTHING, "invoice-issued"): Status.ISSUED,
    (Status.NOTHING, "correction-issued"): Status.ISSUED,
    (Status.ISSUED, "document-rendered"): Status.RENDERED,
    (Status.RENDERED, "document-delivered"): Status.DELIVERED,
}


class Document(Value):
    status: Status = Status.NOTHING
    issued: Issued | None = None
    sha256: str | None = None
    delivered_on: date | None = None


def evolve(state: Document, event: DocumentFact) -> Document:
    moved = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
    match event:
        case e.InvoiceIssued() | e.CorrectionIssued():
            return replace(moved, issued=event)
        case e.DocumentRendered():
            return replace(moved, sha256=event.sha256)
        case e.DocumentDelivered():
            return replace(moved, delivered_on=event.delivered_on)
        case _:
            assert_never(event)


def content_hash(issued: Issued) -> str:
    """SHA-256 of the canonical clear content: every field but the hash itself, in wire order."""
    return hashlib.sha256(msgspec.json.encode(replace(issued, content_hash=""))).hexdigest()


def record_rendered(command: RecordRendered, document: Document) -> list[Event]:
    """Rendered and delivered to the portal at once. [] for the same bytes again; Refused for
    other bytes, since a document never changes."""
    if document.issued is None:
        raise Refused("This document was not issued.")
    if document.sha256 == command.sha256:
        return []
    if document.sha256 is not None:
        raise Refused("This document has a PDF already, with other content.")
    return [
        e.DocumentRendered(
            at=command.at,
            document_id=command.document_id,
            sha256=command.sha256,
            size=command.size,
        ),
        e.DocumentDelivered(
            at=command.at,
            document_id=command.document_id,
            channel="portal",
            delivered_on=berlin_date(command.at),
        ),
    ]


DOCUMENT = Thing(
    prefix="inv",
    initial=Document,
    evolve=evolve,
    transitions=TRANSITIONS,
    events=(e.InvoiceIssued, e.CorrectionIssued, e.DocumentRendered, e.DocumentDelivered),
)
DECIDERS: Deciders = {
    RecordRendered: on_one(lambda command: command.document_id, Document, record_rendered),
}
