"""Read model of Work: every case with what a person needs to know to act, the requests that wait
for a second person, and how many events a day brought. The queries are in `work_queries`."""

from datetime import date, datetime

from domain.customers.events import CustomerRegistered
from domain.invoices.events import InvoiceIssued
from domain.kernel.message import Event, Recorded
from domain.kernel.money import Cents
from domain.kernel.time import berlin_date
from domain.kernel.value import Value
from domain.payments.events import RefundRequested
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import fold, words_of
from domain.work.events import CaseClosed, CaseNoted, CaseOpened, CaseSnoozed, CaseTaken

PEOPLE = "staff:"


class CaseRow(Value):
    """`payment_id` and `refund_id` say what it is about where the subject is one of them. `words`
    and `sorted_name` are of the customer."""

    case_id: str
    case_type: str
    subject: str
    payment_id: str | None
    refund_id: str | None
    customer_id: str | None
    customer: str | None
    words: tuple[str, ...]
    sorted_name: str
    amount: Cents | None
    until: date | None
    details: dict[str, str]
    owner: str | None = None
    snoozed_until: date | None = None
    notes: int = 0
    opened_at: datetime
    closed_at: datetime | None = None
    closed_position: int | None = None
    closed_how: str | None = None
    closed_by: str | None = None


class RequestRow(Value):
    """What a second person has to see before saying yes."""

    refund_id: str
    payment_id: str
    amount: Cents
    reason: str
    note: str | None
    requested_by: str
    requested_at: datetime
    content_hash: str


class BilledRow(Value):
    """The document behind a payment."""

    payment_id: str
    invoice_id: str
    invoice_number: str
    contract_id: str
    contract_number: str
    amount: Cents
    debit_on: date


class CustomerRow(Value):
    customer_id: str
    name: str | None


class DayRow(Value):
    """How many events a Berlin day brought, and how many of them people caused."""

    day: date
    events: int
    by_people: int


CASES = Table(
    name="work_case",
    row=CaseRow,
    key=("case_id",),
    columns="""
      case_id text, case_type text NOT NULL, subject text NOT NULL, payment_id text,
      refund_id text, customer_id text, customer text, words text[] NOT NULL,
      sorted_name text NOT NULL, amount bigint, until date,
      details jsonb NOT NULL, owner text, snoozed_until date, notes integer NOT NULL,
      opened_at timestamptz NOT NULL, closed_at timestamptz, closed_position bigint,
      closed_how text, closed_by text
    """,
    indexes=(
        "((coalesce(until, 'infinity')), (-coalesce(amount, 0)), case_id) WHERE closed_at IS NULL",
        "((coalesce(closed_position, 0)), case_id) WHERE closed_at IS NOT NULL",
        "(opened_at, case_id)",
        "(case_type, case_id)",
        "(subject)",
        "(payment_id)",
        "(customer_id)",
    ),
)
REQUESTS = Table(
    name="work_request",
    row=RequestRow,
    key=("refund_id",),
    columns="""
      refund_id text, payment_id text NOT NULL, amount bigint NOT NULL, reason text NOT NULL,
      note text, requested_by text NOT NULL, requested_at timestamptz NOT NULL,
      content_hash text NOT NULL
    """,
)
BILLED = Table(
    name="work_billed",
    row=BilledRow,
    key=("payment_id",),
    columns="""
      payment_id text, invoice_id text NOT NULL, invoice_number text NOT NULL,
      contract_id text NOT NULL, contract_number text NOT NULL, amount bigint NOT NULL,
      debit_on date NOT NULL
    """,
)
CUSTOMERS = Table(
    name="work_customer",
    row=CustomerRow,
    key=("customer_id",),
    columns="customer_id text, name text",
)
DAYS = Table(
    name="work_day",
    row=DayRow,
    key=("day",),
    columns="day date, events bigint NOT NULL, by_people bigint NOT NULL",
)


def project(rows: Rows, recorded: Recorded) -> None:
    event = recorded.event
    _count(rows, recorded)
    match event:
        case CustomerRegistered():
            rows.put(CUSTOMERS, CustomerRow(customer_id=event.customer_id, name=event.name))
        case InvoiceIssued():
            rows.put(BILLED, _billed(event))
        case RefundRequested():
            rows.put(REQUESTS, _request(event))
        case CaseOpened():
            rows.put(CASES, _opened(rows, event))
        case CaseTaken():
            rows.change(CASES, event.case_id, owner=event.taken_by)
        case CaseSnoozed():
            rows.change(CASES, event.case_id, snoozed_until=event.until)
        case CaseNoted():
            case = rows.get(CASES, event.case_id)
            rows.change(CASES, event.case_id, notes=1 + (case.notes if case else 0))
        case CaseClosed():
            rows.change(
                CASES,
                event.case_id,
                closed_at=event.at,
                closed_position=recorded.feed_position,
                closed_how=event.how,
                closed_by=recorded.actor,
            )
        case Event():
            pass


def _count(rows: Rows, recorded: Recorded) -> None:
    day = berlin_date(recorded.event.at)
    row = rows.get(DAYS, day) or DayRow(day=day, events=0, by_people=0)
    by_people = row.by_people + recorded.actor.startswith(PEOPLE)
    rows.put(DAYS, DayRow(day=day, events=row.events + 1, by_people=by_people))


def _opened(rows: Rows, event: CaseOpened) -> CaseRow:
    known = rows.get(CUSTOMERS, event.customer_id) if event.customer_id else None
    name = known.name if known else None
    prefix = event.subject.partition("_")[0]
    return CaseRow(
        case_id=event.case_id,
        case_type=event.case_type,
        subject=event.subject,
        payment_id=event.subject if prefix == "pay" else event.details.get("payment_id"),
        refund_id=event.subject if prefix == "rf" else None,
        customer_id=event.customer_id,
        customer=name,
        words=words_of(name),
        sorted_name=fold(name or ""),
        amount=event.amount,
        until=event.until,
        details=event.details,
        opened_at=event.at,
    )


def _request(event: RefundRequested) -> RequestRow:
    return RequestRow(
        refund_id=event.refund_id,
        payment_id=event.payment_id,
        amount=event.amount,
        reason=event.reason,
        note=event.note,
        requested_by=event.requested_by,
        requested_at=event.at,
        content_hash=event.content_hash,
    )


def _billed(event: InvoiceIssued) -> BilledRow:
    return BilledRow(
        payment_id=event.payment_id,
        invoice_id=event.document_id,
        invoice_number=event.number,
        contract_id=event.contract_id,
        contract_number=event.contract_number,
        amount=event.amount,
        debit_on=event.debit_on,
    )


MODEL = ReadModel(
    name="work", version=3, tables=(CASES, REQUESTS, BILLED, CUSTOMERS, DAYS), project=project
)
