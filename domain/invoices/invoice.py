"""Issuing an invoice: the receivable, its one collection and the document in one decision."""

from msgspec.structs import replace

from domain.invoices import events as e
from domain.invoices.commands import IssueInvoice
from domain.invoices.document import Addressee, DebitTerms, Document, content_hash
from domain.kernel.decider import Deciders, on_many
from domain.kernel.lines import total_gross
from domain.kernel.message import Decision, States
from domain.kernel.time import berlin_date


def issue(command: IssueInvoice, states: States) -> Decision:
    """[] when issued already. Content is what I5 asks for; the debit is announced with it (S6)."""
    if states.of(command.invoice_id, Document).issued is not None:
        return []
    amount = total_gross(command.lines)
    raised = e.ReceivableRaised(
        at=command.at,
        receivable_id=command.receivable_id,
        customer_id=command.customer_id,
        contract_id=command.contract_id,
        mandate_id=command.mandate_id,
        invoice_id=command.invoice_id,
        payment_id=command.payment_id,
        lines=command.lines,
        amount=amount,
        due_on=command.due_on,
        debit_on=command.debit_on,
        prenotification_days=command.prenotification_days,
    )
    reserved = e.CollectionReserved(
        at=command.at, receivable_id=command.receivable_id, payment_id=command.payment_id
    )
    return [
        (command.receivable_id, raised),
        (command.receivable_id, reserved),
        (command.invoice_id, _document(command, states)),
    ]


def _document(command: IssueInvoice, states: States) -> e.InvoiceIssued:
    customer = states.of(command.customer_id, Addressee)
    mandate = states.of(command.mandate_id, DebitTerms)
    draft = e.InvoiceIssued(
        at=command.at,
        document_id=command.invoice_id,
        number=states.number(command.series()[0]),
        issued_on=berlin_date(command.at),
        customer_id=command.customer_id,
        customer_number=customer.number,
        contract_id=command.contract_id,
        contract_number=command.contract_number,
        product=command.product,
        receivable_id=command.receivable_id,
        payment_id=command.payment_id,
        recipient=customer.name,
        address=customer.address,
        iban=mandate.iban,
        period_from=command.period_from,
        period_to=command.period_to,
        due_on=command.due_on,
        debit_on=command.debit_on,
        mandate_reference=mandate.reference,
        creditor_id=mandate.creditor_id,
        lines=command.lines,
        amount=total_gross(command.lines),
        content_hash="",
    )
    return replace(draft, content_hash=content_hash(draft))


DECIDERS: Deciders = {IssueInvoice: on_many(issue)}
