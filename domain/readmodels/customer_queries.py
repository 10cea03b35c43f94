"""What the customer screens ask: the list, one customer with contracts, money on the move and open
work in one query, and what stands beside a payment. It writes nothing."""

from datetime import date
from enum import StrEnum

import msgspec

from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.payments.payment import Status
from domain.payments.refund import Status as RefundStatus
from domain.readmodels.contract_queries import Coming, Money, coming_of
from domain.readmodels.contracts import ContractRow, MandateRow
from domain.readmodels.customers import CustomerRow
from domain.readmodels.lists import Kind, Sort, Source, Term
from domain.readmodels.payments import PaymentRow
from domain.readmodels.refunds import RefundRow
from domain.readmodels.work import CaseRow
from domain.stream.database import Connection

CONTRACTS_MAX = 20
"""Those of a family and a small company; the list shows all."""
MOVEMENTS = 5
CASES_MAX = 20
ON_ITS_WAY = (
    Status.SCHEDULED,
    Status.ANNOUNCED,
    Status.SUBMITTED,
    Status.OUTCOME_UNKNOWN,
    Status.ACCEPTED,
)
GOING_BACK = (
    RefundStatus.REQUESTED,
    RefundStatus.APPROVED,
    RefundStatus.SUBMITTED,
    RefundStatus.OUTCOME_UNKNOWN,
    RefundStatus.ACCEPTED,
)


class CustomerDetail(Value):
    """`payments` and `refunds` are those on their way, the next ones first; `cases` are the most
    urgent of `open_cases`."""

    customer: CustomerRow
    money: Money
    contracts: tuple[ContractRow, ...]
    mandates: tuple[MandateRow, ...]
    payments: tuple[PaymentRow, ...]
    refunds: tuple[RefundRow, ...]
    cases: tuple[CaseRow, ...]
    open_cases: int


class Direction(StrEnum):
    """Which way money moves next."""

    IN = "in"
    OUT = "out"


class Movement(Value):
    """Money that will move, and what it is: a payment, a refund, or an instalment to be billed."""

    on: date
    amount: Cents
    direction: Direction
    payment: PaymentRow | None = None
    refund: RefundRow | None = None
    coming: Coming | None = None


