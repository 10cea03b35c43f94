"""What the contract screens ask: the list, and one contract with its schedule, payments, documents
and cases in one query. It writes nothing."""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from domain.contracts.schedule import Instalment
from domain.contracts.schedule import coming as coming_instalments
from domain.flows.collecting import BILL_DAYS_BEFORE
from domain.kernel.money import Cents
from domain.kernel.time import roll_to_target_day
from domain.kernel.value import Value
from domain.readmodels.contracts import ContractRow, InstalmentRow, MandateRow
from domain.readmodels.invoices import DocumentRow
from domain.readmodels.lists import Kind, Sort, Source, Term
from domain.readmodels.payments import PaymentRow
from domain.readmodels.refunds import RefundRow
from domain.readmodels.work import CaseRow
from domain.stream.database import Connection

SHOWN = 24
"""Instalments, payments and documents on the page of one contract: two years of monthly ones. The
lists show all of them."""
CASES_MAX = 20
"""Open cases first; who needs older ones opens Work."""


class Coming(Value):
    """An instalment that is not billed yet, and when it will be, announced at the same time."""

    contract_id: str
    contract_number: str
    product: str
    instalment: Instalment
    billed_on: date
    debit_on: date


class Money(Value):
    """What payments of a contract or customer brought and gave back: sums over all of them."""

    collected: Cents = 0
    returned: Cents = 0
    refunded: Cents = 0
    going_back: Cents = 0
    payments: int = 0
    returns: int = 0


class Scheduled(Value):
    """A billed instalment with its document and its payment, where they are there already."""

    instalment: InstalmentRow
    document: DocumentRow | None
    payment: PaymentRow | None


class ContractDetail(Value):
    """The newest first everywhere; `documents` are invoices and corrections, `cases` those of
    `all_cases` that are open, and the last ones of the others."""

    contract: ContractRow
    mandate: MandateRow | None
    money: Money
    owes_back: Cents
    instalments: tuple[InstalmentRow, ...]
    payments: tuple[PaymentRow, ...]
    refunds: tuple[RefundRow, ...]
    documents: tuple[DocumentRow, ...]
    cases: tuple[CaseRow, ...]
    all_cases: int

    @property
    def scheduled(self) -> tuple[Scheduled, ...]:
        documents = {one.document_id: one for one in self.documents}
        payments = {one.payment_id: one for one in self.payments}
        return tuple(
            Scheduled(
                instalment=one,
                document=documents.get(one.invoice_id),
                payment=payments.get(one.payment_id),
            )
            for one in self.instalments
        )


