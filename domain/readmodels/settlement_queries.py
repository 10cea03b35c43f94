"""What the Payouts and Statements screens read from the settlement read model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString, TypeVar

import msgspec
from psycopg import sql

from domain.kernel.value import Value
from domain.readmodels.model import Table
from domain.readmodels.settlement import (
    ITEM,
    LINE,
    PAYOUT,
    STATEMENT,
    ItemRow,
    LineRow,
    PayoutRow,
    PayoutState,
    StatementRow,
)
from domain.stream.database import Connection

PAGE = 50
ROWS_MAX = 1_000
"""Items of a payout, lines of a statement: a page of more helps nobody, and says so."""

R = TypeVar("R", bound=msgspec.Struct)


class Payouts(Value):
    """`after` continues the list; None on its last page."""

    rows: tuple[PayoutRow, ...]
    after: int | None
    by_state: dict[str, int]


class Payout(Value):
    """With its items and the bank line that carries its reference."""

    row: PayoutRow
    items: tuple[ItemRow, ...]
    line: LineRow | None


class Statements(Value):
    rows: tuple[StatementRow, ...]
    after: int | None


class Statement(Value):
    """Its lines; `payouts` by id, for the lines that explain one."""

    row: StatementRow
    lines: tuple[LineRow, ...]
    payouts: dict[str, PayoutRow]


def payouts(
    connection: Connection, state: PayoutState | None = None, after: int | None = None
) -> Payouts:
    found = _rows(
        connection,
        PAYOUT,
        "WHERE (%(state)s::text IS NULL OR state = %(state)s)"
        " AND (%(after)s::bigint IS NULL OR seen_position < %(after)s)"
        " ORDER BY seen_position DESC LIMIT %(limit)s",
        {"state": state, "after": after, "limit": PAGE + 1},
    )
    shown = tuple(found[:PAGE])
    counted = connection.execute(
        "SELECT state, count(*) FROM read.settlement_payout GROUP BY state"
    )
    return Payouts(
        rows=shown,
        after=shown[-1].seen_position if len(found) > PAGE else None,
        by_state={str(one): int(number) for one, number in counted},
    )


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


def statements(connection: Connection, after: int | None = None) -> Statements:
    found = _rows(
        connection,
        STATEMENT,
        "WHERE (%(after)s::bigint IS NULL OR position < %(after)s)"
        " ORDER BY position DESC LIMIT %(limit)s",
        {"after": after, "limit": PAGE + 1},
    )
    shown = tuple(found[:PAGE])
    return Statements(rows=shown, after=shown[-1].position if len(found) > PAGE else None)


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
    wanted = [line.payout_id for line in lines if line.payout_id]
    explained = _rows(connection, PAYOUT, "WHERE payout_id = ANY(%(ids)s)", {"ids": wanted})
    return Statement(
        row=found[0],
        lines=tuple(lines),
        payouts={one.payout_id: one for one in explained},
    )


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
