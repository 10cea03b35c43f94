"""The tables of the data browser: every read model, and what the stream and the audit trail keep.
A table is described by its DDL; from that follow its cells, its sorts (only with an index) and its
conditions. Sealed data and keys are never selected."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from typing import LiteralString

import msgspec
from psycopg import sql
from psycopg.errors import QueryCanceled

from domain.kernel.value import Value
from domain.readmodels.browse_kept import KEPT, Group
from domain.readmodels.exports import Column, Exportable, of_source
from domain.readmodels.exports import Kind as Cell
from domain.readmodels.lists import Kind, Order, Place, Sort, Source, Term, Way, values_at
from domain.readmodels.model import LIVE, Table
from domain.readmodels.registry import READMODELS
from domain.stream.database import Connection


class Operation(StrEnum):
    EQUALS = "equals"
    CONTAINS = "contains"
    GREATER = "greater than"
    SMALLER = "smaller than"
    EMPTY = "empty"
    FILLED = "not empty"


class Field(Value):
    """A column of a table; `never_null` ones may be sorted by."""

    name: LiteralString
    cell: Cell
    kind: Kind
    never_null: bool
    as_text: LiteralString


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A table as it is browsed. `model`: the read model it belongs to, or ""."""

    name: str
    group: Group
    model: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    source: Source[msgspec.Struct]

    @property
    def export_name(self) -> str:
        return f"data-{self.name}"

    @property
    def order(self) -> Order:
        """What nobody had to choose: the newest first, where the key counts upwards."""
        return Order(sort=KEY, down=len(self.key) == 1 and self.source.key.kind is Kind.NUMBER)


class TooSlow(Exception):
    """What was asked needs a look at too many rows; it was ended."""


SECONDS_MAX = 5
"""A look that takes longer disturbs those who work; a filter with an index takes milliseconds."""
SEARCH = "search"
KEY = "key"
"""The sort by the key, which every table has."""
SQL_TYPES: Mapping[str, tuple[Cell, Kind]] = {
    "text": (Cell.TEXT, Kind.TEXT),
    "uuid": (Cell.TEXT, Kind.UUID),
    "boolean": (Cell.TEXT, Kind.TEXT),
    "smallint": (Cell.NUMBER, Kind.NUMBER),
    "integer": (Cell.NUMBER, Kind.NUMBER),
    "bigint": (Cell.NUMBER, Kind.NUMBER),
    "date": (Cell.DAY, Kind.DAY),
    "timestamptz": (Cell.INSTANT, Kind.INSTANT),
    "jsonb": (Cell.JSON, Kind.TEXT),
    "text[]": (Cell.JSON, Kind.TEXT),
}
AMOUNTS = frozenset(
    [
        "amount",
        "applied",
        "arrived",
        "billed",
        "closing",
        "credit",
        "due",
        "fee",
        "gross",
        "listed",
        "net",
        "on_its_way",
        "open_again",
        "opening",
        "owed",
        "owes_back",
        "paid",
        "premium",
        "reduced",
        "refunded",
        "reserved",
        "return_fee",
        "returned",
        "tax",
    ]
)
"""Cents; other numbers are counts and positions."""
_TYPES: Mapping[Cell, object] = {
    Cell.NUMBER: int | None,
    Cell.MONEY: int | None,
    Cell.DAY: date | None,
    Cell.INSTANT: datetime | None,
}
_CONDITIONS: Mapping[Operation, LiteralString] = {
    Operation.EQUALS: "{exact} = %({name})s",
    Operation.CONTAINS: "{text} ILIKE %({name})s",
    Operation.GREATER: "{column} > %({name})s",
    Operation.SMALLER: "{column} < %({name})s",
    Operation.EMPTY: "%({name})s AND coalesce({text}, '') = ''",
    Operation.FILLED: "%({name})s AND coalesce({text}, '') <> ''",
}
_TEXTS = (Operation.EQUALS, Operation.CONTAINS, Operation.EMPTY, Operation.FILLED)
_VALUES = (
    Operation.EQUALS,
    Operation.GREATER,
    Operation.SMALLER,
    Operation.EMPTY,
    Operation.FILLED,
)
OPERATIONS: Mapping[Cell, tuple[Operation, ...]] = {
    Cell.TEXT: _TEXTS,
    Cell.JSON: (Operation.CONTAINS,),
    Cell.NUMBER: _VALUES,
    Cell.MONEY: _VALUES,
    Cell.DAY: _VALUES,
    Cell.INSTANT: (Operation.GREATER, Operation.SMALLER, Operation.EMPTY, Operation.FILLED),
}


def condition(column: str, operation: Operation) -> str:
    return f"{column}__{operation.name.lower()}"


