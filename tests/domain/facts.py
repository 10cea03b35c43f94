"""One household contract, its invoice, its payment and its refunds as facts and wishes with
sensible defaults: tests name only what they are about."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from domain.contracts.commands import BillInstalment, SignContract
from domain.contracts.events import Cover, Rounding
from domain.customers.commands import RegisterCustomer
from domain.invoices.commands import IssueCorrection, IssueInvoice
from domain.kernel.lines import Line
from domain.kernel.message import Event
from domain.kernel.time import berlin
from domain.payments import commands as c
from domain.payments.events import Reason
from domain.payments.settlement_commands import ImportStatement, ListPayout, StatementLine
from domain.payments.settlement_events import ItemKind, PayoutItem
from tests.spec import World, make_id

CUSTOMER, CONTRACT, MANDATE = make_id("cus"), make_id("ct"), make_id("man")
RECEIVABLE, INVOICE, CORRECTION = make_id("rcv"), make_id("inv"), make_id("inv", "correction")
PAYMENT, REFUND, RECOVERY = make_id("pay"), make_id("rf"), make_id("rec")
PAYOUT = make_id("po")

D = date(2026, 12, 1)
"""The debit date of the worked example."""
DEBIT_MORNING = berlin(D, 6)
REFUND_DAY = berlin(date(2026, 12, 9), 10)
"""The first day on which a refund is possible."""
WEB = {"by": "staff:mia"}
HOUSEHOLD = (Line(cover="Hausrat", net=1050, tax_rate_bp=1900, tax=200),)
BIG = (Line(cover="Hausrat", net=40000, tax_rate_bp=1900, tax=7600),)


def register(**changes: Any) -> RegisterCustomer:
    fields: dict[str, Any] = {
        "by": "staff:mia",
        "customer_id": CUSTOMER,
        "number": "K-1001",
        "kind": "private",
        "name": "Antje Brandt",
        "street": "Fischmarkt 3",
        "postcode": "22767",
        "city": "Hamburg",
        "email": "antje@example.org",
    }
    return RegisterCustomer(**fields | changes)


def register_mandate(**changes: Any) -> c.RegisterMandate:
    fields: dict[str, Any] = {
        "by": "staff:mia",
        "mandate_id": MANDATE,
        "customer_id": CUSTOMER,
        "reference": "HL-M-1001",
        "creditor_id": "DE98ZZZ09999999999",
        "provider": "stripe",
        "provider_customer": "cus_1",
        "provider_method": "pm_1",
        "iban": "DE89370400440532013000",
        "signed_on": date(2026, 10, 1),
    }
    return c.RegisterMandate(**fields | changes)


def sign(**changes: Any) -> SignContract:
    fields: dict[str, Any] = {
        "by": "staff:mia",
        "contract_id": CONTRACT,
        "customer_id": CUSTOMER,
        "mandate_id": MANDATE,
        "number": "HR-2026-0001",
        "product": "Hausrat Komfort",
        "covers": (Cover(name="Hausrat", net_year=12000, tax_rate_bp=1900),),
        "instalments_per_year": 12,
        "surcharge_bp": 500,
        "rounding": Rounding.INSTALMENT_FIRST,
        "first_due_on": D,
    }
    return SignContract(**fields | changes)


def bill(due_on: date = D) -> BillInstalment:
    return BillInstalment(by="timer", contract_id=CONTRACT, due_on=due_on)


def issue_invoice(**changes: Any) -> IssueInvoice:
    fields: dict[str, Any] = {
        "by": "flow:collecting",
        "at": berlin(date(2026, 11, 10), 6),
        "receivable_id": RECEIVABLE,
        "invoice_id": INVOICE,
        "payment_id": PAYMENT,
        "customer_id": CUSTOMER,
        "contract_id": CONTRACT,
        "contract_number": "HR-2026-0001",
        "product": "Hausrat Komfort",
        "mandate_id": MANDATE,
        "lines": HOUSEHOLD,
        "period_from": D,
        "period_to": date(2026, 12, 31),
        "due_on": D,
        "debit_on": D,
        "prenotification_days": 14,
    }
    return IssueInvoice(**fields | changes)


def issue_correction(amount: int = 500, **changes: Any) -> IssueCorrection:
    fields: dict[str, Any] = {
        "by": "flow:refunding",
        "at": REFUND_DAY,
        "correction_id": CORRECTION,
        "receivable_id": RECEIVABLE,
        "invoice_id": INVOICE,
        "customer_id": CUSTOMER,
        "refund_id": REFUND,
        "amount": amount,
    }
    return IssueCorrection(**fields | changes)


def schedule(amount: int = 12_50, **changes: Any) -> c.SchedulePayment:
    fields: dict[str, Any] = {
        "by": "flow:collecting",
        "payment_id": PAYMENT,
        "receivable_id": RECEIVABLE,
        "invoice_id": INVOICE,
        "contract_id": CONTRACT,
        "customer_id": CUSTOMER,
        "mandate_id": MANDATE,
        "provider": "stripe",
        "amount": amount,
        "due_on": D,
        "debit_on": D,
        "prenotification_days": 14,
    }
    return c.SchedulePayment(**fields | changes)


def announce(delivered_on: date = date(2026, 11, 10)) -> c.AnnouncePayment:
    return c.AnnouncePayment(
        by="flow:collecting", payment_id=PAYMENT, delivered_on=delivered_on, debit_on=D
    )


def submit(at: datetime = DEBIT_MORNING) -> c.SubmitPayment:
    return c.SubmitPayment(by="worker", at=at, payment_id=PAYMENT, mandate_id=MANDATE, key="k-1")


ACCEPT = c.RecordPaymentAccepted(by="worker", payment_id=PAYMENT, reference="pi_1")
LOSE = c.RecordPaymentUnknown(by="worker", payment_id=PAYMENT, why="connection")
CONFIRM = c.ConfirmPayment(by="stripe", payment_id=PAYMENT, reference="pi_1")
FAIL = c.FailPayment(by="stripe", payment_id=PAYMENT, code="AM04", raw_code="insufficient_funds")
PAY_OUT = c.MarkPaymentPaidOut(
    by="flow:settling", payment_id=PAYMENT, reference="pi_1", payout_id=PAYOUT, fee=35
)
SETTLE = c.SettlePayment(by="flow:settling", payment_id=PAYMENT, payout_id=PAYOUT)


def give_back(amount: int = 12_50) -> c.ReturnPayment:
    return c.ReturnPayment(
        by="stripe",
        at=REFUND_DAY,
        payment_id=PAYMENT,
        reference="pi_1",
        amount=amount,
        code="MD06",
        raw_code="customer_initiated",
        fee=750,
    )


def payment_until(last: str, amount: int = 12_50) -> list[Event]:
    """The payment's own history up to one of its states."""
    world = World()
    world.send(register_mandate())
    steps: dict[str, c.PaymentCommand] = {
        "scheduled": schedule(amount),
        "announced": announce(),
        "submitted": submit(),
        "accepted": ACCEPT,
        "confirmed": CONFIRM,
        "paid-out": PAY_OUT,
        "settled": SETTLE,
    }
    for name, command in steps.items():
        world.send(command)
        if name == last:
            return world.events
    raise KeyError(last)


