"""What the screens of payments and refunds read: their lists, and one payment with its refunds. It
writes nothing."""

from typing import LiteralString

import msgspec

from domain.kernel.value import Value
from domain.readmodels.asking import OF_STREAM, Asking, read_asking
from domain.readmodels.lists import Kind, Sort, Source, Term
from domain.readmodels.payments import PaymentRow
from domain.readmodels.refunds import RefundRow
from domain.stream.database import Connection

_DEBIT = Term(sql="debit_on", kind=Kind.DAY)


def _late(sql: LiteralString) -> Sort:
    """What has not happened yet stands behind what has."""
    return Sort(terms=(Term(sql=sql, kind=Kind.INSTANT),), down=True)


def _cents(sql: LiteralString) -> Sort:
    return Sort(terms=(Term(sql=sql, kind=Kind.NUMBER),), down=True)


PAYMENTS = Source(
    table="read.payment",
    row=PaymentRow,
    key=Term(sql="payment_id", kind=Kind.TEXT),
    sorts={
        "debit": Sort(terms=(_DEBIT,), down=True),
        "customer": Sort(terms=(Term(sql="sorted_name", kind=Kind.TEXT), _DEBIT)),
        "contract": Sort(terms=(Term(sql="contract_number", kind=Kind.TEXT), _DEBIT)),
        "status": Sort(terms=(Term(sql="status", kind=Kind.TEXT), _DEBIT)),
        "refunded": _cents("refunded"),
        "amount": _cents("amount"),
        "confirmed": _late("coalesce(confirmed_at, '-infinity')"),
        "paid-out": _late("coalesce(paid_out_at, '-infinity')"),
        "settled": _late("coalesce(settled_at, '-infinity')"),
        "returned": _late("coalesce(returned_at, failed_at, '-infinity')"),
    },
    conditions={
        "status": "status = %(status)s",
        "statuses": "status = ANY(%(statuses)s)",
        "customer_id": "customer_id = %(customer_id)s",
        "customer_words": "array_to_tsvector(words) @@ %(customer_words)s::tsquery",
        "contract_id": "contract_id = %(contract_id)s",
        "contract_number": "contract_number = %(contract_number)s",
        "invoice_number": "invoice_number = %(invoice_number)s",
        "reference": "reference = %(reference)s AND reference <> ''",
        "payout_id": "payout_id = %(payout_id)s AND payout_id <> ''",
        "code": "code = %(code)s AND code <> ''",
        "provider": "provider = %(provider)s",
        "amount": "amount = %(amount)s",
        "amount_min": "amount >= %(amount_min)s",
        "amount_max": "amount <= %(amount_max)s",
        "with_refund": "refunded + reserved > 0",
        "without_refund": "refunded + reserved = 0",
        "debit_from": "debit_on >= %(debit_from)s",
        "debit_to": "debit_on <= %(debit_to)s",
        "confirmed_from": "coalesce(confirmed_at, '-infinity') >= %(confirmed_from)s",
        "confirmed_to": "coalesce(confirmed_at, '-infinity') < %(confirmed_to)s"
        " AND confirmed_at IS NOT NULL",
        "paid_out_from": "coalesce(paid_out_at, '-infinity') >= %(paid_out_from)s",
        "paid_out_to": "coalesce(paid_out_at, '-infinity') < %(paid_out_to)s"
        " AND paid_out_at IS NOT NULL",
        "settled_from": "coalesce(settled_at, '-infinity') >= %(settled_from)s",
        "settled_to": "coalesce(settled_at, '-infinity') < %(settled_to)s"
        " AND settled_at IS NOT NULL",
        "returned_from": "coalesce(returned_at, failed_at, '-infinity') >= %(returned_from)s",
        "returned_to": "coalesce(returned_at, failed_at, '-infinity') < %(returned_to)s"
        " AND coalesce(returned_at, failed_at) IS NOT NULL",
    },
)
_OF_PAYMENTS: LiteralString = "payment_id IN (SELECT p.payment_id FROM read.payment p WHERE "
"""A refund knows its payment, and a payment its contract."""
REFUNDS = Source(
    table="read.refund",
    row=RefundRow,
    key=Term(sql="position", kind=Kind.NUMBER),
    sorts={
        "requested": Sort(terms=(), down=True),
        "customer": Sort(terms=(Term(sql="sorted_name", kind=Kind.TEXT),)),
        "status": Sort(terms=(Term(sql="status", kind=Kind.TEXT),)),
        "reason": Sort(terms=(Term(sql="reason", kind=Kind.TEXT),)),
        "by": Sort(terms=(Term(sql="requested_by", kind=Kind.TEXT),)),
        "amount": _cents("amount"),
    },
    conditions={
        "status": "status = %(status)s",
        "statuses": "status = ANY(%(statuses)s)",
        "reason": "reason = %(reason)s",
        "requested_by": "requested_by = %(requested_by)s",
        "decided_by": "decided_by = %(decided_by)s",
        "contract_id": _OF_PAYMENTS + "p.contract_id = %(contract_id)s)",
        "contract_number": _OF_PAYMENTS + "p.contract_number = %(contract_number)s)",
        "customer_id": "customer_id = %(customer_id)s",
        "customer_words": "array_to_tsvector(words) @@ %(customer_words)s::tsquery",
        "reference": "reference = %(reference)s AND reference <> ''",
        "payout_id": "payout_id = %(payout_id)s AND payout_id <> ''",
        "code": "code = %(code)s AND code <> ''",
        "amount": "amount = %(amount)s",
        "amount_min": "amount >= %(amount_min)s",
        "amount_max": "amount <= %(amount_max)s",
        "requested_from": "requested_at >= %(requested_from)s",
        "requested_to": "requested_at < %(requested_to)s",
        "confirmed_from": "confirmed_at >= %(confirmed_from)s",
        "confirmed_to": "confirmed_at < %(confirmed_to)s",
        "with_document": "correction_number <> ''",
        "without_document": "correction_number = ''",
    },
)


