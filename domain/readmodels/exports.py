"""What a list is when it is written to a file: its cells and its rows. What a person asked is data
(the filters and the order); head and words come from the web app, in the reader's language."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TypeVar

import msgspec

from domain.kernel.value import Value
from domain.readmodels import lists, paging
from domain.stream.database import Connection

R = TypeVar("R", bound=msgspec.Struct)


class Kind(StrEnum):
    """How a cell is written. A WORD is looked up in the reader's words."""

    TEXT = "text"
    WORD = "word"
    DAY = "day"
    INSTANT = "instant"
    MONEY = "money"
    NUMBER = "number"
    JSON = "json"


class Column(Value):
    """`of` reads the cell where it is more than the row's field of that name."""

    name: str
    kind: Kind = Kind.TEXT
    of: Callable[[msgspec.Struct], object] | None = None


class Asked(Value):
    """The list as the person saw it: `filters` are those of its query, as JSON has them."""

    filters: dict[str, object]
    order: str


class Dress(Value):
    """Headings and words as the person reads them; `words`: column -> value -> text."""

    locale: str
    head: tuple[str, ...]
    words: dict[str, dict[str, str]] = {}


class Exportable(msgspec.Struct, frozen=True, kw_only=True):
    """A list as a file: `how_many` rows there will be (None: nobody counted), and the rows."""

    columns: tuple[Column, ...]
    how_many: Callable[[Connection, Asked], int | None]
    rows: Callable[[Connection, Asked], Iterator[msgspec.Struct]]


def of_source(source: lists.Source[R], columns: tuple[Column, ...]) -> Exportable:
    """A list of the shared kind."""

    def rows(connection: Connection, asked: Asked) -> Iterator[msgspec.Struct]:
        order = lists.order_of(source, asked.order)
        return paging.everything(connection, source, asked.filters, order)

    return Exportable(
        columns=columns,
        how_many=lambda connection, asked: paging.how_many(connection, source, asked.filters),
        rows=rows,
    )


def cells(columns: tuple[Column, ...], row: msgspec.Struct) -> list[object]:
    return [one.of(row) if one.of is not None else getattr(row, one.name) for one in columns]