def request(amount: int, **changes: Any) -> c.RequestRefund:
    fields: dict[str, Any] = {
        "by": "staff:mia",
        "at": REFUND_DAY,
        "refund_id": REFUND,
        "payment_id": PAYMENT,
        "amount": amount,
        "reason": Reason.OVERPAYMENT,
        "note": "paid twice",
    }
    return c.RequestRefund(**fields | changes)


def approve(by: str = "staff:jon", role: str = "operations", **changes: Any) -> c.ApproveRefund:
    fields: dict[str, Any] = {
        "by": by,
        "at": REFUND_DAY + timedelta(hours=1),
        "refund_id": REFUND,
        "payment_id": PAYMENT,
        "role": role,
    }
    return c.ApproveRefund(**fields | changes)


def of_refund(kind: type[c.RefundCommand], **changes: Any) -> c.RefundCommand:
    """Any command over the refund, with what its kind needs."""
    fields: dict[str, Any] = {
        "by": "worker",
        "at": REFUND_DAY + timedelta(hours=2),
        "refund_id": REFUND,
        "payment_id": PAYMENT,
        "key": "k-2",
        "reference": "re_1",
        "why": "connection",
        "code": "",
        "raw_code": "declined",
        "role": "operations",
        "remark": "",
        "payout_id": PAYOUT,
    }
    known = {name: value for name, value in fields.items() if name in kind.__struct_fields__}
    return kind(**known | changes)