SOURCE: Source[CustomerRow] = Source(
    table="read.customer",
    row=CustomerRow,
    key=Term(sql="customer_id", kind=Kind.TEXT),
    sorts={
        "name": Sort(terms=(Term(sql="sorted_as", kind=Kind.TEXT),)),
        "number": Sort(terms=(Term(sql="number", kind=Kind.TEXT),)),
        "city": Sort(terms=(Term(sql="lower(city)", kind=Kind.TEXT),)),
        "since": Sort(terms=(Term(sql="since", kind=Kind.INSTANT),), down=True),
        "contracts": Sort(terms=(Term(sql="contracts", kind=Kind.NUMBER),), down=True),
        "open": Sort(terms=(Term(sql="(due + open_again)", kind=Kind.NUMBER),), down=True),
    },
    conditions={
        "words": "array_to_tsvector(words) @@ %(words)s::tsquery",
        "customer_id": "customer_id = %(customer_id)s",
        "kind": "kind = %(kind)s",
        "open": "due + open_again > 0",
        "credit": "credit > 0",
        "owes_back": "owes_back > 0",
        "no_contract": "contracts = 0",
    },
)
_DETAIL = """
WITH paid AS (SELECT * FROM read.payment WHERE customer_id = %(id)s),
     task AS (SELECT w.* FROM read.work_case w
               WHERE w.closed_at IS NULL
                 AND w.case_id IN (SELECT case_id FROM paid JOIN read.work_case USING (payment_id)
                                    UNION
                                   SELECT case_id FROM read.work_case WHERE customer_id = %(id)s))
SELECT jsonb_build_object(
  'customer', to_jsonb(c),
  'money', (SELECT jsonb_build_object(
              'collected', coalesce(sum(amount) FILTER (WHERE confirmed_at IS NOT NULL), 0),
              'returned', coalesce(sum(returned), 0), 'refunded', coalesce(sum(refunded), 0),
              'going_back', coalesce(sum(reserved), 0), 'payments', count(*),
              'returns', count(*) FILTER (WHERE returned_at IS NOT NULL)) FROM paid),
  'contracts', coalesce((SELECT jsonb_agg(to_jsonb(k) ORDER BY k.number)
                           FROM (SELECT * FROM read.contract WHERE customer_id = %(id)s
                                  ORDER BY number LIMIT %(contracts)s) k), '[]'),
  'mandates', coalesce((SELECT jsonb_agg(to_jsonb(m) ORDER BY m.signed_on DESC, m.mandate_id)
                          FROM read.contract_mandate m WHERE m.customer_id = %(id)s), '[]'),
  'payments', coalesce((SELECT jsonb_agg(to_jsonb(p) ORDER BY p.debit_on, p.payment_id)
                          FROM (SELECT * FROM paid WHERE status = ANY(%(on_its_way)s)
                                 ORDER BY debit_on, payment_id LIMIT %(movements)s) p), '[]'),
  'refunds', coalesce((SELECT jsonb_agg(to_jsonb(r) ORDER BY r.position)
                         FROM (SELECT r.* FROM read.refund r JOIN paid USING (payment_id)
                                WHERE r.status = ANY(%(going_back)s)
                                ORDER BY r.position LIMIT %(movements)s) r), '[]'),
  'open_cases', (SELECT count(*) FROM task),
  'cases', coalesce((SELECT jsonb_agg(to_jsonb(t) ORDER BY t.until NULLS LAST, t.case_id)
                       FROM (SELECT * FROM task ORDER BY until NULLS LAST, case_id
                              LIMIT %(cases)s) t), '[]'))::text
  FROM read.customer c WHERE c.customer_id = %(id)s
"""
_BESIDE = """
SELECT (SELECT jsonb_build_object('payments', count(*),
                 'returns', count(*) FILTER (WHERE returned_at IS NOT NULL),
                 'failures', count(*) FILTER (WHERE failed_at IS NOT NULL))
          FROM read.payment p WHERE p.customer_id = c.customer_id)::text
  FROM read.customer c WHERE c.customer_id = %s
"""


class Beside(Value):
    """The customer behind a payment, in three numbers."""

    payments: int
    returns: int
    failures: int


_DETAILS = msgspec.json.Decoder(CustomerDetail)


def detail(connection: Connection, customer_id: str) -> CustomerDetail | None:
    """None for somebody whom we do not know."""
    values = {
        "id": customer_id,
        "contracts": CONTRACTS_MAX,
        "movements": MOVEMENTS,
        "cases": CASES_MAX,
        "on_its_way": list(ON_ITS_WAY),
        "going_back": list(GOING_BACK),
    }
    row = connection.execute(_DETAIL, values, prepare=True).fetchone()
    return None if row is None else _DETAILS.decode(row[0])


def beside(connection: Connection, customer_id: str) -> Beside | None:
    row = connection.execute(_BESIDE, (customer_id,), prepare=True).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Beside)


def movements(found: CustomerDetail, today: date) -> list[Movement]:
    """The next money movements, whatever they are; what should have moved already stands first.
    A refund goes as soon as it is approved, so its day is today."""
    payments = [
        Movement(on=one.debit_on, amount=one.amount, direction=Direction.IN, payment=one)
        for one in found.payments
    ]
    refunds = [
        Movement(on=today, amount=one.amount, direction=Direction.OUT, refund=one)
        for one in found.refunds
    ]
    instalments = [
        Movement(on=one.debit_on, amount=one.instalment.amount, direction=Direction.IN, coming=one)
        for one in coming_of(found.contracts, MOVEMENTS)
    ]
    together = [*payments, *refunds, *instalments]
    return sorted(together, key=lambda one: one.on)[:MOVEMENTS]
