"""Payments as people see them: one row per payment, with what its invoice says about it and the
sums of its refunds. The queries of its screens are in `payment_queries`."""

from datetime import date, datetime

from domain.invoices.events import InvoiceIssued
from domain.kernel.message import Recorded
from domain.kernel.money import Cents
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments import events as e
from domain.payments.payment import TRANSITIONS, Status
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import fold, words_of


class PaymentRow(Value):
    """`account` is the country and the last four of the IBAN. `version` is the feed position of
    the last event that changed this row. `words` is what the customer filter looks at,
    `sorted_name` what lists sort by."""

    payment_id: str
    status: Status
    amount: Cents
    customer_id: str
    customer: str
    words: tuple[str, ...]
    sorted_name: str
    contract_id: str
    contract_number: str
    product: str
    invoice_id: str
    invoice_number: str
    receivable_id: str
    mandate_id: str
    mandate_reference: str
    account: str
    period_from: date | None
    provider: str
    due_on: date
    debit_on: date
    scheduled_at: datetime
    version: int
    reference: str = ""
    announced_at: datetime | None = None
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    unknown_at: datetime | None = None
    unknown_why: str = ""
    confirmed_at: datetime | None = None
    reversible_until: date | None = None
    paid_out_at: datetime | None = None
    payout_id: str = ""
    fee: Cents = 0
    settled_at: datetime | None = None
    failed_at: datetime | None = None
    returned_at: datetime | None = None
    code: str = ""
    raw_code: str = ""
    returned: Cents = 0
    return_fee: Cents = 0
    refunded: Cents = 0
    reserved: Cents = 0

    @property
    def left(self) -> Cents:
        """What a refund may still take."""
        collected = self.amount if self.confirmed_at else 0
        return max(0, collected - self.returned - self.refunded - self.reserved)


class BillRow(Value):
    """What the invoice of a payment says; it is there before the payment is."""

    payment_id: str
    customer: str
    contract_number: str
    product: str
    invoice_number: str
    mandate_reference: str
    account: str
    period_from: date | None


class HeldRow(Value):
    """The amount of one refund on its payment: later events do not repeat it."""

    refund_id: str
    payment_id: str
    amount: Cents


PAYMENT = Table(
    name="payment",
    row=PaymentRow,
    key=("payment_id",),
    columns="""
      payment_id text, status text NOT NULL, amount bigint NOT NULL, customer_id text NOT NULL,
      customer text NOT NULL, words text[] NOT NULL, sorted_name text NOT NULL,
      contract_id text NOT NULL, contract_number text NOT NULL, product text NOT NULL,
      invoice_id text NOT NULL, invoice_number text NOT NULL, receivable_id text NOT NULL,
      mandate_id text NOT NULL, mandate_reference text NOT NULL, account text NOT NULL,
      period_from date, provider text NOT NULL, due_on date NOT NULL, debit_on date NOT NULL,
      scheduled_at timestamptz NOT NULL, version bigint NOT NULL, reference text NOT NULL,
      announced_at timestamptz, submitted_at timestamptz, accepted_at timestamptz,
      unknown_at timestamptz, unknown_why text NOT NULL, confirmed_at timestamptz,
      reversible_until date, paid_out_at timestamptz, payout_id text NOT NULL,
      fee bigint NOT NULL, settled_at timestamptz, failed_at timestamptz,
      returned_at timestamptz, code text NOT NULL, raw_code text NOT NULL,
      returned bigint NOT NULL, return_fee bigint NOT NULL, refunded bigint NOT NULL,
      reserved bigint NOT NULL
    """,
    indexes=(
        "(debit_on, payment_id)",
        "(amount, payment_id)",
        "(sorted_name, debit_on, payment_id)",
        "(status, debit_on, payment_id)",
        "(customer_id, debit_on, payment_id)",
        "(contract_number, debit_on, payment_id)",
        "(contract_id, debit_on, payment_id)",
        "((coalesce(confirmed_at, '-infinity')), payment_id)",
        "((coalesce(paid_out_at, '-infinity')), payment_id)",
        "((coalesce(settled_at, '-infinity')), payment_id)",
        "((coalesce(returned_at, failed_at, '-infinity')), payment_id)",
        "(refunded, payment_id)",
        "(payment_id) WHERE refunded + reserved > 0",
        "(invoice_number)",
        "(reference) WHERE reference <> ''",
        "(code, debit_on, payment_id) WHERE code <> ''",
        "(payout_id) WHERE payout_id <> ''",
        "USING gin (array_to_tsvector(words))",
    ),
)
BILL = Table(
    name="payment_bill",
    row=BillRow,
    key=("payment_id",),
    columns="""
      payment_id text, customer text NOT NULL, contract_number text NOT NULL,
      product text NOT NULL, invoice_number text NOT NULL, mandate_reference text NOT NULL,
      account text NOT NULL, period_from date
    """,
)
HELD = Table(
    name="payment_held",
    row=HeldRow,
    key=("refund_id",),
    columns="""
      refund_id text, payment_id text NOT NULL, amount bigint NOT NULL
    """,
)