SOURCE: Source[ContractRow] = Source(
    table="read.contract",
    row=ContractRow,
    key=Term(sql="contract_id", kind=Kind.TEXT),
    sorts={
        "number": Sort(terms=(Term(sql="number", kind=Kind.TEXT),)),
        "product": Sort(terms=(Term(sql="product", kind=Kind.TEXT),)),
        "customer": Sort(terms=(Term(sql="sorted_as", kind=Kind.TEXT),)),
        "premium": Sort(terms=(Term(sql="premium", kind=Kind.NUMBER),), down=True),
        "due": Sort(terms=(Term(sql="next_due_on", kind=Kind.DAY),)),
        "open": Sort(terms=(Term(sql="(due + open_again)", kind=Kind.NUMBER),), down=True),
    },
    conditions={
        "words": "array_to_tsvector(words) @@ %(words)s::tsquery",
        "contract_id": "contract_id = %(contract_id)s",
        "customer_id": "customer_id = %(customer_id)s",
        "standing": "standing = %(standing)s",
        "rhythm": "instalments_per_year = %(rhythm)s",
        "due_from": "next_due_on >= %(due_from)s",
        "due_to": "next_due_on <= %(due_to)s",
    },
)
# A subquery for each part: one question to the database, whatever the parts hold.
_DETAIL = """
WITH paid AS (SELECT * FROM read.payment WHERE contract_id = %(id)s),
     billed AS (SELECT * FROM read.contract_instalment WHERE contract_id = %(id)s
                 ORDER BY instalment DESC LIMIT %(shown)s),
     back AS (SELECT r.* FROM read.refund r JOIN paid USING (payment_id)
               ORDER BY r.position DESC LIMIT %(shown)s),
     document AS (SELECT d.* FROM billed b
                    JOIN read.invoices_document d ON d.document_id = b.invoice_id
                   UNION ALL
                  SELECT d.* FROM billed b
                    JOIN read.invoices_document d ON d.corrects_id = b.invoice_id),
     about AS (SELECT %(id)s AS subject
                UNION ALL SELECT receivable_id FROM billed
                UNION ALL SELECT document_id FROM document),
     task AS (SELECT w.* FROM read.work_case w
               WHERE w.case_id IN (SELECT case_id FROM paid JOIN read.work_case USING (payment_id)
                                    UNION
                                   SELECT case_id FROM about JOIN read.work_case USING (subject)))
SELECT jsonb_build_object(
  'contract', to_jsonb(c),
  'mandate', (SELECT to_jsonb(m) FROM read.contract_mandate m WHERE m.mandate_id = c.mandate_id),
  'money', (SELECT jsonb_build_object(
              'collected', coalesce(sum(amount) FILTER (WHERE confirmed_at IS NOT NULL), 0),
              'returned', coalesce(sum(returned), 0), 'refunded', coalesce(sum(refunded), 0),
              'going_back', coalesce(sum(reserved), 0), 'payments', count(*),
              'returns', count(*) FILTER (WHERE returned_at IS NOT NULL)) FROM paid),
  'owes_back', (SELECT coalesce(sum(r.amount), 0)
                  FROM read.customer_recovery r JOIN paid USING (payment_id)),
  'instalments', coalesce((SELECT jsonb_agg(to_jsonb(b) ORDER BY b.instalment DESC)
                             FROM billed b), '[]'),
  'payments', coalesce((SELECT jsonb_agg(to_jsonb(p) ORDER BY p.debit_on DESC, p.payment_id)
                          FROM (SELECT * FROM paid ORDER BY debit_on DESC, payment_id
                                 LIMIT %(shown)s) p), '[]'),
  'refunds', coalesce((SELECT jsonb_agg(to_jsonb(r) ORDER BY r.position DESC)
                         FROM back r), '[]'),
  'documents', coalesce((SELECT jsonb_agg(to_jsonb(d) ORDER BY d.issued_on DESC, d.number DESC)
                           FROM document d), '[]'),
  'all_cases', (SELECT count(*) FROM task),
  'cases', coalesce((SELECT jsonb_agg(to_jsonb(t) ORDER BY t.closed_at IS NOT NULL,
                                      t.opened_at DESC, t.case_id)
                       FROM (SELECT * FROM task
                              ORDER BY closed_at IS NOT NULL, opened_at DESC, case_id
                              LIMIT %(cases)s) t), '[]'))::text
  FROM read.contract c WHERE c.contract_id = %(id)s
"""
_DETAILS = msgspec.json.Decoder(ContractDetail)


def detail(connection: Connection, contract_id: str) -> ContractDetail | None:
    """None for a contract that nobody signed."""
    values = {"id": contract_id, "shown": SHOWN, "cases": CASES_MAX}
    row = connection.execute(_DETAIL, values, prepare=True).fetchone()
    return None if row is None else _DETAILS.decode(row[0])


def coming(row: ContractRow, count: int) -> tuple[Coming, ...]:
    """The next instalments, the nearest first."""
    return tuple(
        Coming(
            contract_id=row.contract_id,
            contract_number=row.number,
            product=row.product,
            instalment=one,
            billed_on=one.due_on - timedelta(days=BILL_DAYS_BEFORE),
            debit_on=roll_to_target_day(one.due_on),
        )
        for one in coming_instalments(row.plan, row.instalments, count)
    )


def coming_of(rows: Sequence[ContractRow], count: int) -> list[Coming]:
    """The next instalments of several contracts, the nearest first."""
    found = [one for row in rows for one in coming(row, count)]
    return sorted(found, key=lambda one: (one.debit_on, one.contract_number))[:count]
