"""Words on screens: the translation function with types, and sentences of the domain in the
reader's language. The source language of every text is English."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import flask_babel
from markupsafe import Markup

from domain.kernel.message import Refused
from domain.kernel.money import Amount
from webapp import format as fmt

# Integers of these names inside a refusal are cents; all other integers are counts.
MONEY_NAMES = frozenset({"amount", "left", "limit", "collected", "refunded", "reserved", "fee"})


def _(message: str, **values: object) -> str:
    """The message in the reader's language, with its `%(name)s` places filled."""
    text: str = flask_babel.gettext(message, **values)
    return text


def ngettext(singular: str, plural: str, count: int, **values: object) -> str:
    """The message that fits the count, which also fills `%(count)s`."""
    named = {"count": fmt.number(count), **values}
    text: str = flask_babel.ngettext(singular, plural, count, **named)
    return text


def sentence(refused: Refused) -> str:
    """Why not, for a person: translated first, then filled with German numbers and dates."""
    values = {name: _presentable(name, value) for name, value in refused.values.items()}
    return _(refused.message, **values)


def _presentable(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return fmt.instant_text(value)
    if isinstance(value, date):
        return fmt.day_text(value)
    if isinstance(value, Amount):
        return fmt.money(value)
    if isinstance(value, int) and (name in MONEY_NAMES or name.endswith("_cents")):
        return fmt.money(value)
    return value


def deadline(value: date | None, today: date) -> Markup:
    """`24.11.2026, in 2 working days`: the date and the distance."""
    if value is None:
        return Markup("")
    return Markup("{}, {}").format(fmt.day(value), _distance(value, today))


def _distance(value: date, today: date) -> str:
    if value == today:
        return _("today")
    if value == today + timedelta(days=1):
        return _("tomorrow")
    days = fmt.working_days_between(today, value)
    if value < today:
        late = max(-days, 0)
        return ngettext("%(count)s working day late", "%(count)s working days late", late)
    if (value - today).days > fmt.COUNTED_DAYS_MAX:
        return ngettext("in %(count)s day", "in %(count)s days", (value - today).days)
    return ngettext("in %(count)s working day", "in %(count)s working days", days)
