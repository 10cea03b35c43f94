"""Asks the database for one page of a list, its bounded count, or all of it. The lists themselves
are in the modules of their screens."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, LiteralString, TypeVar

import msgspec
from psycopg import sql

from domain.readmodels import lists
from domain.readmodels.lists import (
    NOTHING,
    Count,
    Filters,
    Order,
    Page,
    Place,
    Source,
    Way,
    terms_of,
    text_of,
    values_at,
)
from domain.stream.database import Connection

EXPORT_BATCH = 2_000
"""Rows that an export holds in memory at a time."""

R = TypeVar("R", bound=msgspec.Struct)


class _Found(msgspec.Struct, Generic[R], frozen=True):
    """What a query brought, in the order of the list; `more` behind it, in its own direction."""

    rows: tuple[R, ...]
    values: tuple[tuple[str, ...], ...]
    count: Count
    more: bool


_WHOLE = sql.SQL("""
SELECT counted.number, shown.data, shown.terms
  FROM (SELECT count(*) AS number
          FROM (SELECT 1 FROM {table} t LIMIT {count_max} + 1) capped) counted
  LEFT JOIN (SELECT ({data})::text AS data, ARRAY[{texts}] AS terms,
                    row_number() OVER (ORDER BY {order}) AS n
               FROM (SELECT * FROM {table} t WHERE {beside} ORDER BY {order} LIMIT {limit}) t)
       shown ON true
 ORDER BY shown.n
""")
# Filters that leave few rows: those are found first, counted, and sorted. Filters that leave many:
# the first fitting rows on the way along the sort's index, which are near then. PostgreSQL cannot
# choose by itself, because it guesses how many rows a filter leaves; the other branch is not run.
_PAGE = sql.SQL("""
WITH found AS MATERIALIZED (SELECT {found} FROM {table} t WHERE {where} LIMIT {count_max} + 1),
     counted AS (SELECT count(*) AS number FROM found),
     few AS (SELECT {key} FROM found
              WHERE (SELECT number FROM counted) <= {count_max} AND {few_beside}
              ORDER BY {few_order} LIMIT {limit}),
     many AS (SELECT * FROM {table} t
               WHERE (SELECT number FROM counted) > {count_max} AND {where} AND {beside}
               ORDER BY {order} LIMIT {limit}),
     page AS (SELECT t.* FROM {table} t WHERE {key} IN (SELECT {key} FROM few)
               UNION ALL SELECT * FROM many)
SELECT counted.number, shown.data, shown.terms
  FROM counted
  LEFT JOIN (SELECT ({data})::text AS data, ARRAY[{texts}] AS terms,
                    row_number() OVER (ORDER BY {order}) AS n
               FROM page t) shown ON true
 ORDER BY shown.n
