"""What can be true of receivables and documents. An issued document never changes (I2)."""

from datetime import date
from typing import ClassVar

from domain.kernel.lines import Line
from domain.kernel.message import Event, Purpose, Sealed
from domain.kernel.money import Cents


class ReceivableEvent(Event):
    prefix = "rcv"
    receivable_id: str


class ReceivableRaised(ReceivableEvent):
    """Money owed to us from now on, one line per cover; the invoice billed it."""

    customer_id: str
    contract_id: str
    mandate_id: str
    invoice_id: str
    payment_id: str
    lines: tuple[Line, ...]
    amount: Cents
    due_on: date
    debit_on: date
    prenotification_days: int


class CollectionReserved(ReceivableEvent):
    """At most one live collection: this payment."""

    payment_id: str


class CollectionReleased(ReceivableEvent):
    """That payment will not bring the money; the receivable is open again."""

    payment_id: str


class ReceiptApplied(ReceivableEvent):
    """Collected money counts against what is owed."""

    payment_id: str
    amount: Cents


class ReceiptReversed(ReceivableEvent):
    """The debit was returned: open as of its original due date (R7)."""

    payment_id: str
    amount: Cents


class ReceivableReduced(ReceivableEvent):
    """A correction document lowered what is owed, line by line."""

    correction_id: str
    lines: tuple[Line, ...]
    amount: Cents


class ReceiptRefunded(ReceivableEvent):
    """A premium reduction was paid back: what is applied falls."""

    refund_id: str
    amount: Cents


class ReceiptRestored(ReceivableEvent):
    """That refund failed later on: what is applied rises again."""

    refund_id: str
    amount: Cents


class DocumentEvent(Event):
    """Invoices and corrections share a kind of stream: both are documents with a number."""

    prefix = "inv"
    purpose: ClassVar[Purpose] = "booking"
    document_id: str


class InvoiceIssued(DocumentEvent):
    """Number, content and content hash freeze here. It announces the debit, too (S6)."""

    number: str
    issued_on: date
    customer_id: str
    customer_number: str
    contract_id: str
    contract_number: str
    product: str
    receivable_id: str
    payment_id: str
    recipient: Sealed[str]
    address: Sealed[tuple[str, ...]]
    iban: Sealed[str]
    period_from: date
    period_to: date
    due_on: date
    debit_on: date
    mandate_reference: str
    creditor_id: str
    lines: tuple[Line, ...]
    amount: Cents
    content_hash: str

    @property
    def seal_subject(self) -> str:
        return self.customer_id


class CorrectionIssued(DocumentEvent):
    """Lowers an invoice; own number, refers to the invoice clearly (I3). Amounts are positive
    here and stand as negative on the document."""

    number: str
    issued_on: date
    customer_id: str
    customer_number: str
    contract_number: str
    product: str
    period_from: date
    period_to: date
    receivable_id: str
    invoice_id: str
    invoice_number: str
    invoice_issued_on: date
    refund_id: str
    recipient: Sealed[str]
    address: Sealed[tuple[str, ...]]
    iban: Sealed[str]
    lines: tuple[Line, ...]
    amount: Cents
    content_hash: str

    @property
    def seal_subject(self) -> str:
        return self.customer_id


class DocumentRendered(DocumentEvent):
    """The PDF exists; `sha256` is that of its bytes (I2)."""

    sha256: str
    size: int


class DocumentDelivered(DocumentEvent):
    """The customer can read it there from that day on."""

    channel: str
    delivered_on: date
