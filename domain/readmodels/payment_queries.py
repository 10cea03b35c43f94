"""What the screens of payments and refunds read: the filtered list, its count and export, and one
payment with its refunds. It writes nothing."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

import msgspec
from psycopg import sql

from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.payments.payment import Status
from domain.readmodels.asking import OF_STREAM, Asking, read_asking
from domain.readmodels.payments import PaymentRow
from domain.readmodels.refunds import RefundRow
from domain.readmodels.words import prefix_query
from domain.stream.database import Connection

PAGE = 50
COUNT_MAX = 10_000
"""Counting stops here: "50 of over 10.000"."""
EXPORT_BATCH = 2_000
"""Rows that an export holds in memory at a time."""


class Sort(StrEnum):
    """By which column, and which way."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    CUSTOMER = "customer"
    CUSTOMER_DOWN = "customer-down"


_UP, _DOWN = (sql.SQL(">"), sql.SQL("ASC")), (sql.SQL("<"), sql.SQL("DESC"))
_SORTS: dict[Sort, tuple[sql.SQL, sql.SQL, tuple[sql.SQL, sql.SQL]]] = {
    Sort.NEWEST: (sql.SQL("debit_on"), sql.SQL("date"), _DOWN),
    Sort.OLDEST: (sql.SQL("debit_on"), sql.SQL("date"), _UP),
    Sort.LARGEST: (sql.SQL("amount"), sql.SQL("bigint"), _DOWN),
    Sort.SMALLEST: (sql.SQL("amount"), sql.SQL("bigint"), _UP),
    Sort.CUSTOMER: (sql.SQL("customer"), sql.SQL("text"), _UP),
    Sort.CUSTOMER_DOWN: (sql.SQL("customer"), sql.SQL("text"), _DOWN),
}


class Filters(Value):
    """What to look at; None and "" mean everything. `customer` is a text or a customer id,
    `contract` a number or an id; the days are debit dates."""

    status: Status | None = None
    customer: str = ""
    contract: str = ""
    reference: str = ""
    amount: Cents | None = None
    from_on: date | None = None
    to_on: date | None = None

    @property
    def any(self) -> bool:
        return self != Filters()


class Place(Value):
    """Where the next page begins: behind this row, after `shown` rows."""

    value: str
    payment_id: str
    shown: int


class Listing(Value):
    """One page; `after` is None on the last one. `first` is the position of its first row."""

    rows: tuple[PaymentRow, ...]
    shown: int
    after: Place | None


class Count(Value):
    """`capped`: there are more than `number`."""

    number: int
    capped: bool


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


_LIST = sql.SQL(
    "SELECT to_jsonb(p)::text FROM read.payment p WHERE {where}"
    " ORDER BY {column} {way}, payment_id {way}"
)
_BEHIND = sql.SQL("({column}, payment_id) {than} (%(value)s::{type}, %(payment_id)s)")
_COUNT = sql.SQL(
    "SELECT count(*) FROM (SELECT 1 FROM read.payment p WHERE {where} LIMIT %(limit)s) found"
)
_CONDITIONS: dict[str, sql.SQL] = {
    "status": sql.SQL("status = %(status)s"),
    "customer_id": sql.SQL("customer_id = %(customer_id)s"),
    "customer_words": sql.SQL("array_to_tsvector(words) @@ %(customer_words)s::tsquery"),
    "contract_id": sql.SQL("contract_id = %(contract_id)s"),
    "contract_number": sql.SQL("contract_number = %(contract_number)s"),
    "reference": sql.SQL("reference = %(reference)s"),
    "amount": sql.SQL("amount = %(amount)s"),
    "from_on": sql.SQL("debit_on >= %(from_on)s"),
    "to_on": sql.SQL("debit_on <= %(to_on)s"),
    "nothing": sql.SQL("%(nothing)s::boolean IS NULL"),
}
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


def _values(filters: Filters) -> dict[str, object]:
    """The filters that are set, under the names of their conditions."""
    customer, contract = filters.customer.strip(), filters.contract.strip()
    by_customer: dict[str, object] = {"customer_id": customer}
    if not customer.startswith("cus_"):
        query = prefix_query(customer)
        # Signs alone name nobody; that must not show everybody.
        by_customer = {"customer_words": query} if query or not customer else {"nothing": True}
    contract_column = "contract_id" if contract.startswith("ct_") else "contract_number"
    values = {
        **by_customer,
        contract_column: contract,
        "status": filters.status,
        "reference": filters.reference.strip(),
        "amount": filters.amount,
        "from_on": filters.from_on,
        "to_on": filters.to_on,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _where(names: Iterator[str] | list[str]) -> sql.Composable:
    return sql.SQL(" AND ").join([sql.SQL("true"), *(_CONDITIONS[name] for name in names)])


def listing(
    connection: Connection, filters: Filters, sort: Sort, after: Place | None = None
) -> Listing:
    """One page of the list. Raises ValueError for a place that this order does not have."""
    values = _values(filters)
    where = _where(list(values))
    column, kind, (than, way) = _SORTS[sort]
    if after is not None:
        behind = _BEHIND.format(column=column, than=than, type=kind)
        where = sql.SQL(" AND ").join([where, behind])
        values |= {"value": typed_value(sort, after.value), "payment_id": after.payment_id}
    query = _LIST.format(where=where, column=column, way=way) + sql.SQL(" LIMIT %(limit)s")
    found = connection.execute(query, values | {"limit": PAGE + 1}).fetchall()
    rows = tuple(_PAYMENT.decode(row[0]) for row in found[:PAGE])
    shown = (after.shown if after else 0) + len(rows)
    following = None
    if len(found) > PAGE:
        value = str(getattr(rows[-1], column.as_string(None)))
        following = Place(value=value, payment_id=rows[-1].payment_id, shown=shown)
    return Listing(rows=rows, shown=shown, after=following)


def typed_value(sort: Sort, value: str) -> object:
    """Raises ValueError for a text that is no value of that column."""
    match sort:
        case Sort.NEWEST | Sort.OLDEST:
            return date.fromisoformat(value)
        case Sort.LARGEST | Sort.SMALLEST:
            return int(value)
        case _:
            return value


def count(connection: Connection, filters: Filters) -> Count:
    values = _values(filters)
    query = _COUNT.format(where=_where(list(values)))
    row = connection.execute(query, values | {"limit": COUNT_MAX + 1}).fetchone()
    number = 0 if row is None else int(row[0])
    return Count(number=min(number, COUNT_MAX), capped=number > COUNT_MAX)


def export(connection: Connection, filters: Filters, sort: Sort) -> Iterator[PaymentRow]:
    """Every row of the filtered list, as of one moment, without holding them all."""
    values = _values(filters)
    column, _, (_, way) = _SORTS[sort]
    query = _LIST.format(where=_where(list(values)), column=column, way=way)
    with connection.transaction(), connection.cursor(name="payments_export") as cursor:
        cursor.itersize = EXPORT_BATCH
        for (data,) in cursor.execute(query, values):
            yield _PAYMENT.decode(data)


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
