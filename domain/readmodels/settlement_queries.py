"""What the Payouts and Statements screens read from the settlement read model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString, TypeVar

import msgspec
from psycopg import sql

from domain.kernel.value import Value
from domain.readmodels.lists import Kind, Sort, Source, Term
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

ROWS_MAX = 1_000
"""Items of a payout, lines of a statement: a page of more helps nobody, and says so."""

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
    """With its items and the bank line that carries its reference."""

    row: PayoutRow
    items: tuple[ItemRow, ...]
    line: LineRow | None


class Statement(Value):
    """Its lines; `payouts` by id, for the lines that explain one."""

    row: StatementRow
    lines: tuple[LineRow, ...]
    payouts: dict[str, PayoutRow]


def payout(connection: Connection, payout_id: str) -> Payout | None:
    found = _rows(connection, PAYOUT, "WHERE payout_id = %(id)s", {"id": payout_id})
    if not found:
        return None
    items = _rows(
        connection,
        ITEM,
        "WHERE payout_id = %(id)s ORDER BY number LIMIT %(limit)s",
        {"id": payout_id, "limit": ROWS_MAX},
    )
    lines = _rows(connection, LINE, "WHERE line_id = %(id)s", {"id": found[0].line_id})
    return Payout(row=found[0], items=tuple(items), line=lines[0] if lines else None)


def statement(connection: Connection, statement_id: str) -> Statement | None:
    found = _rows(connection, STATEMENT, "WHERE statement_id = %(id)s", {"id": statement_id})
    if not found:
        return None
    lines = _rows(
        connection,
        LINE,
        "WHERE statement_id = %(id)s ORDER BY number LIMIT %(limit)s",
        {"id": statement_id, "limit": ROWS_MAX},
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