class PaymentDetail(Value):
    """`asking` while the provider has not answered."""

    payment: PaymentRow
    refunds: tuple[RefundRow, ...]
    asking: Asking | None = None

    @property
    def version(self) -> int:
        return max(self.payment.version, *(refund.version for refund in self.refunds), 0)


class RefundDetail(Value):
    """`asking` while the provider has not answered."""

    refund: RefundRow
    payment: PaymentRow
    asking: Asking | None = None


_PAYMENT = msgspec.json.Decoder(PaymentRow)
_REFUND = msgspec.json.Decoder(RefundRow)
_REFUNDS = msgspec.json.Decoder(tuple[RefundRow, ...])
_DETAIL = f"""
SELECT to_jsonb(p)::text,
       coalesce((SELECT jsonb_agg(to_jsonb(r) ORDER BY r.position)
                   FROM read.refund r WHERE r.payment_id = p.payment_id), '[]')::text,
       {OF_STREAM.format(stream="p.payment_id")}
  FROM read.payment p WHERE p.payment_id = %s
"""  # noqa: S608 constants only
_REFUND_DETAIL = f"""
SELECT to_jsonb(r)::text, to_jsonb(p)::text, {OF_STREAM.format(stream="r.refund_id")}
  FROM read.refund r JOIN read.payment p USING (payment_id) WHERE r.refund_id = %s
"""  # noqa: S608 constants only


def detail(connection: Connection, payment_id: str) -> PaymentDetail | None:
    """A payment with its refunds, the oldest first."""
    row = connection.execute(_DETAIL, (payment_id,), prepare=True).fetchone()
    if row is None:
        return None
    return PaymentDetail(
        payment=_PAYMENT.decode(row[0]),
        refunds=_REFUNDS.decode(row[1]),
        asking=read_asking(row[2]),
    )


def refund(connection: Connection, refund_id: str) -> RefundDetail | None:
    """A refund and the payment it goes back on."""
    row = connection.execute(_REFUND_DETAIL, (refund_id,), prepare=True).fetchone()
    if row is None:
        return None
    return RefundDetail(
        refund=_REFUND.decode(row[0]),
        payment=_PAYMENT.decode(row[1]),
        asking=read_asking(row[2]),
    )
