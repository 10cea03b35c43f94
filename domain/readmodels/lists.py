"""Lists that may be long: what a list is made of (its sorts, its filters, its key), and the places
in it where a page begins. `paging` asks the database."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, LiteralString, TypeVar
from uuid import UUID

import msgspec

from domain.kernel.value import Value

PAGE = 50
COUNT_MAX = 10_000
"""Counting stops here and says "over": nobody reads further, and a count costs a scan."""
TEXT_MAX = 1_000
"""Characters of a text in a place; an index of PostgreSQL takes no more than about 2,700 bytes."""
BIGINT_MAX = 2**63 - 1
NOTHING = "nothing"
"""A condition that every source has: no row."""

R = TypeVar("R", bound=msgspec.Struct)
R_co = TypeVar("R_co", bound=msgspec.Struct, covariant=True)


class Kind(StrEnum):
    """What a term is; the value is PostgreSQL's name of the type."""

    TEXT = "text"
    NUMBER = "bigint"
    DAY = "date"
    INSTANT = "timestamptz"
    UUID = "uuid"


class Term(Value):
    """An expression over a row that is never NULL, and has an index with the key behind it."""

    sql: LiteralString
    kind: Kind


class Sort(Value):
    """By which terms, the first one first. The source's key stands behind them as tie-breaker.
    `down` is the direction that people want first."""

    terms: tuple[Term, ...]
    down: bool = False


class Order(Value):
    """A sort of the source, by name, and its direction."""

    sort: str
    down: bool = False


class Source(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """A list: rows of `table`, whose `key` is unique. `conditions` are named; a filter is a value
    for one of them. Everything a person typed is a parameter, all SQL is a constant. `data` makes
    the JSON of a `row` from the table's row `t`; it is asked for the rows of a page only."""

    table: LiteralString
    row: type[R_co]
    key: Term
    sorts: Mapping[str, Sort]
    conditions: Mapping[str, LiteralString]
    data: LiteralString = "to_jsonb(t)"


Filters = Mapping[str, object]
"""The name of a condition -> its value, which stands in the condition as `%(name)s`."""


class Way(StrEnum):
    AFTER = "after"
    BEFORE = "before"
    LAST = "last"


class Place(Value):
    """Where a page begins (AFTER) or ends (BEFORE): beside the row with these values. `position`
    counts the rows in front of that spot, None when nobody knows."""

    way: Way
    sort: str = ""
    values: tuple[str, ...] = ()
    key: str = ""
    position: int | None = None


LAST = Place(way=Way.LAST)


class Count(Value):
    """`capped`: there are more than `number`."""

    number: int
    capped: bool = False


class Page(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """`first` is the position of the first row, from 1, None when nobody knows. `before` and
    `after` are the places of the pages beside it, None where the list ends."""

    rows: tuple[R_co, ...]
    count: Count
    first: int | None
    before: Place | None = None
    after: Place | None = None


def text_of(order: Order) -> str:
    """`debit`, or `-debit` for downwards: as it stands in addresses."""
    return f"-{order.sort}" if order.down else order.sort


def order_of(source: Source[R], text: str) -> Order:
    """Raises ValueError for a sort that this list does not have."""
    name = text.removeprefix("-")
    if name not in source.sorts:
        raise ValueError(text)
    return Order(sort=name, down=text.startswith("-"))


def terms_of(source: Source[R], order: Order) -> tuple[Term, ...]:
    """What the rows are compared by: those of the sort, then the key."""
    return (*source.sorts[order.sort].terms, source.key)


def values_at(source: Source[R], order: Order, place: Place) -> tuple[object, ...]:
    """The values of `terms_of` beside the place. Raises ValueError for a place of another order,
    or with values that its columns cannot have: the database is not asked."""
    terms = terms_of(source, order)
    if place.sort != text_of(order) or len(place.values) != len(terms) - 1:
        raise ValueError("a place of another order")
    if place.position is not None and not 0 <= place.position <= BIGINT_MAX:
        raise ValueError("no position")
    texts = (*place.values, place.key)
    return tuple(_value(one.kind, text) for one, text in zip(terms, texts, strict=True))


def _value(kind: Kind, text: str) -> object:
    """What the text means in that type: Python and PostgreSQL do not read the same spellings."""
    if len(text) > TEXT_MAX or "\0" in text:
        raise ValueError("no text")
    match kind:
        case Kind.NUMBER:
            number = int(text)
            if not -BIGINT_MAX <= number <= BIGINT_MAX:
                raise ValueError("no number")
            return number
        case Kind.DAY | Kind.INSTANT if text in ("infinity", "-infinity"):
            return text
        case Kind.DAY:
            return date.fromisoformat(text)
        case Kind.INSTANT:
            return datetime.fromisoformat(text)
        case Kind.UUID:
            return UUID(text)
        case Kind.TEXT:
            return text
