"""What the Payouts and Statements screens read from the settlement read model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString, TypeVar

import msgspec
from psycopg import sql

from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.readmodels.lists import PAGE, Kind, Sort, Source, Term
from domain.readmodels.model import Table
from domain.readmodels.settlement import (
    ITEM,
    LINE,
    PAYOUT,
    STATEMENT,
    ItemRow,
    LineRow,
    PayoutRow,
    StatementRow,
)
from domain.stream.database import Connection

R = TypeVar("R", bound=msgspec.Struct)


def _number(sql: LiteralString, *, down: bool = True) -> Sort:
    return Sort(terms=(Term(sql=sql, kind=Kind.NUMBER),), down=down)


def _text(sql: LiteralString) -> Sort:
    return Sort(terms=(Term(sql=sql, kind=Kind.TEXT),))


def _late(sql: LiteralString) -> Sort:
    return Sort(terms=(Term(sql=sql, kind=Kind.INSTANT),), down=True)


def _day(sql: LiteralString) -> Sort:
    return Sort(terms=(Term(sql=sql, kind=Kind.DAY),), down=True)


PAYOUTS = Source(
    table="read.settlement_payout",
    row=PayoutRow,
    key=Term(sql="seen_position", kind=Kind.NUMBER),
    sorts={
        "seen": Sort(terms=(), down=True),
        "name": _text("coalesce(provider_payout, payout_id)"),
        "listed": _late("coalesce(listed_at, '-infinity')"),
        "items": _number("items"),
        "amount": _number("coalesce(listed, 0)"),
        "arrived": _late("coalesce(arrived_at, '-infinity')"),
        "arrived-amount": _number("coalesce(arrived, 0)"),
        "state": _text("state"),
    },
    conditions={
        "state": "state = %(state)s",
        "states": "state = ANY(%(states)s)",
        "provider": "provider = %(provider)s",
        "name": "(provider_payout = %(name)s OR reference = %(name)s)",
        "payout_id": "payout_id = %(payout_id)s",
        "amount": "(listed = %(amount)s OR arrived = %(amount)s)",
        "listed_from": "listed_at >= %(listed_from)s",
        "listed_to": "listed_at < %(listed_to)s",
        "arrived_from": "arrived_at >= %(arrived_from)s",
        "arrived_to": "arrived_at < %(arrived_to)s",
    },
)
STATEMENTS = Source(
    table="read.settlement_statement",
    row=StatementRow,
    key=Term(sql="position", kind=Kind.NUMBER),
    sorts={
        "imported": Sort(terms=(), down=True),
        "number": _text("bank_reference"),
        "from": _day("from_on"),
        "to": _day("to_on"),
        "opening": _number("opening"),
        "closing": _number("closing"),
        "lines": _number("lines"),
    },
    conditions={
        "number": "bank_reference = %(number)s",
        "account": "account = %(account)s",
        "covers_from": "to_on >= %(covers_from)s",
        "covers_to": "from_on <= %(covers_to)s",
        "closing": "closing = %(closing)s",
        "imported_from": "imported_at >= %(imported_from)s",
        "imported_to": "imported_at < %(imported_to)s",
    },
)
LINES = Source(
    table="read.settlement_line",
    row=LineRow,
    key=Term(sql="line_id", kind=Kind.TEXT),
    sorts={
        "booked": Sort(
            terms=(
                Term(sql="booked_on", kind=Kind.DAY),
                Term(sql="statement_id", kind=Kind.TEXT),
                Term(sql="number", kind=Kind.NUMBER),
            ),
            down=True,
        ),
        "value": _day("value_on"),
        "who": _text("sorted_name"),
        "amount": _number("amount"),
        "reference": _text("coalesce(end_to_end_id, '')"),
    },
    conditions={
        "words": "array_to_tsvector(words) @@ %(words)s::tsquery",
        "statement_id": "statement_id = %(statement_id)s",
        "payout_id": "payout_id = %(payout_id)s",
        "explained": "payout_id IS NOT NULL",
        "unknown": "payout_id IS NULL",
        "amount": "abs(amount) = %(amount)s",
        "incoming": "amount > 0",
        "outgoing": "amount < 0",
        "booked_from": "booked_on >= %(booked_from)s",
        "booked_to": "booked_on <= %(booked_to)s",
    },
)


class Payout(Value):
    """With one page of its items, what all of them come to, and the bank line that carries its
    reference."""

    row: PayoutRow
    items: tuple[ItemRow, ...]
    gross: Cents
    fees: Cents
    line: LineRow | None


class Statement(Value):
    """Its first lines; `payouts` by id, for the lines that explain one."""

    row: StatementRow
    lines: tuple[LineRow, ...]
    payouts: dict[str, PayoutRow]


class Negative(Value):
    """A provider that pays nothing out: since its last payout more went back than came in."""

    provider: str
    since: datetime
    came_in: Cents
    went_back: Cents


def negative(connection: Connection) -> list[Negative]:
    """By our books, which do not know the provider's fees before it lists them."""
    rows = connection.execute(_NEGATIVE, prepare=True).fetchall()
    return [
        Negative(provider=provider, since=since, came_in=came_in, went_back=went_back)
        for provider, since, came_in, went_back in rows
    ]


