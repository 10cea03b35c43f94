"""Read model of Invoices: every document with its lines, the receivable and the payment behind it.
The screens' queries stand in `invoice_queries`; nothing is decided from here."""

from datetime import date
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from domain.invoices import events as e
from domain.kernel.lines import Line
from domain.kernel.message import Event, Recorded
from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.payments import events as paid
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import fold, words_of


class Kind(StrEnum):
    INVOICE = "invoice"
    CORRECTION = "correction"


class Standing(StrEnum):
    """Where the money of a document stands; of a correction, that of its refund."""

    OPEN = "open"
    COLLECTING = "collecting"
    PAID = "paid"
    NOTHING_OWED = "nothing-owed"
    FAILED = "failed"
    RETURNED = "returned"
    GOING_BACK = "going-back"
    PAID_BACK = "paid-back"
    REFUND_FAILED = "refund-failed"


class DocumentRow(Value):
    """`gross`, `net`, `tax` are negative on a correction. `paid` is what was received for it, or
    what went back. `reduced` is the sum of an invoice's corrections. `words` is what the text
    filter looks at, `sorted_name` what lists sort by."""

    document_id: str
    kind: Kind
    number: str
    issued_on: date
    customer_id: str
    recipient: str | None
    address: tuple[str, ...] | None
    contract_number: str
    product: str
    receivable_id: str
    lines: tuple[Line, ...]
    gross: Cents
    net: Cents
    tax: Cents
    content_hash: str
    standing: Standing
    words: tuple[str, ...] = ()
    sorted_name: str = ""
    code: str | None = None
    contract_id: str | None = None
    payment_id: str | None = None
    refund_id: str | None = None
    corrects_id: str | None = None
    corrects_number: str | None = None
    corrects_issued_on: date | None = None
    period_from: date | None = None
    period_to: date | None = None
    due_on: date | None = None
    debit_on: date | None = None
    mandate_reference: str | None = None
    creditor_id: str | None = None
    pdf_sha256: str | None = None
    pdf_size: int | None = None
    delivered_on: date | None = None
    channel: str | None = None
    owed: Cents = 0
    paid: Cents = 0
    reduced: Cents = 0
    collecting: str | None = None


class ReceivableRow(Value):
    """Figures of a receivable; kept apart since its events know no document."""

    receivable_id: str
    invoice_id: str
    owed: Cents
    applied: Cents = 0
    reduced: Cents = 0
    collecting: str | None = None


class PaymentRow(Value):
    """`trouble` is failed or returned, with its code."""

    payment_id: str
    invoice_id: str
    trouble: Standing | None = None
    code: str | None = None


class RefundRow(Value):
    refund_id: str
    standing: Standing
    code: str | None = None
    correction_id: str | None = None


DOCUMENTS = Table(
    name="invoices_document",
    row=DocumentRow,
    key=("document_id",),
    columns="""
      document_id text, kind text NOT NULL, number text NOT NULL, issued_on date NOT NULL,
      customer_id text NOT NULL, recipient text, address jsonb, contract_number text NOT NULL,
      product text NOT NULL, receivable_id text NOT NULL, lines jsonb NOT NULL,
      gross bigint NOT NULL, net bigint NOT NULL, tax bigint NOT NULL, content_hash text NOT NULL,
      standing text NOT NULL, words text[] NOT NULL, sorted_name text NOT NULL,
      code text, contract_id text, payment_id text, refund_id text,
      corrects_id text, corrects_number text, corrects_issued_on date, period_from date,
      period_to date, due_on date, debit_on date, mandate_reference text, creditor_id text,
      pdf_sha256 text, pdf_size bigint, delivered_on date, channel text, owed bigint NOT NULL,
      paid bigint NOT NULL, reduced bigint NOT NULL, collecting text
    """,
    indexes=(
        "(issued_on, number)",
        "(number)",
        "(sorted_name, issued_on, number)",
        "(gross, number)",
        "(paid, number)",
        "((coalesce(due_on, 'infinity')), number)",
        "(standing, issued_on, number)",
        "(contract_number, issued_on, number)",
        "(abs(gross))",
        "(issued_on, number) WHERE reduced > 0",
        "(issued_on, number) WHERE pdf_sha256 IS NULL",
        "USING gin (array_to_tsvector(words))",
        "(corrects_id) WHERE corrects_id IS NOT NULL",
        "(payment_id) WHERE payment_id IS NOT NULL",
        "(customer_id, issued_on, number)",
    ),
)
RECEIVABLES = Table(
    name="invoices_receivable",
    row=ReceivableRow,
    key=("receivable_id",),
    columns="""
      receivable_id text, invoice_id text NOT NULL, owed bigint NOT NULL,
      applied bigint NOT NULL, reduced bigint NOT NULL, collecting text
    """,
)
PAYMENTS = Table(
    name="invoices_payment",
    row=PaymentRow,
    key=("payment_id",),
    columns="payment_id text, invoice_id text NOT NULL, trouble text, code text",
)
REFUNDS = Table(
    name="invoices_refund",
    row=RefundRow,
    key=("refund_id",),
    columns="refund_id text, standing text NOT NULL, code text, correction_id text",
)


