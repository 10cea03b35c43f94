"""People who pay, as events: one customer with twenty months of premiums, some of them failed,
returned or partly refunded. The same number tells the same story. It touches no database."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from domain.customers.events import CustomerRegistered
from domain.invoices import events as inv
from domain.kernel.ids import HOUSE, derive, name_uuid, write_id
from domain.kernel.lines import Line
from domain.kernel.message import Event, Recorded
from domain.payments import events as pay
from domain.payments import settlement_events as bank
from domain.work.commands import case_id
from domain.work.events import CaseClosed, CaseOpened, CaseType

PAYMENTS_PER_CUSTOMER = 20
FIRST_DUE = date(2025, 3, 1)
FIRST_POSITION = 10_000_000
"""Far behind whatever a database holds already."""
POSITIONS_PER_CUSTOMER = 1_000
FAILED, RETURNED, WAITS, REFUNDED = 0.02, 0.05, 0.06, 0.11
"""Up to which throw of the dice a payment fails, is returned, waits for a refund, is refunded."""
STILL_OPEN = 0.2
"""Of the cases."""
FIRST_NAMES = ("Nadia", "Otto", "Ida", "Jörg", "Ayşe", "Bernd", "Clara", "Émile", "Greta", "Hans")
LAST_NAMES = (
    *("Brandt", "Kraus", "Petersen", "Müller", "Yılmaz", "Öztürk", "Ärmel", "Schmidt", "Voß"),
    *("Hansen", "Jensen", "Klein", "Lange", "Meyer", "Nowak", "Ott", "Peters", "Quandt", "Richter"),
)


def told(number: int) -> list[Recorded]:
    """Everything that happened to one customer."""
    return _Customer(number).tell()


def payouts(count: int) -> list[Recorded]:
    """A payout for each day of debit of so many payments; who lies in it is not repeated."""
    each = count // PAYMENTS_PER_CUSTOMER
    found = []
    for month in range(PAYMENTS_PER_CUSTOMER - 1):
        due = _month_after(FIRST_DUE, month)
        payout = derive("po", HOUSE, "stripe", due)
        listed = bank.PayoutListed(
            at=_at(due + timedelta(days=7)),
            payout_id=payout,
            provider="stripe",
            provider_payout=f"po_{due:%Y%m%d}",
            reference=f"STRIPE {due:%Y%m%d}",
            net=each * 100_00,
            items=(),
        )
        found.append(_recorded(FIRST_POSITION - PAYMENTS_PER_CUSTOMER + month, payout, listed))
    return found


def _recorded(position: int, stream: str, event: Event, actor: str = "worker") -> Recorded:
    return Recorded(
        feed_position=position,
        event_id=str(UUID(int=position)),
        stream=stream,
        version=2,
        event=event,
        command_id=str(UUID(int=position // 3)),
        cause_id=str(UUID(int=position - 1)),
        actor=actor,
        recorded_at=event.at,
    )


class _Customer:
    """Their events, one after the other, each with its place."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.dice = random.Random(number)
        self.id = write_id("cus", name_uuid("many", number))
        self.contract_id = derive("ct", self.id, number, "contract")
        self.mandate_id = derive("man", self.id, number, "mandate")
        self.contract_number = f"MANY-{number:06d}"
        self.name = f"{self.dice.choice(FIRST_NAMES)} {self.dice.choice(LAST_NAMES)}"
        self.amount = self.dice.randrange(19_00, 480_00, 10)
        self.position = FIRST_POSITION + number * POSITIONS_PER_CUSTOMER
        self.recorded: list[Recorded] = []

    def say(self, stream: str, event: Event, actor: str = "worker") -> None:
        self.position += 1
        self.recorded.append(_recorded(self.position, stream, event, actor))

    def tell(self) -> list[Recorded]:
        registered = CustomerRegistered(
            at=_at(FIRST_DUE),
            customer_id=self.id,
            number=f"K-{self.number:06d}",
            kind="private",
            name=self.name,
            street="Am Sandtorkai 1",
            postcode="20457",
            city="Hamburg",
            email="somebody@example.org",
        )
        self.say(self.id, registered)
        for month in range(PAYMENTS_PER_CUSTOMER):
            _Bill(self, month).tell()
        return self.recorded


