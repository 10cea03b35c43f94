"""`./run texts`: collects every text of the source into the catalogues and says
what is missing. It translates nothing; a text without words is an error, never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from config import ROOT
from domain.payments.rules import CODES, REFUND_CODES, UNKNOWN_CODE, UNKNOWN_REFUND_CODE
from webapp.languages import DEFAULT, FOLDER, LANGUAGES

SOURCES: Final = (
    ("webapp/templates", "**.html", "jinja2"),
    ("webapp", "**.py", "python"),
    ("domain", "**.py", "python"),
    ("jobs", "**.py", "python"),
)
STORED: Final = dict.fromkeys(("N_", "Refused", "StatementRefused", "unrecognised"))
"""Said where nobody is translated to; their first argument is the message."""
KEYWORDS: Final = {**DEFAULT_KEYWORDS, **STORED}
PLACES: Final = re.compile(r"%\((\w+)\)([a-z])")
CATALOGUES: Final = [name for name in LANGUAGES if name != DEFAULT]


def collect() -> Catalog:
    """Every text of the source, without words."""
    found = Catalog(project="Kontor", copyright_holder="Kontor")
    for folder, pattern, how in SOURCES:
        for path, _line, text, _comments, context in extract_from_dir(
            ROOT / folder, [(pattern, how)], keywords=KEYWORDS
        ):
            found.add(text, None, [(f"{folder}/{path}", 0)], context=context)
    for text in _of_tables():
        found.add(text, None, [("domain/payments/rules.py", 0)])
    return found


def _of_tables() -> Iterator[str]:
    """Words that stand in tables of the domain and not in a call."""
    rules = [*CODES.values(), UNKNOWN_CODE, *REFUND_CODES.values(), UNKNOWN_REFUND_CODE]
    for rule in rules:
        yield rule.meaning
        yield rule.what_to_do


def update(language: str) -> Catalog:
    """The language's file with exactly the texts of the source: new ones empty, old ones gone."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        known = read_po(file, locale=language)
    known.update(collect(), no_fuzzy_matching=True, update_creation_date=False)
    known.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, known, width=100, include_lineno=False, sort_by_file=True)
    return known


def problems(known: Catalog, source: Catalog) -> list[str]:
    """What a reader of this language would stumble over; nothing when the catalogue is complete."""
    here = {_key(message) for message in known if message.id}
    there = {_key(message) for message in source if message.id}
    found = [f"not in the catalogue: {key}" for key in sorted(there - here)]
    found += [f"no text of the source: {key}" for key in sorted(here - there)]
    found += [f"obsolete: {key}" for key in known.obsolete]
    for message in known:
        if message.id:
            found += [f"{wrong}: {_key(message)}" for wrong in _faults(message)]
    return found


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _faults(message: Message) -> Iterator[str]:
    texts, words = _forms(message.id), _forms(message.string)
    if message.fuzzy:
        yield "fuzzy"
    if len(words) != len(texts) or not all(words):
        yield "without words"
        return
    for text, said in zip(texts, words, strict=True):
        if set(PLACES.findall(text)) != set(PLACES.findall(said)):
            yield "other places"
        if (text[:1].isspace(), text[-1:].isspace()) != (said[:1].isspace(), said[-1:].isspace()):
            yield "other space around it"
        if "!" in said:
            yield "exclamation mark"


def _forms(texts: str | Iterable[str] | None) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts or ())
