"""Words on screens: the translation function with types, and sentences of the domain in the
reader's language. The source language of every text is English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, TypeVar, cast

import flask_babel
from markupsafe import Markup

from domain.kernel.message import Refused
from domain.kernel.money import Amount
from webapp import format as fmt

K = TypeVar("K", bound=str)
_WORDS: Final[dict[type | str, Mapping[object, Callable[[], str]]]] = {}
# Integers of these names inside a refusal are cents; all other integers are counts.
MONEY_NAMES: Final = frozenset(
    {"amount", "left", "limit", "collected", "refunded", "reserved", "fee"}
)


def _(message: str, **values: object) -> str:
    """The message in the reader's language, with its `%(name)s` places filled."""
    text: str = flask_babel.gettext(message, **values)
    return text


def ngettext(singular: str, plural: str, count: int, **values: object) -> str:
    """The message that fits the count, which also fills `%(count)s`."""
    named = {"count": fmt.number(count), **values}
    text: str = flask_babel.ngettext(singular, plural, count, **named)
    return text


def counted(singular: str, plural: str, count: int, **values: object) -> Markup:
    """`ngettext` for templates: the text is ours, the values are escaped."""
    words = flask_babel.get_translations().ungettext(singular, plural, count)
    named = {"count": fmt.number(count), "num": count, **values}
    return Markup(words) % named  # noqa: S704 - a text of the source or its translation


def N_(message: str) -> str:
    """Marks a text for extraction; it is translated when it is shown."""
    return message


def told_as(values: Mapping[K, Callable[[], str]], kind: type[K] | str) -> None:
    """Gives words to values inside refusals: all of one enum, or texts of one name."""
    _WORDS[kind] = cast(Mapping[object, Callable[[], str]], values)


def sentence(refused: Refused) -> str:
    """Why not, for a person: translated first, then filled with German numbers and dates."""
    values = {name: presentable(name, value) for name, value in refused.values.items()}
    return _(refused.message, **values)


def presentable(name: str, value: object) -> object:
    """A value inside a sentence, as a person writes it."""
    if isinstance(value, datetime):
        return fmt.instant_text(value)
    if isinstance(value, date):
        return fmt.day_text(value)
    if isinstance(value, Amount):
        return fmt.money(value)
    if isinstance(value, int) and (name in MONEY_NAMES or name.endswith("_cents")):
        return fmt.money(value)
    words = _WORDS.get(type(value)) or _WORDS.get(name)
    return words[value]() if words and value in words else value


def deadline(value: date | None, today: date) -> Markup:
    """`24.11.2026, in 2 working days`: the date and the distance."""
    if value is None:
        return Markup("")
    return Markup("{}, {}").format(fmt.day(value), distance(value, today))


def until(value: date | None, today: date) -> Markup:
    """The end of a time that nobody can miss: behind it stands that it is over."""
    if value is None or value >= today:
        return deadline(value, today)
    return Markup("{}, {}").format(fmt.day(value), _("over"))


def distance(value: date | None, today: date) -> str:
    """How far a day is: `in 2 working days`; nothing without a day."""
    if value is None:
        return ""
    if value == today:
        return _("today")
    if value == today + timedelta(days=1):
        return _("tomorrow")
    apart, working = (value - today).days, fmt.working_days_between(today, value)
    # A weekend has no working days, and far away nobody counts them.
    plain = not working or abs(apart) > fmt.COUNTED_DAYS_MAX
    if value < today:
        if plain:
            return ngettext("%(count)s day late", "%(count)s days late", -apart)
        return ngettext("%(count)s working day late", "%(count)s working days late", -working)
    if plain:
        return ngettext("in %(count)s day", "in %(count)s days", apart)
    return ngettext("in %(count)s working day", "in %(count)s working days", working)