class _Bill:
    """One month: the invoice, its payment, sometimes a return, a refund, a case."""

    def __init__(self, customer: _Customer, month: int) -> None:
        self.of = customer
        self.month = month
        self.due = _month_after(FIRST_DUE, month)
        self.serial = customer.number * PAYMENTS_PER_CUSTOMER + month
        self.payment_id = derive("pay", customer.id, customer.number, month)
        self.invoice_id = derive("inv", customer.id, customer.number, month)
        self.receivable_id = derive("rcv", customer.id, customer.number, month)
        self.payout_id = derive("po", HOUSE, "stripe", self.due)
        self.fate = customer.dice.random()

    def tell(self) -> None:
        self._bill()
        issued, at = _at(self.due - timedelta(days=21)), _at(self.due)
        self._pay(pay.PaymentAnnounced, issued, delivered_on=issued.date(), debit_on=self.due)
        if self.month >= PAYMENTS_PER_CUSTOMER - 1:
            return
        if self.fate < FAILED:
            self._pay(pay.PaymentFailed, at, code="AC04", raw_code="account_closed")
            self._case(CaseType.PAYMENT_FAILED, at)
            return
        key = {"debit_on": self.due, "key": "k", "content_hash": "h"}
        self._pay(pay.PaymentSubmitted, at, **key)
        self._pay(pay.PaymentAccepted, at, reference=f"pi_{self.serial:024d}")
        confirmed, out = at + timedelta(days=5), at + timedelta(days=7)
        until = self.due + timedelta(weeks=8)
        self._pay(pay.PaymentConfirmed, confirmed, reversible_until=until)
        applied = {"payment_id": self.payment_id, "amount": self.of.amount}
        self._owed(inv.ReceiptApplied, confirmed, **applied)
        if self.fate < RETURNED:
            self._returned(at + timedelta(days=12), applied)
            return
        self._pay(pay.PaymentPaidOut, out, payout_id=self.payout_id, fee=35)
        self._pay(pay.PaymentSettled, out + timedelta(days=1), payout_id=self.payout_id)
        if self.fate < REFUNDED:
            self._refund(at + timedelta(days=20))

    def _bill(self) -> None:
        at, one = _at(self.due - timedelta(days=21)), self.of
        facts = {"customer_id": one.id, "contract_id": one.contract_id, "due_on": self.due}
        facts |= {"debit_on": self.due, "amount": one.amount}
        ids = {"invoice_id": self.invoice_id, "mandate_id": one.mandate_id}
        lines = (Line(cover="Household", net=one.amount, tax_rate_bp=1900, tax=0),)
        days = {"prenotification_days": 14}
        raised = {"payment_id": self.payment_id, "lines": lines}
        self._owed(inv.ReceivableRaised, at, **facts, **ids, **raised, **days)
        issued = inv.InvoiceIssued(
            at=at,
            document_id=self.invoice_id,
            number=f"B2C-{self.due.year}-{self.serial:06d}",
            issued_on=at.date(),
            customer_number=f"K-{one.number:06d}",
            contract_number=one.contract_number,
            product="Household",
            receivable_id=self.receivable_id,
            payment_id=self.payment_id,
            recipient=one.name,
            address=("Am Sandtorkai 1", "20457 Hamburg"),
            iban="DE89370400440532013000",
            period_from=self.due,
            period_to=self.due + timedelta(days=29),
            mandate_reference=f"M-{one.contract_number}",
            creditor_id="DE98ZZZ09999999999",
            lines=lines,
            content_hash="h",
            **facts,
        )
        one.say(self.invoice_id, issued)
        way = {"receivable_id": self.receivable_id, "provider": "stripe"}
        self._pay(pay.PaymentScheduled, at, **facts, **ids, **way, **days)
        self._owed(inv.CollectionReserved, at, payment_id=self.payment_id)
        rendered = {"document_id": self.invoice_id, "sha256": "0" * 64, "size": 40_000}
        one.say(self.invoice_id, inv.DocumentRendered(at=at, **rendered))

    def _pay(self, kind: type[pay.PaymentEvent], at: datetime, **facts: object) -> None:
        self.of.say(self.payment_id, kind(at=at, payment_id=self.payment_id, **facts), "stripe")

    def _owed(self, kind: type[inv.ReceivableEvent], at: datetime, **facts: object) -> None:
        event = kind(at=at, receivable_id=self.receivable_id, **facts)
        self.of.say(self.receivable_id, event, "flow:collecting")

    def _returned(self, at: datetime, applied: dict[str, object]) -> None:
        codes = {"code": "MD06", "raw_code": "customer_initiated", "fee": 750}
        self._pay(pay.PaymentReturned, at, amount=self.of.amount, **codes)
        self._owed(inv.ReceiptReversed, at, **applied)
        self._case(CaseType.PAYMENT_RETURNED, at)

    def _refund(self, at: datetime) -> None:
        refund_id = derive("rf", self.of.id, self.of.number, self.month)
        ids = {"refund_id": refund_id, "payment_id": self.payment_id}
        reason = self.of.dice.choice(list(pay.Reason))
        wish = {"amount": self.of.amount // 2, "reason": reason}
        self._pay(pay.RefundReserved, at, refund_id=refund_id, **wish)
        requested = pay.RefundRequested(
            at=at,
            customer_id=self.of.id,
            receivable_id=self.receivable_id,
            invoice_id=self.invoice_id,
            note="",
            requested_by=f"staff:stf_{self.of.dice.choice(('mia', 'jon', 'eva'))}",
            needs_approval=True,
            limit_version=1,
            content_hash="h",
            **ids,
            **wish,
        )
        self.of.say(refund_id, requested)
        if self.fate < WAITS:
            return
        approval = {"approved_by": "staff:stf_eva", "role": "lead", "rule_version": None}
        for step in (
            pay.RefundApproved(at=at, content_hash="h", **ids, **wish, **approval),
            pay.RefundSubmitted(at=at, key="k", content_hash="h", **ids),
            pay.RefundAccepted(at=at, reference=f"re_{self.serial:024d}", **ids),
            pay.RefundConfirmed(at=at, **ids),
        ):
            self.of.say(refund_id, step)
        self._pay(pay.RefundBooked, at, refund_id=refund_id)

    def _case(self, kind: CaseType, at: datetime) -> None:
        case = case_id(kind, self.payment_id)
        opened = CaseOpened(
            at=at,
            case_id=case,
            case_type=kind,
            subject=self.payment_id,
            customer_id=self.of.id,
            amount=self.of.amount,
            until=self.due + timedelta(days=10),
            details={"code": "AC04", "many": "yes"},
        )
        self.of.say(case, opened)
        if self.of.dice.random() > STILL_OPEN:
            self.of.say(case, CaseClosed(at=at, case_id=case, how="fact", remark=None))


def _month_after(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    return day.replace(year=day.year + year, month=month + 1)


def _at(day: date) -> datetime:
    return datetime.combine(day, time(8), UTC)