REFUND_STEPS: dict[str, tuple[type[c.RefundCommand], ...]] = {
    "approved": (),
    "submitted": (c.SubmitRefund,),
    "outcome-unknown": (c.SubmitRefund, c.RecordRefundUnknown),
    "accepted": (c.SubmitRefund, c.RecordRefundAccepted),
    "confirmed": (c.SubmitRefund, c.RecordRefundAccepted, c.ConfirmRefund),
    "paid-out": (c.SubmitRefund, c.RecordRefundAccepted, c.ConfirmRefund, c.MarkRefundPaidOut),
    "settled": (
        c.SubmitRefund,
        c.RecordRefundAccepted,
        c.ConfirmRefund,
        c.MarkRefundPaidOut,
        c.SettleRefund,
    ),
}


def refund_until(last: str, amount: int = 5_00, **changes: Any) -> list[Event]:
    """A refund approved by rule on a confirmed payment, and its way up to a state."""
    world = World(payment_until("confirmed"))
    world.send(request(amount, **changes))
    for kind in REFUND_STEPS[last]:
        world.send(of_refund(kind))
    return world.events


def waiting_refund(amount: int = 150_00, **changes: Any) -> list[Event]:
    """A refund that needs a second person, on a payment of 476.00."""
    world = World(payment_until("confirmed", amount=476_00))
    world.send(request(amount, **changes))
    return world.events


def invoiced(lines: tuple[Line, ...] = HOUSEHOLD) -> list[Event]:
    """Customer, mandate, receivable and invoice."""
    world = World()
    for command in (register(), register_mandate(), issue_invoice(lines=lines)):
        world.send(command)
    return world.events


def only(events: list[Event], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def item(kind: ItemKind, amount: int, **changes: Any) -> PayoutItem:
    fields: dict[str, Any] = {
        "kind": kind,
        "payment_id": PAYMENT if kind is not ItemKind.OTHER else None,
        "refund_id": REFUND if kind is ItemKind.REFUND else None,
        "amount": amount,
        "fee": 35 if kind is ItemKind.PAYMENT else 0,
        "reference": "pi_1",
    }
    return PayoutItem(**fields | changes)


def list_payout(net: int = 12_15, **changes: Any) -> ListPayout:
    fields: dict[str, Any] = {
        "by": "stripe",
        "provider": "stripe",
        "provider_payout": "po_1",
        "reference": "TRACE1",
        "net": net,
        "items": (item(ItemKind.PAYMENT, 12_50),),
    }
    return ListPayout(**fields | changes)


def entry(amount: int = 12_15, **changes: Any) -> StatementLine:
    fields: dict[str, Any] = {
        "amount": amount,
        "booked_on": date(2026, 12, 4),
        "value_on": date(2026, 12, 4),
        "end_to_end_id": "TRACE1",
        "bank_reference": "B-1",
        "counterparty": "Stripe Payments Europe",
        "remittance": "TRACE1",
    }
    return StatementLine(**fields | changes)


OPENING = 1_000_00


def statement(*entries: StatementLine, **changes: Any) -> ImportStatement:
    fields: dict[str, Any] = {
        "by": "staff:ada",
        "account": "DE02120300000000202051",
        "bank_reference": "2026-338",
        "sequence": 338,
        "from_on": date(2026, 12, 4),
        "to_on": date(2026, 12, 4),
        "opening": OPENING,
        "closing": OPENING + sum(one.amount for one in entries),
        "file_hash": "ab" * 32,
        "entries": entries,
    }
    return ImportStatement(**fields | changes)
