"""No personal datum stands outside `sealed` and the read models: whatever is sealed in any event is
looked for in every readable column of every durable table."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import LiteralString, TypeAlias
from uuid import UUID

from psycopg import sql

from domain.kernel.value import Value
from domain.stream.database import Connection
from domain.stream.keys import Opener
from jobs.check.broken import Broken

SHORTEST = 5
"""Shorter names stand in other texts by chance."""
TEXT_SHORTEST = 10
"""Of what people write only this much, and more than a word, is nobody else's words: a remittance
may be an invoice's number, and a note one word that our states use, too."""
ROWS_AT_ONCE = 5_000
"""Fetched in one go: bounded memory, few round trips."""

Found: TypeAlias = dict[str, list[re.Pattern[str]]]
"""What to look for, by a word of it. A row without that word needs no closer look."""

_READABLE = ("text", "character varying", "jsonb", "json", "ARRAY")
_SEALED: LiteralString = """
SELECT e.event_id, e.sealed, e.subject, e.purpose, k.wrapped
  FROM event e JOIN subject_key k USING (subject, purpose) WHERE e.sealed IS NOT NULL
"""
_WORD = re.compile(r"[^\W_]+")
_NAMES = frozenset({"name", "street", "email", "recipient"})
_APART = r"[ \u00a0]?"


class Datum(Value):
    """One thing to look for. `words` are the words that any spelling of it begins with."""

    words: tuple[str, ...]
    pattern: str


def personal_data(connection: Connection) -> Iterator[Broken]:
    """Asked in a transaction: what is read is more than memory should hold."""
    wanted = _by_word(_data(connection))
    for table, column in _columns(connection):
        for where in _holding(connection, table, column, wanted):
            yield Broken(
                invariant="personal data",
                subject=f"{table}.{column}",
                what=f"it holds a person's datum in clear (row {where})",
            )


def _data(connection: Connection) -> set[Datum]:
    """All that is sealed and not erased, as it stands in clear while decided."""
    found: set[Datum] = set()
    opener = Opener(connection.kek)
    with connection.cursor(name="sealed", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for event_id, sealed, subject, purpose, wrapped in cursor.execute(_SEALED):
            aad = UUID(str(event_id)).bytes
            clear = opener.open_row((subject, purpose), wrapped, sealed, aad)
            found.update(_of_fields(json.loads(clear or "{}")))
    return found


def _of_fields(fields: dict[str, object]) -> Iterator[Datum]:
    match fields:
        case {"postcode": str(postcode), "city": str(city)}:
            yield from _place(postcode, city)
    for name, value in fields.items():
        for text in value if isinstance(value, list) else [value]:
            if not isinstance(text, str) or name in ("postcode", "city"):
                continue
            if name == "iban":
                yield from _account(text)
            elif len(text) >= (SHORTEST if name in _NAMES else TEXT_SHORTEST) and (
                name in _NAMES or " " in text
            ):
                yield Datum(words=tuple(_WORD.findall(text)), pattern=re.escape(text))


def _place(postcode: str, city: str) -> Iterator[Datum]:
    """Together in any spelling, and the postcode as a value of its own. Of a number it is a part,
    and a city alone is nobody's."""
    code = re.escape(postcode)
    together = rf"\b{code}\W+(?:\w+\W+)?{re.escape(city)}\b"
    yield Datum(words=(postcode,), pattern=rf'"{code}"|\A{code}\Z|{together}')


def _account(iban: str) -> Iterator[Datum]:
    """Compact or in fours."""
    yield Datum(words=(iban,), pattern=re.escape(iban))
    yield Datum(words=(iban[:4],), pattern=_APART.join(re.escape(sign) for sign in iban))


def _by_word(data: Collection[Datum]) -> Found:
    """Each under that word of it which the fewest share."""
    shared = Counter(word for one in data for word in set(one.words))
    found: Found = {}
    for one in data:
        if one.words:
            rarest = min(one.words, key=lambda word: (shared[word], -len(word), word))
            found.setdefault(rarest, []).append(re.compile(one.pattern))
    return found


def _columns(connection: Connection) -> list[tuple[str, str]]:
    """Durable tables only; who works here stands in `staff` by name."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name NOT LIKE 'staff%%'"
        " AND data_type = ANY(%s) ORDER BY 1, 2",
        (list(_READABLE),),
    ).fetchall()
    return [(str(table), str(column)) for table, column in rows]


def _holding(connection: Connection, table: str, column: str, wanted: Found) -> Iterator[str]:
    query = sql.SQL("SELECT ctid::text, {0}::text FROM {1} WHERE {0} IS NOT NULL").format(
        sql.Identifier(column), sql.Identifier(table)
    )
    with connection.cursor(name="readable") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for where, text in cursor.execute(query):
            if "\\" in text:
                text = text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
            for word in wanted.keys() & set(_WORD.findall(text)):
                if any(pattern.search(text) for pattern in wanted[word]):
                    yield where
                    break