def project(rows: Rows, recorded: Recorded) -> None:
    match recorded.event:
        case e.ReceivableEvent() as event:
            _on_receivable(rows, event)
        case e.DocumentEvent() as event:
            _on_document(rows, event)
        case paid.PaymentEvent() as event:
            _on_payment(rows, event)
        case paid.RefundEvent() as event:
            _on_refund(rows, event)
        case Event():
            pass


def _on_receivable(rows: Rows, event: e.ReceivableEvent) -> None:
    if isinstance(event, e.ReceivableRaised):
        raised = ReceivableRow(
            receivable_id=event.receivable_id, invoice_id=event.invoice_id, owed=event.amount
        )
        rows.put(RECEIVABLES, raised)
        return
    before = rows.get(RECEIVABLES, event.receivable_id)
    if before is None:
        raise KeyError(f"{event.receivable_id} was never raised")
    after = _moved(before, event)
    rows.put(RECEIVABLES, after)
    _refresh(rows, after.invoice_id)


def _moved(row: ReceivableRow, event: e.ReceivableEvent) -> ReceivableRow:
    match event:
        case e.CollectionReserved():
            return replace(row, collecting=event.payment_id)
        case e.CollectionReleased():
            return replace(row, collecting=None)
        case e.ReceiptApplied() | e.ReceiptRestored():
            return replace(row, applied=row.applied + event.amount)
        case e.ReceiptReversed() | e.ReceiptRefunded():
            return replace(row, applied=row.applied - event.amount)
        case e.ReceivableReduced():
            reduced = row.reduced + event.amount
            return replace(row, owed=row.owed - event.amount, reduced=reduced)
        case _:
            return row


def _on_document(rows: Rows, event: e.DocumentEvent) -> None:
    match event:
        case e.InvoiceIssued():
            rows.put(DOCUMENTS, _invoice(event))
            _refresh(rows, event.document_id)
        case e.CorrectionIssued():
            refund = rows.get(REFUNDS, event.refund_id) or RefundRow(
                refund_id=event.refund_id, standing=Standing.GOING_BACK
            )
            rows.put(REFUNDS, replace(refund, correction_id=event.document_id))
            rows.put(DOCUMENTS, _correction(event))
            _refresh_correction(rows, event.refund_id)
        case e.DocumentRendered():
            rows.change(
                DOCUMENTS,
                event.document_id,
                pdf_sha256=event.sha256,
                pdf_size=event.size,
            )
        case e.DocumentDelivered():
            rows.change(
                DOCUMENTS,
                event.document_id,
                delivered_on=event.delivered_on,
                channel=event.channel,
            )
        case _:
            pass


def _on_payment(rows: Rows, event: paid.PaymentEvent) -> None:
    match event:
        case paid.PaymentScheduled():
            scheduled = PaymentRow(payment_id=event.payment_id, invoice_id=event.invoice_id)
            rows.put(PAYMENTS, scheduled)
            rows.change(DOCUMENTS, event.invoice_id, payment_id=event.payment_id, code=None)
            _refresh(rows, event.invoice_id)
        case paid.PaymentFailed():
            _trouble(rows, event, Standing.FAILED)
        case paid.PaymentReturned():
            _trouble(rows, event, Standing.RETURNED)
        case _:
            pass


def _trouble(
    rows: Rows, event: paid.PaymentFailed | paid.PaymentReturned, standing: Standing
) -> None:
    rows.change(PAYMENTS, event.payment_id, trouble=standing, code=event.code)
    payment = rows.get(PAYMENTS, event.payment_id)
    if payment is not None:
        _refresh(rows, payment.invoice_id)