def fields_of(ddl: LiteralString) -> tuple[Field, ...]:
    """`name type [NOT NULL]`, separated by commas."""
    fields = []
    for one in " ".join(ddl.split()).split(", "):
        name, sql_type, *rest = one.split(" ")
        cell, kind = SQL_TYPES[sql_type]
        if cell is Cell.NUMBER and name in AMOUNTS:
            cell = Cell.MONEY
        fields.append(
            Field(
                name=name,
                cell=cell,
                kind=kind,
                never_null=bool(rest),
                as_text=name if sql_type == "text" else f"{name}::text",
            )
        )
    return tuple(fields)


def view_of(  # a declaration, written with names
    *,
    name: LiteralString,
    group: Group,
    table: LiteralString,
    ddl: LiteralString,
    key: tuple[LiteralString, ...],
    indexes: tuple[LiteralString, ...] = (),
    model: str = "",
) -> View:
    fields = fields_of(ddl)
    kinds = {field.name: field for field in fields}
    terms = {column: Term(sql=column, kind=kinds[column].kind) for column in kinds}
    *front, last = key
    leading = tuple(terms[column] for column in front)
    sorts = {KEY: Sort(terms=leading)}
    for column in _indexed(indexes):
        if column in kinds and kinds[column].never_null and column not in key:
            sorts[column] = Sort(terms=(terms[column], *leading))
    source = Source(
        table=table,
        row=msgspec.defstruct(
            name, [(one.name, _TYPES.get(one.cell, object), None) for one in fields]
        ),
        key=terms[last],
        sorts=sorts,
        conditions={**_conditions(fields), SEARCH: _search(fields)},
    )
    return View(name=name, group=group, model=model, fields=fields, key=key, source=source)


def _indexed(indexes: tuple[LiteralString, ...]) -> list[str]:
    """The columns that a plain index begins with."""
    found = (re.fullmatch(r"\((\w+)(?:, [\w, ]+)?\)", index) for index in indexes)
    return [match[1] for match in found if match]


def _conditions(fields: tuple[Field, ...]) -> dict[str, LiteralString]:
    conditions: dict[str, LiteralString] = {}
    for field in fields:
        exact = field.as_text if field.cell is Cell.TEXT else field.name
        for operation in OPERATIONS[field.cell]:
            name = condition(field.name, operation)
            conditions[name] = _CONDITIONS[operation].format(
                column=field.name, text=field.as_text, exact=exact, name=name
            )
    return conditions


def _search(fields: tuple[Field, ...]) -> LiteralString:
    """Any text of a row; what is no text has filters."""
    texts = [one.as_text for one in fields if one.cell is Cell.TEXT] or ["''"]
    return "(" + " OR ".join(f"{text} ILIKE %({SEARCH})s" for text in texts) + ")"


def _read_model(model: str, table: Table[msgspec.Struct]) -> View:
    return view_of(
        name=table.name,
        group=Group.READ,
        table=f"{LIVE}.{table.name}",
        ddl=table.columns,
        key=table.key,
        indexes=table.indexes,
        model=model,
    )


def _all() -> dict[str, View]:
    read = [_read_model(model.name, table) for model in READMODELS for table in model.tables]
    return {view.name: view for view in (*read, *(view_of(**one) for one in KEPT))}


VIEWS: Mapping[str, View] = _all()


def exportables() -> dict[str, Exportable]:
    """Every table as a file, with all its columns."""
    return {
        view.export_name: of_source(
            view.source, tuple(Column(name=one.name, kind=one.cell) for one in view.fields)
        )
        for view in VIEWS.values()
    }


@contextmanager
def looking(connection: Connection) -> Iterator[None]:
    """A transaction in which PostgreSQL itself refuses every write. Raises TooSlow."""
    try:
        with connection.transaction():
            connection.execute("SET TRANSACTION READ ONLY")
            connection.execute(f"SET LOCAL statement_timeout = '{SECONDS_MAX}s'".encode())
            yield
    except QueryCanceled as error:
        raise TooSlow from error


def one(connection: Connection, view: View, key: Sequence[str]) -> msgspec.Struct | None:
    """The row with that key; None when there is none, or when it cannot be a key."""
    if len(key) != len(view.key):
        return None
    place = Place(way=Way.AFTER, sort=KEY, values=tuple(key[:-1]), key=key[-1])
    try:
        values = values_at(view.source, Order(sort=KEY), place)
    except ValueError:
        return None
    query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t WHERE {}").format(
        sql.SQL(view.source.table),
        sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(one)) for one in view.key),
    )
    row = connection.execute(query, values).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=view.source.row)