def project(rows: Rows, recorded: Recorded) -> None:
    match recorded.event:
        case InvoiceIssued() as issued:
            rows.put(BILL, _bill(issued))
        case e.PaymentScheduled() as scheduled:
            rows.put(PAYMENT, _scheduled(rows, scheduled, recorded.feed_position))
        case (
            e.RefundReserved()
            | e.RefundSent()
            | e.RefundReleased()
            | e.RefundBooked()
            | e.RefundUnbooked()
        ) as event:
            _hold(rows, event, recorded.feed_position)
        case e.PaymentEvent() as event:
            row = rows.get(PAYMENT, event.payment_id)
            status = step(TRANSITIONS, row.status if row else Status.NOTHING, event.wire())
            learnt = {**_learn(event), "status": status, "version": recorded.feed_position}
            rows.change(PAYMENT, event.payment_id, **learnt)
        case _:
            pass


def _bill(issued: InvoiceIssued) -> BillRow:
    iban = (issued.iban or "").replace(" ", "")
    return BillRow(
        payment_id=issued.payment_id,
        customer=issued.recipient or "",
        contract_number=issued.contract_number,
        product=issued.product,
        invoice_number=issued.number,
        mandate_reference=issued.mandate_reference,
        account=f"{iban[:2]}{iban[-4:]}",
        period_from=issued.period_from,
    )


_UNBILLED = BillRow(
    payment_id="",
    customer="",
    contract_number="",
    product="",
    invoice_number="",
    mandate_reference="",
    account="",
    period_from=None,
)


def _scheduled(rows: Rows, event: e.PaymentScheduled, position: int) -> PaymentRow:
    bill = rows.get(BILL, event.payment_id) or _UNBILLED
    return PaymentRow(
        payment_id=event.payment_id,
        status=Status.SCHEDULED,
        amount=event.amount,
        customer_id=event.customer_id,
        customer=bill.customer,
        words=words_of(bill.customer),
        sorted_name=fold(bill.customer),
        contract_id=event.contract_id,
        contract_number=bill.contract_number,
        product=bill.product,
        invoice_id=event.invoice_id,
        invoice_number=bill.invoice_number,
        receivable_id=event.receivable_id,
        mandate_id=event.mandate_id,
        mandate_reference=bill.mandate_reference,
        account=bill.account,
        period_from=bill.period_from,
        provider=event.provider,
        due_on=event.due_on,
        debit_on=event.debit_on,
        scheduled_at=event.at,
        version=position,
    )


def _learn(event: e.PaymentEvent) -> dict[str, object]:
    """The columns that one event fills."""
    match event:
        case e.PaymentAnnounced():
            return {"announced_at": event.at, "debit_on": event.debit_on}
        case e.PaymentSubmitted():
            return {"submitted_at": event.at, "debit_on": event.debit_on}
        case e.PaymentAccepted():
            return {"accepted_at": event.at, "reference": event.reference}
        case e.PaymentOutcomeUnknown():
            return {"unknown_at": event.at, "unknown_why": event.why}
        case e.PaymentConfirmed():
            return {"confirmed_at": event.at, "reversible_until": event.reversible_until}
        case e.PaymentPaidOut():
            return {"paid_out_at": event.at, "payout_id": event.payout_id, "fee": event.fee}
        case e.PaymentSettled():
            return {"settled_at": event.at}
        case e.PaymentFailed():
            return {"failed_at": event.at, "code": event.code, "raw_code": event.raw_code}
        case e.PaymentReturned():
            return {
                "returned_at": event.at,
                "returned": event.amount,
                "return_fee": event.fee,
                "code": event.code,
                "raw_code": event.raw_code,
            }
        case _:
            return {}


def _hold(
    rows: Rows,
    event: e.RefundReserved | e.RefundSent | e.RefundReleased | e.RefundBooked | e.RefundUnbooked,
    position: int,
) -> None:
    """What is set aside, and what went back."""
    if isinstance(event, e.RefundReserved):
        held = HeldRow(refund_id=event.refund_id, payment_id=event.payment_id, amount=event.amount)
        rows.put(HELD, held)
    payment, kept = rows.get(PAYMENT, event.payment_id), rows.get(HELD, event.refund_id)
    if payment is None or kept is None:
        raise KeyError(f"{event.wire()} before its payment or its reservation")
    reserved, refunded = payment.reserved, payment.refunded
    match event:
        case e.RefundReserved():
            reserved += kept.amount
        case e.RefundReleased():
            reserved -= kept.amount
        case e.RefundBooked():
            reserved, refunded = reserved - kept.amount, refunded + kept.amount
        case e.RefundUnbooked():
            refunded -= kept.amount
        case e.RefundSent():
            pass
    rows.change(PAYMENT, event.payment_id, reserved=reserved, refunded=refunded, version=position)


MODEL = ReadModel(name="payments", version=2, tables=(PAYMENT, BILL, HELD), project=project)