""")
_ALL = sql.SQL("SELECT ({data})::text FROM {table} t WHERE {where} ORDER BY {order}")
_COUNT = sql.SQL("SELECT count(*) FROM {table} t WHERE {where}")
_DECODERS: dict[type, msgspec.json.Decoder[msgspec.Struct]] = {}


def page(
    connection: Connection,
    source: Source[R],
    filters: Filters,
    order: Order,
    place: Place | None = None,
) -> Page[R]:
    """One page and the count, in one query; a second one only when a way back ends at the first
    row. Raises ValueError for a place that this order does not have."""
    found = _found(connection, source, filters, order, place)
    match place:
        case Place(way=Way.BEFORE) if not found.more:
            return page(connection, source, filters, order)
        case Place(way=Way.BEFORE, position=position):
            first = None if position is None else position - len(found.rows) + 1
            first = first if first is None or first > 0 else None
            before, after = True, True
        case Place(way=Way.LAST):
            first = None if found.count.capped else found.count.number - len(found.rows) + 1
            before, after = found.more, False
        case Place(position=position):
            first = None if position is None else position + 1
            before, after = True, found.more
        case None:
            first, before, after = 1, False, found.more
    return _with_neighbours(found, order, first, before=before, after=after)


def _with_neighbours(
    found: _Found[R], order: Order, first: int | None, *, before: bool, after: bool
) -> Page[R]:
    def place(way: Way, row: int, position: int | None) -> Place:
        *values, key = found.values[row]
        return Place(way=way, sort=text_of(order), values=tuple(values), key=key, position=position)

    shown = len(found.rows)
    if not shown:
        return Page(rows=(), count=found.count, first=None)
    behind = None if first is None else first - 1 + shown
    in_front = None if first is None else first - 1
    return Page(
        rows=found.rows,
        count=found.count,
        first=first,
        before=place(Way.BEFORE, 0, in_front) if before else None,
        after=place(Way.AFTER, -1, behind) if after else None,
    )


def _found(
    connection: Connection,
    source: Source[R],
    filters: Filters,
    order: Order,
    place: Place | None,
) -> _Found[R]:
    query, values = _page_query(source, filters, order, place)
    # Never a generic plan: which index is right depends on what was typed.
    rows = connection.execute(query, {**filters, **values}, prepare=False).fetchall()
    number = int(rows[0][0])
    shown = [row for row in rows[: lists.PAGE] if row[1] is not None]
    if place is not None and place.way is not Way.AFTER:
        shown.reverse()
    decoder = _decoder(source.row)
    return _Found(
        rows=tuple(decoder.decode(row[1]) for row in shown),
        values=tuple(tuple(row[2]) for row in shown),
        count=Count(number=min(number, lists.COUNT_MAX), capped=number > lists.COUNT_MAX),
        more=len(rows) > lists.PAGE,
    )


def everything(
    connection: Connection, source: Source[R], filters: Filters, order: Order
) -> Iterator[R]:
    """Every row of the filtered list, as of one moment, without holding them all."""
    query = _ALL.format(
        table=sql.SQL(source.table),
        where=_where(source, filters),
        data=sql.SQL(source.data),
        order=_order([sql.SQL(one.sql) for one in terms_of(source, order)], down=order.down),
    )
    decoder = _decoder(source.row)
    with connection.transaction(), connection.cursor(name="everything") as cursor:
        cursor.itersize = EXPORT_BATCH
        for (data,) in cursor.execute(query, filters):
            yield decoder.decode(data)


def how_many(connection: Connection, source: Source[R], filters: Filters) -> int:
    """All of them, without a cap: for a progress bar, never for a page."""
    query = _COUNT.format(table=sql.SQL(source.table), where=_where(source, filters))
    row = connection.execute(query, filters, prepare=False).fetchone()
    return 0 if row is None else int(row[0])


def _page_query(
    source: Source[R], filters: Filters, order: Order, place: Place | None
) -> tuple[sql.Composed, dict[str, object]]:
    """The query, and the values of the place that it is cut at."""
    terms = terms_of(source, order)
    named = [sql.SQL(one.sql) for one in terms]
    # What was found carries its terms as columns of their own; the key keeps its name.
    apart = [*(sql.Identifier(f"term_{n}") for n in range(len(terms) - 1)), named[-1]]
    at = values_at(source, order, place) if place and place.way is not Way.LAST else ()
    backwards = place is not None and place.way is not Way.AFTER
    down = order.down != backwards
    marks = [
        sql.SQL("{}::{}").format(sql.Placeholder(f"at_{n}"), sql.SQL(terms[n].kind.value))
        for n in range(len(at))
    ]
    query = (_PAGE if filters else _WHOLE).format(
        table=sql.SQL(source.table),
        where=_where(source, filters),
        key=named[-1],
        found=_comma("{} AS {}", zip(named, apart, strict=True)),
        data=sql.SQL(source.data),
        texts=_comma("({})::text", ((one,) for one in named)),
        order=_order(named, down=down),
        few_order=_order(apart, down=down),
        beside=_beside(named, marks, down=down),
        few_beside=_beside(apart, marks, down=down),
        count_max=sql.Literal(lists.COUNT_MAX),
        limit=sql.Literal(lists.PAGE + 1),
    )
    return query, {f"at_{n}": value for n, value in enumerate(at)}


def _comma(form: LiteralString, parts: Iterable[Sequence[sql.Composable]]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL(form).format(*part) for part in parts)


def _order(terms: Sequence[sql.Composable], *, down: bool) -> sql.Composed:
    return _comma("{} DESC" if down else "{} ASC", ((one,) for one in terms))


def _beside(
    terms: Sequence[sql.Composable], marks: Sequence[sql.Composable], *, down: bool
) -> sql.Composable:
    """Behind the place on the way that is read: below it on the way down."""
    if not marks:
        return sql.SQL("true")
    than = sql.SQL("<" if down else ">")
    return sql.SQL("({}) {} ({})").format(
        sql.SQL(", ").join(terms), than, sql.SQL(", ").join(marks)
    )


def _where(source: Source[R], filters: Filters) -> sql.Composable:
    conditions: list[LiteralString] = ["true"]
    for name in filters:
        conditions.append("false" if name == NOTHING else source.conditions[name])
    return sql.SQL(" AND ").join(sql.SQL(one) for one in conditions)


def _decoder(row: type[R]) -> msgspec.json.Decoder[R]:
    known = _DECODERS.get(row)
    if known is None:
        known = _DECODERS[row] = msgspec.json.Decoder(row)
    return known  # type: ignore[return-value]  # the dictionary maps a type to its own decoder
