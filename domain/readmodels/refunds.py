"""Refunds as people see them: one row per refund from the request to the bank account. The queries
of its screens are in `payment_queries`."""

from datetime import datetime

from domain.customers.events import CustomerRegistered
from domain.invoices.events import CorrectionIssued
from domain.kernel.message import Recorded
from domain.kernel.money import Cents
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments import events as e
from domain.payments.events import Reason
from domain.payments.refund import TRANSITIONS, Status
from domain.payments.rules import APPROVAL_EXPIRES_AFTER
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import fold, words_of


class RefundRow(Value):
    """`decided_by` is who approved or rejected, or `rule`. `position` is the feed position of the
    request, `version` that of the last event. `words` and `sorted_name` are of the customer."""

    refund_id: str
    payment_id: str
    customer_id: str
    customer: str
    words: tuple[str, ...]
    sorted_name: str
    status: Status
    amount: Cents
    reason: Reason
    note: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    needs_approval: bool
    limit_version: int
    position: int
    version: int
    decided_by: str = ""
    remark: str = ""
    role: str = ""
    approved_at: datetime | None = None
    ended_at: datetime | None = None
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    reference: str = ""
    unknown_at: datetime | None = None
    unknown_why: str = ""
    confirmed_at: datetime | None = None
    paid_out_at: datetime | None = None
    payout_id: str = ""
    settled_at: datetime | None = None
    code: str = ""
    raw_code: str = ""
    late: bool = False
    correction_id: str = ""
    correction_number: str = ""


class CustomerRow(Value):
    """A name, there before the refund is."""

    customer_id: str
    name: str


REFUND = Table(
    name="refund",
    row=RefundRow,
    key=("refund_id",),
    columns="""
      refund_id text, payment_id text NOT NULL, customer_id text NOT NULL,
      customer text NOT NULL, words text[] NOT NULL, sorted_name text NOT NULL,
      status text NOT NULL, amount bigint NOT NULL, reason text NOT NULL, note text NOT NULL,
      requested_by text NOT NULL, requested_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL, needs_approval boolean NOT NULL,
      limit_version integer NOT NULL, position bigint NOT NULL, version bigint NOT NULL,
      decided_by text NOT NULL, remark text NOT NULL,
      role text NOT NULL, approved_at timestamptz, ended_at timestamptz,
      submitted_at timestamptz, accepted_at timestamptz, reference text NOT NULL,
      unknown_at timestamptz, unknown_why text NOT NULL, confirmed_at timestamptz,
      paid_out_at timestamptz, payout_id text NOT NULL, settled_at timestamptz,
      code text NOT NULL, raw_code text NOT NULL, late boolean NOT NULL,
      correction_id text NOT NULL, correction_number text NOT NULL
    """,
    indexes=(
        "(payment_id, position)",
        "(position)",
        "(sorted_name, position)",
        "(status, position)",
        "(reason, position)",
        "(requested_by, position)",
        "(amount, position)",
        "(requested_at)",
        "(customer_id, position)",
        "USING gin (array_to_tsvector(words))",
    ),
)
CUSTOMER = Table(
    name="refund_customer",
    row=CustomerRow,
    key=("customer_id",),
    columns="customer_id text, name text NOT NULL",
)


def project(rows: Rows, recorded: Recorded) -> None:
    match recorded.event:
        case CustomerRegistered(customer_id=customer_id, name=name):
            rows.put(CUSTOMER, CustomerRow(customer_id=customer_id, name=name or ""))
        case e.RefundRequested() as requested:
            rows.put(REFUND, _requested(rows, requested, recorded.feed_position))
        case e.RefundEvent() as event:
            row = rows.get(REFUND, event.refund_id)
            status = step(TRANSITIONS, row.status if row else Status.NOTHING, event.wire())
            learnt = {**_learn(event), "status": status, "version": recorded.feed_position}
            rows.change(REFUND, event.refund_id, **learnt)
        case CorrectionIssued() as issued:
            rows.change(
                REFUND,
                issued.refund_id,
                correction_id=issued.document_id,
                correction_number=issued.number,
                version=recorded.feed_position,
            )
        case _:
            pass


def _requested(rows: Rows, event: e.RefundRequested, position: int) -> RefundRow:
    known = rows.get(CUSTOMER, event.customer_id)
    name = known.name if known else ""
    return RefundRow(
        refund_id=event.refund_id,
        payment_id=event.payment_id,
        customer_id=event.customer_id,
        customer=name,
        words=words_of(name),
        sorted_name=fold(name),
        status=Status.REQUESTED,
        amount=event.amount,
        reason=event.reason,
        note=event.note or "",
        requested_by=event.requested_by,
        requested_at=event.at,
        expires_at=event.at + APPROVAL_EXPIRES_AFTER,
        needs_approval=event.needs_approval,
        limit_version=event.limit_version,
        position=position,
        version=position,
    )


def _learn(event: e.RefundEvent) -> dict[str, object]:
    """The columns that one event fills."""
    match event:
        case e.RefundApproved():
            return {"approved_at": event.at, "decided_by": event.approved_by, "role": event.role}
        case e.RefundRejected():
            return {
                "ended_at": event.at,
                "decided_by": event.rejected_by,
                "remark": event.remark or "",
            }
        case e.RefundWithdrawn() | e.RefundExpired():
            return {"ended_at": event.at}
        case e.RefundSubmitted():
            return {"submitted_at": event.at}
        case e.RefundAccepted():
            return {"accepted_at": event.at, "reference": event.reference}
        case e.RefundOutcomeUnknown():
            return {"unknown_at": event.at, "unknown_why": event.why}
        case e.RefundConfirmed():
            return {"confirmed_at": event.at}
        case e.RefundPaidOut():
            return {"paid_out_at": event.at, "payout_id": event.payout_id}
        case e.RefundSettled():
            return {"settled_at": event.at}
        case e.RefundFailed():
            return {
                "ended_at": event.at,
                "code": event.code,
                "raw_code": event.raw_code,
                "late": event.late,
            }
        case _:
            return {}


MODEL = ReadModel(name="refunds", version=2, tables=(REFUND, CUSTOMER), project=project)
