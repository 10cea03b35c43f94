"""How amounts, dates, account numbers and deadlines look, and how a typed amount is read. Always
German, whatever the language of the words; times are Europe/Berlin. It looks nothing up."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from markupsafe import Markup

from domain.kernel.message import Refused
from domain.kernel.money import Cents
from domain.kernel.time import BERLIN, is_target_day

NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
# Nobody types more; beyond it a number is a mistake, not a premium.
EUROS_MAX: Final = 99_999_999
# Counting working days further away helps no reader.
COUNTED_DAYS_MAX: Final = 60


def number(value: int) -> str:
    """`10.000`"""
    sign = MINUS if value < 0 else ""
    return sign + f"{abs(value):,}".replace(",", ".")


def money(cents: Cents | None) -> str:
    """`1.234,50 €`; unknown is nothing: the place beside it says the word."""
    if cents is None:
        return ""
    euros, rest = divmod(abs(cents), 100)
    sign = MINUS if cents < 0 else ""
    return f"{sign}{number(euros)},{rest:02d}{NBSP}€"


def money_plain(cents: Cents) -> str:
    """`1234,50`: the value of an input field."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def day_text(value: date) -> str:
    return f"{value:%d.%m.%Y}"


def instant_text(value: datetime) -> str:
    return f"{value.astimezone(BERLIN):%d.%m.%Y %H:%M}"


def day(value: date | None) -> Markup:
    """`09.11.2026` with its machine value."""
    return _time(value.isoformat(), day_text(value)) if value else Markup("")


def when(value: datetime | None) -> Markup:
    """`09.11.2026 10:31`"""
    return _time(_machine(value), instant_text(value)) if value else Markup("")


def day_of(value: datetime | None) -> Markup:
    """Only the Berlin date of an instant."""
    return _time(_machine(value), instant_text(value)[:10]) if value else Markup("")


def time_of_day(value: datetime | None, *, seconds: bool = False) -> Markup:
    """`10:31`, or `10:31:07`."""
    if value is None:
        return Markup("")
    pattern = "%H:%M:%S" if seconds else "%H:%M"
    return _time(_machine(value), f"{value.astimezone(BERLIN):{pattern}}")


def _machine(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _time(machine: str, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, text)


def working_days_between(start: date, end: date) -> int:
    """TARGET days after `start` up to and including `end`; negative when `end` lies before."""
    if end < start:
        return -working_days_between(end, start)
    span = min((end - start).days, COUNTED_DAYS_MAX * 2)
    return sum(is_target_day(start + timedelta(days=n)) for n in range(1, span + 1))


def iban(value: str) -> str:
    """In fours."""
    compact = value.replace(" ", "").upper()
    return " ".join(compact[n : n + 4] for n in range(0, len(compact), 4))


def iban_masked(value: str) -> str:
    """`DE** **** 4410`; also from the country and last four alone."""
    compact = value.replace(" ", "").upper()
    return f"{compact[:2]}**{NBSP}****{NBSP}{compact[-4:]}" if len(compact) >= 6 else ""


_DAY: Final = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"|(?P<d>[0-9]{1,2})[.,] ?(?P<m>[0-9]{1,2})[.,] ?(?P<y>[0-9]{4}|[0-9]{2})"
)
"""`2026-11-09` as addresses have it, `9.11.2026` and `09.11.26` as people write."""
_SLASHES: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
YEARS: Final = range(1900, 2201)
"""A week either way must still be a day for whoever reckons with it."""


def parse_day(typed: str) -> date:
    """The day of `9.11.2026`, `09.11.26` or `2026-11-09`. Raises Refused with a sentence, or with
    a question where the text has two readings: it never guesses."""
    text = typed.strip()
    if not text:
        raise Refused("Choose a day.")
    if both := _SLASHES.fullmatch(text):
        one, other, year = (int(part) for part in both.groups())
        german, american = _day_of(year, other, one), _day_of(year, one, other)
        if german and american and german != american:
            raise Refused("Do you mean %(first)s or %(second)s?", first=german, second=american)
    elif found := _DAY.fullmatch(text):
        year, month, day = (int(part) for part in _parts(found))
        if known := _day_of(year, month, day):
            return known
    raise Refused("This is not a day. Write it like 09.11.2026.")


def _parts(found: re.Match[str]) -> tuple[str, str, str]:
    if found["year"]:
        return found["year"], found["month"], found["day"]
    return found["y"] if len(found["y"]) > 2 else f"20{found['y']}", found["m"], found["d"]


def _day_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in YEARS else None
    except ValueError:
        return None


def typed_day(text: str) -> str:
    """What stands in a field for a day: `09.11.2026`, or what was typed when it is none."""
    try:
        return day_text(parse_day(text))
    except Refused:
        return text


_TYPED: Final = re.compile(r"[0-9.,]+")
_SHAPES: Final = (
    # 49   1234
    re.compile(r"(?P<euros>[0-9]+)"),
    # 49,90   49.90   49,9
    re.compile(r"(?P<euros>[0-9]+)[.,](?P<cents>[0-9]{1,2})"),
    # 1.234,50
    re.compile(r"(?P<euros>[0-9]{1,3}(?:\.[0-9]{3})+),(?P<cents>[0-9]{1,2})"),
    # 1,234.50
    re.compile(r"(?P<euros>[0-9]{1,3}(?:,[0-9]{3})+)\.(?P<cents>[0-9]{1,2})"),
    # 1.234.567 can only be grouped
    re.compile(r"(?P<euros>[1-9][0-9]{0,2}(?:(?P<sep>[.,])[0-9]{3})(?:(?P=sep)[0-9]{3})+)"),
)
_AMBIGUOUS: Final = re.compile(r"(?P<head>[1-9][0-9]{0,2})[.,](?P<tail>[0-9]{3})")


def parse_amount(typed: str) -> Cents:
    """The cents of `49,90`, `49.90` or `1.234,50`. Raises Refused with a sentence, or with a
    question where the text has two readings: it never guesses."""
    text = re.sub(r"(?i)[\s\u00a0\u202f]|€|EUR$", "", typed.strip())
    if not text:
        raise Refused("Enter an amount.")
    if text[0] in "-\u2212":
        raise Refused("Enter an amount without a minus sign.")
    if not _TYPED.fullmatch(text) or len(text) > 20:
        raise Refused("This is not an amount. Write it like 49,90.")
    if both := _AMBIGUOUS.fullmatch(text):
        head, tail = both["head"], both["tail"]
        raise Refused(
            "Do you mean %(thousands)s or %(decimals)s?",
            thousands=money(int(head + tail) * 100),
            decimals=money(int(head) * 100 + int(tail[:2])),
        )
    for shape in _SHAPES:
        if found := shape.fullmatch(text):
            return _checked(found)
    raise Refused("This is not an amount. Write it like 49,90.")


def _checked(found: re.Match[str]) -> Cents:
    parts = found.groupdict()
    euros = int(re.sub(r"[.,]", "", parts["euros"]))
    if euros > EUROS_MAX:
        raise Refused("This amount is too large.")
    cents = euros * 100 + int((parts.get("cents") or "").ljust(2, "0"))
    if cents == 0:
        raise Refused("The amount has to be more than %(nothing)s.", nothing=money(0))
    return cents
