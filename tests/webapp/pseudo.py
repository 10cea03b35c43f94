"""A language nobody speaks: every text of the catalogue in wide letters. What still stands on a
page in plain letters was never wrapped, unless it is data by one of the rules written here."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator
from gettext import c2py
from typing import Final

import lxml.html
from babel.messages.catalog import Catalog
from babel.support import NullTranslations
from lxml.html import HtmlElement

PLACE: Final = re.compile(r"%\(\w+\)[a-z]|%%")
WIDE: Final = {
    code: code + 0xFEE0 for code in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))
}

# Elements whose class or kind says that they hold data: ids, instants, keys, raw content.
DATA_ELEMENTS: Final = ", ".join(
    [
        *("script", "style", "template", "svg", "time", "pre", "kbd", "code", "q"),
        *(".id", ".brand", "[lang]:not(html)"),
    ]
)
SHOWN_ATTRIBUTES: Final = (
    "aria-label",
    "aria-description",
    "aria-roledescription",
    "aria-valuetext",
    "title",
    "placeholder",
    "alt",
    "label",
    "data-confirm",
    "data-done",
    "data-failed",
)
BUTTON_KINDS: Final = ("submit", "button", "reset")
# Proper names of products, providers and formats, the same in each language.
PROPER: Final = frozenset(
    {"Kontor", "Stripe", "SEPA", "TARGET", "IBAN", "BIC", "EUR", "PDF", "CSV", "XML", "SHA", "UTF"}
    | {"camt", "UTC", "DE", "EN", "PostgreSQL", "Valkey", "Hafenlicht", "Versicherung", "AG"}
)
PATTERNS: Final = (
    # Ids of ours, cut or whole, and numbers of documents, contracts, mandates, payouts.
    re.compile(r"\b[a-z]{2,6}_\w+"),
    re.compile(r"\b[A-Z][A-Z0-9]{0,5}(?:-[A-Z0-9]+)+(?:\.pdf)?\b"),
    # ISO reason codes, and hashes.
    re.compile(r"\b[A-Z]{2}\d{2}\b|\b[0-9a-f]{8,}\b"),
    # Masked and full account numbers.
    re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4})+\b|\b[A-Z]{2}\*\*"),
    re.compile(r"[\d.,]+\s?(?:kB|MB|ms|s)\b"),
    # Words of a provider, and months: Babel knows them in each language.
    re.compile(r"\b[a-z]+(?:_[a-z]+)+\b"),
    re.compile(rf"\b(?:{'|'.join(calendar.month_name[1:])}) \d{{4}}\b"),
)
LEFT: Final = re.compile(r"[A-Za-z]{2,}")


def wide(text: str) -> str:
    """`Work` in wide letters, places kept."""
    parts = PLACE.split(text)
    kept = [*PLACE.findall(text), ""]
    return "".join(p.translate(WIDE) + k for p, k in zip(parts, kept, strict=True))


class Pseudo(NullTranslations):
    """Knows the texts of the catalogue only: a text that extraction misses stays plain."""

    def __init__(self, known: Catalog) -> None:
        super().__init__()
        self.plural = c2py("n != 1")
        self.words: dict[str, tuple[str, str]] = {}
        for message in known:
            if message.id:
                one = message.id if isinstance(message.id, str) else message.id[0]
                many = message.id if isinstance(message.id, str) else message.id[1]
                self.words[one] = wide(one), wide(many)

    def gettext(self, message: str) -> str:
        return self.words[message][0] if message in self.words else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        if msgid1 not in self.words:
            return msgid1 if n == 1 else msgid2
        return self.words[msgid1][0 if n == 1 else 1]

    ugettext, ungettext = gettext, ngettext


class Data:
    """What may stand in plain letters: names and numbers from the tables, and codes, which only
    count where they are the whole text of their place."""

    def __init__(
        self, names: Iterable[str], codes: Iterable[str] = (), elements: str = DATA_ELEMENTS
    ) -> None:
        self.elements = elements
        found = {name.strip() for name in names if LEFT.search(name)}
        self.codes = frozenset(codes)
        longest_first = sorted(found, key=len, reverse=True)
        any_of = "|".join(map(re.escape, longest_first)) or r"(?!)"
        self.names = re.compile(rf"(?<!\w)(?:{any_of})(?!\w)")

    def left(self, text: str) -> list[str]:
        """The plain words of a text that no rule explains."""
        text = " ".join(text.split())
        if text in self.codes:
            return []
        text = self.names.sub(" ", text)
        for pattern in PATTERNS:
            text = pattern.sub(" ", text)
        return [word for word in LEFT.findall(text) if word not in PROPER]


def unwrapped(html: str, data: Data) -> list[str]:
    """Every visible text of a page with words in it that nobody translates."""
    tree = lxml.html.document_fromstring(html)
    for element in tree.cssselect(data.elements):
        _forget_text(element)
    return [f"{where}: {text!r}" for where, text in _texts(tree) if data.left(text)]


def _forget_text(element: HtmlElement) -> None:
    """Without its text, but with its attributes: a label on data is still a text."""
    for child in list(element):
        element.remove(child)
    element.text = None


def _texts(tree: HtmlElement) -> Iterator[tuple[str, str]]:
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        yield element.tag, element.text or ""
        yield element.tag, element.tail or ""
        for name in SHOWN_ATTRIBUTES:
            yield f"{element.tag}[{name}]", element.get(name, "")
        if element.tag == "input" and element.get("type") in BUTTON_KINDS:
            yield "input[value]", element.get("value", "")
