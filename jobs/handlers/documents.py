"""Rendering an issued document: the PDF is stored first, then recorded and delivered."""

from datetime import date
from typing import TypedDict

from domain.invoices import events as e
from domain.invoices.commands import RecordRendered
from domain.invoices.document import Document
from domain.kernel.ids import name_uuid
from domain.kernel.lines import Line as Billed
from domain.kernel.money import Cents
from domain.stream import failpoints, files
from domain.stream.effects import Claimed
from jobs.context import Context
from jobs.documents.content import CorrectionContent, InvoiceContent, Line
from jobs.documents.limits import render_limited

REASON = "Beitragsminderung"
"""What the customer reads as the reason of a premium reduction."""
ERASED = "(gelöscht)"
"""Stands where a person's key was erased before the document was rendered."""


class Common(TypedDict):
    """What both kinds of document show."""

    number: str
    issued_on: date
    recipient_name: str
    recipient_address: tuple[str, ...]
    customer_number: str
    contract_number: str
    product_name: str
    period_from: date
    period_to: date
    lines: tuple[Line, ...]
    total_net: Cents
    total_tax: Cents
    total_gross: Cents
    iban_last4: str


def render(context: Context, claimed: Claimed) -> None:
    document_id = claimed.effect.payload["document_id"]
    state = context.dispatcher.state(document_id)
    if not isinstance(state, Document) or state.issued is None:
        raise LookupError(f"{document_id} was not issued")
    issued, house = state.issued, context.settings.house
    kind, content = content_of(issued, house.insurance_tax_number)
    pdf = render_limited(kind, content, house)
    with context.dispatcher.read() as connection:
        stored = files.store_file(connection, document_id, pdf, (issued.customer_id, "booking"))
    failpoints.reach("pdf-stored-not-recorded")
    command = RecordRendered(
        by="worker",
        document_id=document_id,
        sha256=stored.sha256.hex(),
        size=stored.size,
    )
    context.dispatcher.dispatch(
        command,
        name_uuid(claimed.effect_id, "rendered"),
        cause=claimed.effect.payload.get("cause"),
        lease=claimed.then("done"),
    )


def content_of(
    issued: e.InvoiceIssued | e.CorrectionIssued, tax_number: str
) -> tuple[str, InvoiceContent | CorrectionContent]:
    """The frozen content as the renderer takes it; a correction's amounts turn negative."""
    lines = issued.lines
    sign = 1 if isinstance(issued, e.InvoiceIssued) else -1
    common = Common(
        number=issued.number,
        issued_on=issued.issued_on,
        recipient_name=issued.recipient or ERASED,
        recipient_address=issued.address or (),
        customer_number=issued.customer_number,
        contract_number=issued.contract_number,
        product_name=issued.product,
        period_from=issued.period_from,
        period_to=issued.period_to,
        lines=tuple(_line(line, sign) for line in lines),
        total_net=sign * sum(line.net for line in lines),
        total_tax=sign * sum(line.tax for line in lines),
        total_gross=sign * sum(line.gross for line in lines),
        iban_last4=(issued.iban or "****")[-4:],
    )
    if isinstance(issued, e.InvoiceIssued):
        return "invoice", InvoiceContent(
            **common,
            due_on=issued.due_on,
            debit_on=issued.debit_on,
            mandate_reference=issued.mandate_reference,
            creditor_id=issued.creditor_id,
            insurance_tax_number=tax_number,
        )
    return "correction", CorrectionContent(
        **common,
        invoice_number=issued.invoice_number,
        invoice_issued_on=issued.invoice_issued_on,
        reason=REASON,
        insurance_tax_number=tax_number,
    )


def _line(line: Billed, sign: int) -> Line:
    return Line(
        cover=line.cover,
        net=sign * line.net,
        tax_rate_bp=line.tax_rate_bp,
        tax=sign * line.tax,
        gross=sign * line.gross,
    )
