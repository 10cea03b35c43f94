"""Tables for spreadsheets in German dress: semicolons, decimal commas, a byte order mark. No cell
of ours is ever calculated by the program that opens it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from domain.kernel.time import BERLIN
from domain.readmodels.exports import Kind

# The full-width forms are formulas to East Asian editions.
FORMULA_STARTS: Final = frozenset("=+-@\t\r\n＝＋－＠")
# What a program may drop before it looks at the first sign.
UNSEEN: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_LINES: Final = re.compile(r"(\r\n|\r|\n)")


def harmless(cell: str) -> str:
    """Text that a spreadsheet takes as text, in every line of it."""
    # Nearly all cells are one line that begins with a letter or a digit.
    if cell[:1].isalnum() and "\n" not in cell and "\r" not in cell:
        return cell
    return "".join(part if n % 2 else _quoted(part) for n, part in enumerate(_LINES.split(cell)))


def _quoted(line: str) -> str:
    for sign in line:
        if sign in FORMULA_STARTS:
            return f"'{line}"
        if unicodedata.category(sign) not in UNSEEN:
            break
    return line


def money(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(str(value))


# Only sums and counts, which we wrote ourselves, may begin with a minus.
_WRITERS: Final[Mapping[Kind, Callable[[Any], str]]] = {
    Kind.TEXT: _text,
    Kind.WORD: _text,
    Kind.MONEY: money,
    Kind.NUMBER: str,
    Kind.DAY: lambda day: f"{day:%d.%m.%Y}",
    Kind.INSTANT: lambda at: f"{at.astimezone(BERLIN):%d.%m.%Y %H:%M:%S}",
    Kind.JSON: lambda value: harmless(msgspec.json.encode(value).decode()),
}


def writer(kind: Kind, words: Mapping[str, str]) -> Callable[[object], str]:
    """How the cells of a column are written; what is not known is an empty cell."""
    write = _WRITERS[kind]
    if kind is Kind.WORD:
        return lambda value: "" if value is None else write(words.get(str(value), value))
    return lambda value: "" if value is None else write(value)


class Sheet:
    """A file in the making: rows go in, bytes come out."""

    def __init__(self, head: Sequence[str]) -> None:
        self._buffer = io.StringIO()
        self._buffer.write("\ufeff")
        self._writer = csv.writer(self._buffer, delimiter=";", lineterminator="\r\n")
        self._writer.writerow([harmless(cell) for cell in head])

    def add(self, cells: Sequence[str]) -> None:
        self._writer.writerow(cells)

    @property
    def chars(self) -> int:
        return self._buffer.tell()

    def take(self) -> bytes:
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text.encode()
