"""Issuing a correction: a premium reduction lowers what is owed, line by line, and has a document
with its own number. It stands even if the money that goes with it fails (STORY 7)."""

from msgspec.structs import replace

from domain.invoices import events as e
from domain.invoices.commands import IssueCorrection
from domain.invoices.document import Addressee, Document, content_hash
from domain.invoices.receivable import Receivable
from domain.kernel.decider import Deciders, on_many
from domain.kernel.lines import Line
from domain.kernel.message import Decision, Refused, States
from domain.kernel.money import Cents, round_half_up, split_by_largest_remainder
from domain.kernel.time import berlin_date


def corrected_lines(
    billed: tuple[Line, ...], corrected: tuple[Line, ...], amount: Cents
) -> tuple[Line, ...]:
    """Gross over the lines by largest remainder of what each still has; tax per line is
    round(cumulative gross x line tax / line gross) - tax corrected so far.

    5.00 of 10.50 + 2.00 gives 4.20 + 0.80 (STORY, money rules).
    """
    remaining = [line.gross - done.gross for line, done in zip(billed, corrected, strict=True)]
    parts = split_by_largest_remainder(amount, remaining)
    lines = []
    for line, done, gross in zip(billed, corrected, parts, strict=True):
        cumulative = done.gross + gross
        tax = round_half_up(cumulative * line.tax, line.gross) - done.tax if line.gross else 0
        lines.append(replace(line, net=gross - tax, tax=tax))
    return tuple(lines)


def issue(command: IssueCorrection, states: States) -> Decision:
    """[] when issued already. Refused when it would lower more than is owed."""
    receivable = states.of(command.receivable_id, Receivable)
    invoice = states.of(command.invoice_id, Document).issued
    if command.correction_id in receivable.corrections:
        return []
    if receivable.raised is None or not isinstance(invoice, e.InvoiceIssued):
        raise Refused("There is no invoice to correct.")
    if not 0 < command.amount <= receivable.owed:
        raise Refused("A correction cannot lower more than what is owed.")
    lines = corrected_lines(receivable.raised.lines, receivable.corrected, command.amount)
    reduced = e.ReceivableReduced(
        at=command.at,
        receivable_id=command.receivable_id,
        correction_id=command.correction_id,
        lines=lines,
        amount=command.amount,
    )
    issued = _document(command, states, invoice, lines)
    return [(command.correction_id, issued), (command.receivable_id, reduced)]


def _document(
    command: IssueCorrection, states: States, invoice: e.InvoiceIssued, lines: tuple[Line, ...]
) -> e.CorrectionIssued:
    customer = states.of(command.customer_id, Addressee)
    draft = e.CorrectionIssued(
        at=command.at,
        document_id=command.correction_id,
        number=states.number(command.series()[0]),
        issued_on=berlin_date(command.at),
        customer_id=command.customer_id,
        customer_number=customer.number,
        contract_number=invoice.contract_number,
        product=invoice.product,
        period_from=invoice.period_from,
        period_to=invoice.period_to,
        receivable_id=command.receivable_id,
        invoice_id=command.invoice_id,
        invoice_number=invoice.number,
        invoice_issued_on=invoice.issued_on,
        refund_id=command.refund_id,
        recipient=customer.name,
        address=customer.address,
        iban=invoice.iban,
        lines=lines,
        amount=command.amount,
        content_hash="",
    )
    return replace(draft, content_hash=content_hash(draft))


DECIDERS: Deciders = {IssueCorrection: on_many(issue)}
