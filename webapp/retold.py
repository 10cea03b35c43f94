"""Refusals that were written down as English sentences, told again in the reader's language. What
is no sentence of ours, such as the message of an exception, stays English and says so."""

from __future__ import annotations

import re
from ast import literal_eval
from datetime import date
from functools import cache
from typing import Final

import flask_babel
from markupsafe import Markup

from domain.kernel.money import Amount
from webapp.languages import LANGUAGES, catalogue
from webapp.texts import presentable

PLACE: Final = re.compile(r"%\((\w+)\)([a-z])")
SHAPES: Final = {"d": r"-?\d+", "r": r"'.*'|\".*\"", "s": r".*?"}
AMOUNT: Final = re.compile(r"(-?\d+)\.(\d\d) EUR")
MACHINES_WORDS: Final = frozenset({"reason", "error"})
"""Places that hold what a machine said."""
TOLD_MAX: Final = 2_000
"""No refusal of ours is longer, and a pattern takes its time with a page."""
SHOWN_MAX: Final = 300
"""An exception can be a page long; its beginning says what it is."""


def retold(stored: str | None) -> Markup:
    """`Refused: …` and plain refusals become the reader's; anything else is marked as English."""
    if not stored:
        return Markup("")
    try:
        if told := _in_our_words(stored):
            return told
    except (ValueError, SyntaxError):
        pass  # a file or a provider wrote it: it only looks like one of ours
    cut = stored if len(stored) <= SHOWN_MAX else f"{stored[:SHOWN_MAX]}…"
    return Markup('<span lang="en">{}</span>').format(cut)


def _in_our_words(stored: str) -> Markup | None:
    for pattern, message, kinds in _patterns() if len(stored) <= TOLD_MAX else ():
        if found := pattern.fullmatch(stored):
            texts = found.groupdict()
            values = {name: _value(name, kinds[name], text) for name, text in texts.items()}
            words: str = flask_babel.gettext(message)
            return Markup(words) % values  # noqa: S704 - a text of the source or its translation
    return None


def _value(name: str, kind: str, text: str) -> object:
    if kind == "d":
        return int(text)
    if kind == "r":
        return str(literal_eval(text))
    if name in MACHINES_WORDS:
        return retold(text)
    if amount := AMOUNT.fullmatch(text):
        sign = -1 if text.startswith("-") else 1
        return presentable(name, Amount(int(amount[1]) * 100 + sign * int(amount[2])))
    try:
        return presentable(name, date.fromisoformat(text))
    except ValueError:
        return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, dict[str, str]]]:
    """Of every refusal, the longest first: the most exact one wins."""
    found = []
    for message in catalogue(next(iter(LANGUAGES))):
        said = [name for name, _line in message.locations if name.startswith(("domain/", "jobs/"))]
        if said and isinstance(message.id, str):
            kinds = dict(PLACE.findall(message.id))
            pattern = re.compile(f"(?:Refused: )?{_shape(message.id)}", re.DOTALL)
            found.append((pattern, message.id, kinds))
    return sorted(found, key=lambda one: len(PLACE.sub("", one[1])), reverse=True)


def _shape(message: str) -> str:
    parts = PLACE.split(message)
    shape = re.escape(parts[0])
    for name, kind, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        shape += f"(?P<{name}>{SHAPES[kind]}){re.escape(text)}"
    return shape
