"""What can be asked of receivables and documents."""

from datetime import date

from domain.invoices.numbering import series
from domain.kernel.lines import Line
from domain.kernel.message import Command
from domain.kernel.money import Cents
from domain.kernel.time import berlin_date


class IssueInvoice(Command):
    """Raises the receivable and issues its invoice in one statement."""

    receivable_id: str
    invoice_id: str
    payment_id: str
    customer_id: str
    contract_id: str
    contract_number: str
    product: str
    mandate_id: str
    lines: tuple[Line, ...]
    period_from: date
    period_to: date
    due_on: date
    debit_on: date
    prenotification_days: int

    def streams(self) -> tuple[str, ...]:
        return (self.receivable_id, self.invoice_id)

    def reads(self) -> tuple[str, ...]:
        return (self.customer_id, self.mandate_id)

    def series(self) -> tuple[str, ...]:
        return (series("B2C", berlin_date(self.at)),)


class IssueCorrection(Command):
    """For a premium reduction that was approved; `amount` is its gross."""

    correction_id: str
    receivable_id: str
    invoice_id: str
    customer_id: str
    refund_id: str
    amount: Cents

    def streams(self) -> tuple[str, ...]:
        return (self.correction_id, self.receivable_id)

    def reads(self) -> tuple[str, ...]:
        return (self.invoice_id, self.customer_id)

    def series(self) -> tuple[str, ...]:
        return (series("KOR", berlin_date(self.at)),)


class RecordRendered(Command):
    """The worker stored the PDF of an invoice or a correction."""

    document_id: str
    sha256: str
    size: int

    def streams(self) -> tuple[str, ...]:
        return (self.document_id,)


class ReceivableCommand(Command):
    receivable_id: str

    def streams(self) -> tuple[str, ...]:
        return (self.receivable_id,)


class ApplyReceipt(ReceivableCommand):
    payment_id: str
    amount: Cents


class ReverseReceipt(ReceivableCommand):
    payment_id: str
    amount: Cents


class ReleaseCollection(ReceivableCommand):
    payment_id: str


class RefundReceipt(ReceivableCommand):
    payment_id: str
    refund_id: str
    amount: Cents


class RestoreReceipt(ReceivableCommand):
    payment_id: str
    refund_id: str
    amount: Cents
