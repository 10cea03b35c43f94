"""The fields of a camt.053.001.08 statement: texts, signed amounts, dates. A field that cannot be
read refuses the whole statement with a sentence; nothing here knows how fields belong together."""

import re
from datetime import UTC, date, datetime
from typing import TypeAlias

from lxml import etree

from domain.kernel.message import Refused
from domain.kernel.money import Cents
from domain.kernel.time import BERLIN, berlin_date

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
N = f"{{{NAMESPACE}}}"
TEXT_CHARS_MAX = 500
"""What a bank prints for people; four remittance lines of 140 are the most a SEPA payment has."""
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,5})?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")
_SIGN = {"CRDT": 1, "DBIT": -1}

Element: TypeAlias = etree._Element


class StatementRefused(Refused):
    """The file is not imported, not even in part: a sentence and its values."""


def text(element: Element | None, *path: str) -> str:
    """The text at the end of the path, "" where there is none."""
    if element is None:
        return ""
    found = element.findtext("/".join(N + name for name in path))
    return (found or "").strip()[:TEXT_CHARS_MAX]


def signed(element: Element) -> Cents:
    """The amount of an entry or balance with its sign."""
    amount = element.find(f"{N}Amt")
    written = "" if amount is None else (amount.text or "").strip()
    currency = "" if amount is None else amount.get("Ccy", "")
    if currency != "EUR":
        raise StatementRefused(
            "An amount is in %(currency)s, not in EUR.", currency=currency[:3] or "?"
        )
    if not _AMOUNT.fullmatch(written):
        raise StatementRefused("%(text)r is no amount.", text=written[:40])
    whole, _, decimals = written.partition(".")
    if decimals[2:].strip("0"):
        raise StatementRefused("%(text)s has parts of a cent.", text=written)
    sign = _SIGN.get(text(element, "CdtDbtInd"))
    if sign is None:
        raise StatementRefused("The amount %(text)s is neither credit nor debit.", text=written)
    return sign * (int(whole) * 100 + int(decimals[:2].ljust(2, "0")))


def date_of(element: Element, name: str, where: str) -> date:
    """The date, or the date of the instant, inside the field `name`."""
    written = text(element, name, "Dt") or text(element, name, "DtTm")
    if not written:
        raise StatementRefused("There is no date %(name)s in %(where)s.", name=name, where=where)
    return day(written)


def day(written: str) -> date:
    """A date, or the Berlin date of an instant."""
    match = _DATE.fullmatch(written)
    if match is None:
        return berlin_date(instant(written))
    try:
        return date.fromisoformat(match[1])
    except ValueError as error:
        raise StatementRefused("%(text)r is no date.", text=written[:40]) from error


def instant(written: str) -> datetime:
    """Without an offset it is Berlin time, as German banks mean it."""
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=BERLIN)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise StatementRefused("%(text)r is no point in time.", text=written[:40]) from error


def number(written: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", written):
        raise StatementRefused("%(text)r is no sequence number.", text=written[:40])
    return int(written)


def compact(iban: str) -> str:
    return iban.replace(" ", "").upper()
