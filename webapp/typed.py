"""What people type, before anybody looks at it: no invisible signs, no endless texts, no address
that cannot be one of ours."""

from __future__ import annotations

import unicodedata

from flask import abort

from domain.kernel.ids import MalformedId, read_id

KEPT = ("\n", "\t")
INVISIBLE = frozenset({"Cc", "Cs", "Cn", "Co"})
"""Unicode categories: control, halves of pairs, unassigned, private. PostgreSQL refuses some."""


def typed(text: str | None, limit: int) -> str:
    """The text without control signs, trimmed and cut. Emoji are joined by format signs: kept."""
    unified = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    seen = (sign for sign in unified if sign in KEPT or unicodedata.category(sign) not in INVISIBLE)
    return "".join(seen).strip()[:limit]


def known(text: str, prefix: str) -> None:
    """404 for what is no id of that kind: the database is not even asked."""
    try:
        read_id(text, prefix)
    except MalformedId:
        abort(404)


POSITION_MAX = 2**62
"""Below PostgreSQL's largest number, far beyond any stream."""


def position(text: str | None) -> int | None:
    """`#1.204.881` as well as `1204881`; anything else is no position."""
    digits = (text or "").strip().lstrip("#").replace(".", "")
    return min(int(digits), POSITION_MAX) if digits.isascii() and digits.isdigit() else None