# What is returned after its payout went out before; a confirmed refund is in no payout yet.
_NEGATIVE = b"""
SELECT * FROM (
  SELECT last.provider, last.at,
         (SELECT coalesce(sum(p.amount), 0)::bigint FROM read.payment p
           WHERE p.provider = last.provider
             AND coalesce(p.confirmed_at, '-infinity') > last.at) AS came_in,
         (SELECT coalesce(sum(p.returned + p.return_fee), 0)::bigint FROM read.payment p
           WHERE p.provider = last.provider AND p.returned_at IS NOT NULL
             AND coalesce(p.returned_at, p.failed_at, '-infinity') > last.at)
         + (SELECT coalesce(sum(r.amount), 0)::bigint
              FROM read.refund r JOIN read.payment p USING (payment_id)
             WHERE p.provider = last.provider AND r.status = 'confirmed') AS went_back
    FROM (SELECT provider, max(listed_at) AS at FROM read.settlement_payout
           GROUP BY provider) last) moved
 WHERE went_back > came_in ORDER BY provider
"""


def payout(connection: Connection, payout_id: str, after: int = 0) -> Payout | None:
    """Items are numbered from 1; the page begins behind number `after`."""
    found = _rows(connection, PAYOUT, "WHERE payout_id = %(id)s", {"id": payout_id})
    if not found:
        return None
    items = _rows(
        connection,
        ITEM,
        "WHERE payout_id = %(id)s AND number > %(after)s ORDER BY number LIMIT %(limit)s",
        {"id": payout_id, "after": after, "limit": PAGE},
    )
    lines = _rows(connection, LINE, "WHERE line_id = %(id)s", {"id": found[0].line_id})
    ((gross, fees),) = connection.execute(_SUMS, (payout_id,), prepare=True).fetchall()
    return Payout(
        row=found[0],
        items=tuple(items),
        gross=gross,
        fees=fees,
        line=lines[0] if lines else None,
    )


_SUMS = (
    b"SELECT coalesce(sum(amount), 0)::bigint, coalesce(sum(fee), 0)::bigint"
    b" FROM read.settlement_item WHERE payout_id = %s"
)


def statement(connection: Connection, statement_id: str) -> Statement | None:
    found = _rows(connection, STATEMENT, "WHERE statement_id = %(id)s", {"id": statement_id})
    if not found:
        return None
    lines = _rows(
        connection,
        LINE,
        "WHERE statement_id = %(id)s ORDER BY number LIMIT %(limit)s",
        {"id": statement_id, "limit": PAGE},
    )
    return Statement(row=found[0], lines=tuple(lines), payouts=payouts_of(connection, lines))


def payouts_of(connection: Connection, lines: Sequence[LineRow]) -> dict[str, PayoutRow]:
    """By id, for the lines that explain one; nothing is asked when none does."""
    wanted = sorted({line.payout_id for line in lines if line.payout_id})
    if not wanted:
        return {}
    explained = _rows(connection, PAYOUT, "WHERE payout_id = ANY(%(ids)s)", {"ids": wanted})
    return {one.payout_id: one for one in explained}


def imported_at(connection: Connection, file_hash: str) -> datetime | None:
    """When the statement in this file was recorded."""
    found = _rows(connection, STATEMENT, "WHERE file_hash = %(hash)s", {"hash": file_hash})
    return found[0].imported_at if found else None


def by_reference(connection: Connection, references: Sequence[str]) -> dict[str, StatementRow]:
    """Imported statements by the bank's own number."""
    found = _rows(
        connection, STATEMENT, "WHERE bank_reference = ANY(%(all)s)", {"all": list(references)}
    )
    return {one.bank_reference: one for one in found}


def _rows(
    connection: Connection, table: Table[R], tail: LiteralString, values: Mapping[str, object]
) -> list[R]:
    query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t {}").format(
        sql.Identifier("read", table.name), sql.SQL(tail)
    )
    found = connection.execute(query, values)
    return [msgspec.json.decode(row, type=table.row) for (row,) in found]
