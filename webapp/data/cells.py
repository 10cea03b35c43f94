"""How the data browser shows a cell: German amounts and dates, long texts cut in the list and whole
on the page of the row."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from markupsafe import Markup

from domain.readmodels.exports import Kind
from webapp import format as fmt

CUT_CHARS: Final = 22
UUID_CHARS: Final = 13
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WHOLE_CHARS: Final = 20_000
"""A page stays a page; the CSV file has it all."""


def in_list(kind: Kind, value: object) -> str:
    text = _plain(kind, value)
    if isinstance(text, Markup):
        return text
    if UUID.fullmatch(text):
        return f"{text[:UUID_CHARS]}…"
    return text if len(text) <= CUT_CHARS else f"{text[: CUT_CHARS - 1]}…"


def in_detail(kind: Kind, value: object) -> str:
    if kind is Kind.JSON and value is not None:
        pretty = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        return Markup("<pre>{}</pre>").format(_cut(pretty))
    return _cut(_plain(kind, value))


def _cut(text: str) -> str:
    return text if len(text) <= WHOLE_CHARS else f"{text[:WHOLE_CHARS]}…"


def _plain(kind: Kind, value: object) -> str:
    match kind, value:
        case _, None:
            return ""
        case _, bool():
            return "true" if value else "false"
        case Kind.MONEY, int():
            return fmt.money(value)
        case Kind.DAY, _:
            return fmt.day(value)  # type: ignore[arg-type]  # as the row says
        case Kind.INSTANT, _:
            return fmt.when(value)  # type: ignore[arg-type]  # as the row says
        case Kind.JSON, _:
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
