"""Tables for spreadsheets in German dress: semicolons, decimal commas, a byte order mark. No cell
of ours is ever calculated by the program that opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# Large enough that a chunk costs little, small enough that the download starts at once.
FLUSH_CHARS: Final = 32_000


class Plain(str):
    """A cell that we wrote ourselves, such as an amount: it may begin with a minus."""

    __slots__ = ()


def harmless(cell: str) -> str:
    """Text that a spreadsheet takes as text."""
    if isinstance(cell, Plain) or not cell.lstrip(" ").startswith(FORMULA_STARTS):
        return cell
    return f"'{cell}"


def lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The file in chunks, while the rows are still being read."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        if buffer.tell() > FLUSH_CHARS:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
