"""What every read model is made of: tables, rows that are read on first touch and written once per
batch, and a rebuild beside the live tables. It knows no screen."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Generic, LiteralString, TypeVar

import msgspec
from psycopg import sql

from domain.kernel.message import Recorded
from domain.kernel.value import Value
from domain.stream.codec import Codec
from domain.stream.database import Connection
from domain.stream.feed import read_feed

LIVE = "read"
"""The schema of the live tables. Personal data may stand here, and only here, in clear."""
REBUILD_BATCH = 2_000
"""Large enough that a batch costs little more than its rows, small enough for memory."""

R = TypeVar("R", bound=msgspec.Struct)
R_co = TypeVar("R_co", bound=msgspec.Struct, covariant=True)


class Table(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """`row` has a field for each column; `columns` is the DDL between the parentheses."""

    name: LiteralString
    row: type[R_co]
    key: tuple[LiteralString, ...]
    columns: LiteralString
    indexes: tuple[LiteralString, ...] = ()


class Rows:
    """The rows that one batch touches, in one schema. Nothing is written before `flush`."""

    def __init__(self, connection: Connection, schema: str = LIVE) -> None:
        self._connection = connection
        self._schema = schema
        self._seen: dict[str, dict[tuple[object, ...], msgspec.Struct | None]] = {}
        self._changed: dict[str, dict[tuple[object, ...], None]] = {}
        self._tables: dict[str, Table[msgspec.Struct]] = {}

    def get(self, table: Table[R], *key: object) -> R | None:
        """The row as this batch left it; None when there is none."""
        seen = self._seen.setdefault(table.name, {})
        if key not in seen:
            seen[key] = self._load(table, key)
        row = seen[key]
        return row if row is None or isinstance(row, table.row) else None

    def put(self, table: Table[R], row: R) -> None:
        """A new row, or the whole new content of one."""
        key = tuple(getattr(row, column) for column in table.key)
        self._tables[table.name] = table
        self._seen.setdefault(table.name, {})[key] = row
        self._changed.setdefault(table.name, {})[key] = None

    def change(self, table: Table[R], *key: object, **fields: object) -> None:
        """Some fields of a row. Raises KeyError when it does not exist: the feed is in order, so
        a missing row is a defect."""
        row = self.get(table, *key)
        if row is None:
            raise KeyError(f"{table.name} has no row {key}")
        self.put(table, msgspec.structs.replace(row, **fields))

    def flush(self) -> None:
        for name, keys in self._changed.items():
            seen, table = self._seen[name], self._tables[name]
            rows = [seen[key] for key in keys]
            self._connection.execute(
                _upsert(table, self._schema), (msgspec.json.encode(rows).decode(),), prepare=True
            )
        self._changed.clear()

    def _load(self, table: Table[R], key: tuple[object, ...]) -> R | None:
        query = _select(table, self._schema)
        found = self._connection.execute(query, key, prepare=True).fetchone()
        return None if found is None else msgspec.json.decode(found[0], type=table.row)


@cache
def _select(table: Table[msgspec.Struct], schema: str) -> bytes:
    match = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder()) for column in table.key
    )
    query = sql.SQL("SELECT to_jsonb(t)::text FROM {}.{} t WHERE {}").format(
        sql.Identifier(schema), sql.Identifier(table.name), match
    )
    return query.as_bytes()


@cache
def _upsert(table: Table[msgspec.Struct], schema: str) -> bytes:
    columns = list(table.row.__struct_fields__)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    rest = [column for column in columns if column not in table.key]
    update = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in rest
    )
    action = sql.SQL("DO UPDATE SET {}").format(update) if rest else sql.SQL("DO NOTHING")
    query = sql.SQL(
        "INSERT INTO {table} ({names})"
        " SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
        " ON CONFLICT ({key}) {action}"
    ).format(
        table=sql.Identifier(schema, table.name),
        names=names,
        key=sql.SQL(", ").join(map(sql.Identifier, table.key)),
        action=action,
    )
    return query.as_bytes()


class ReadModel(Value):
    """A consumer of the feed. Raising `version` throws its tables away and rebuilds them."""

    name: str
    version: int
    tables: tuple[Table[msgspec.Struct], ...]
    project: Callable[[Rows, Recorded], None]

    def apply(self, connection: Connection, batch: Sequence[Recorded]) -> None:
        self.apply_in(connection, batch, LIVE)

    def apply_in(self, connection: Connection, batch: Sequence[Recorded], schema: str) -> None:
        rows = Rows(connection, schema)
        for recorded in batch:
            self.project(rows, recorded)
        rows.flush()

    def create_tables(self, connection: Connection, schema: str = LIVE) -> None:
        """Empty tables, whatever stood there before."""
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        for table in self.tables:
            name = sql.Identifier(schema, table.name)
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
            connection.execute(
                sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
                    name,
                    sql.SQL(table.columns),
                    sql.SQL(", ").join(map(sql.Identifier, table.key)),
                )
            )
            for index in table.indexes:
                connection.execute(sql.SQL("CREATE INDEX ON {} {}").format(name, sql.SQL(index)))

    def digest(self, connection: Connection, schema: str = LIVE) -> dict[str, str]:
        """A hash over the rows of each table: equal content, equal hash."""
        digests = {}
        for table in self.tables:
            row = connection.execute(
                sql.SQL(
                    "SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY {}), '')) FROM {} t"
                ).format(
                    sql.SQL(", ").join(map(sql.Identifier, table.key)),
                    sql.Identifier(schema, table.name),
                )
            ).fetchone()
            digests[table.name] = "" if row is None else str(row[0])
        return digests


def rebuild(
    connection: Connection,
    codec: Codec,
    model: ReadModel,
    until: int,
    schema: str,
    *,
    parked: Mapping[str, int] | None = None,
) -> None:
    """Builds `model` from the feed up to position `until` into another schema, without what is
    parked for it from a position on."""
    model.create_tables(connection, schema)
    position = 0
    while position < until:
        batch = read_feed(connection, codec, position, min(REBUILD_BATCH, until - position))
        if not batch:
            break
        aside = parked or {}
        digestible = [one for one in batch if one.feed_position < aside.get(one.stream, until + 1)]
        model.apply_in(connection, digestible, schema)
        position = batch[-1].feed_position