_REFUND_STANDING: dict[str, Standing] = {
    paid.RefundRequested.wire(): Standing.GOING_BACK,
    paid.RefundConfirmed.wire(): Standing.PAID_BACK,
    paid.RefundFailed.wire(): Standing.REFUND_FAILED,
}


def _on_refund(rows: Rows, event: paid.RefundEvent) -> None:
    standing = _REFUND_STANDING.get(event.wire())
    if standing is None:
        return
    before = rows.get(REFUNDS, event.refund_id) or RefundRow(
        refund_id=event.refund_id, standing=standing
    )
    code = event.code if isinstance(event, paid.RefundFailed) else None
    rows.put(REFUNDS, replace(before, standing=standing, code=code))
    _refresh_correction(rows, event.refund_id)


def _refresh(rows: Rows, invoice_id: str) -> None:
    """The invoice as its receivable and its last payment say. Whichever of receivable and invoice
    comes first in the feed: the second one finds the other here."""
    document = rows.get(DOCUMENTS, invoice_id)
    if document is None:
        return
    receivable = rows.get(RECEIVABLES, document.receivable_id)
    if receivable is None:
        return
    payment = rows.get(PAYMENTS, document.payment_id) if document.payment_id else None
    standing = _standing(receivable, payment)
    troubled = payment is not None and standing is payment.trouble
    rows.put(
        DOCUMENTS,
        replace(
            document,
            owed=receivable.owed,
            paid=receivable.applied,
            reduced=receivable.reduced,
            collecting=receivable.collecting,
            standing=standing,
            code=payment.code if troubled and payment else None,
        ),
    )


def _standing(receivable: ReceivableRow, payment: PaymentRow | None) -> Standing:
    """The strongest fact first (STORY, "Facts are flags")."""
    if payment is not None and payment.trouble is not None:
        return payment.trouble
    if receivable.owed <= 0 and receivable.applied <= 0:
        return Standing.NOTHING_OWED
    if receivable.applied >= receivable.owed:
        return Standing.PAID
    return Standing.COLLECTING if receivable.collecting else Standing.OPEN


def _refresh_correction(rows: Rows, refund_id: str) -> None:
    refund = rows.get(REFUNDS, refund_id)
    if refund is None or refund.correction_id is None:
        return
    document = rows.get(DOCUMENTS, refund.correction_id)
    if document is None:
        return
    went_back = refund.standing is Standing.PAID_BACK
    rows.change(
        DOCUMENTS,
        refund.correction_id,
        standing=refund.standing,
        code=refund.code,
        paid=document.gross if went_back else 0,
    )


def _taken_over(event: type[Event]) -> tuple[str, ...]:
    """The fields that a row takes over from the event as they are."""
    return tuple(name for name in DocumentRow.__struct_fields__ if hasattr(event, name))


_OF_INVOICE = _taken_over(e.InvoiceIssued)
_OF_CORRECTION = _taken_over(e.CorrectionIssued)


def _found_by(event: e.InvoiceIssued | e.CorrectionIssued) -> dict[str, Any]:
    texts = (event.number, event.recipient, event.contract_number)
    return {"words": words_of(*texts), "sorted_name": fold(event.recipient or "")}


def _invoice(event: e.InvoiceIssued) -> DocumentRow:
    same = {name: getattr(event, name) for name in _OF_INVOICE}
    return DocumentRow(
        kind=Kind.INVOICE,
        gross=event.amount,
        owed=event.amount,
        net=sum(line.net for line in event.lines),
        tax=sum(line.tax for line in event.lines),
        standing=Standing.OPEN,
        **_found_by(event),
        **same,
    )


def _correction(event: e.CorrectionIssued) -> DocumentRow:
    lines = tuple(replace(line, net=-line.net, tax=-line.tax) for line in event.lines)
    same = {name: getattr(event, name) for name in _OF_CORRECTION}
    return DocumentRow(
        kind=Kind.CORRECTION,
        gross=-event.amount,
        net=sum(line.net for line in lines),
        tax=sum(line.tax for line in lines),
        standing=Standing.GOING_BACK,
        corrects_id=event.invoice_id,
        corrects_number=event.invoice_number,
        corrects_issued_on=event.invoice_issued_on,
        **_found_by(event),
        **{**same, "lines": lines},
    )


MODEL = ReadModel(
    name="invoices",
    version=2,
    tables=(DOCUMENTS, RECEIVABLES, PAYMENTS, REFUNDS),
    project=project,
)
