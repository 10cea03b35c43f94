"""The fields of a list's filter line: how each looks and what it asks of the list. A field reads
the texts of one name in the address and gives values for conditions of the source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from domain.kernel.ids import MalformedId, read_id
from domain.kernel.message import Refused
from domain.kernel.time import berlin
from domain.readmodels.lists import NOTHING
from domain.readmodels.words import prefix_query
from webapp.format import parse_amount, parse_day, typed_day
from webapp.texts import _

Conditions = Mapping[str, object]
Other = Callable[[str], str]
"""The text of another field, for one whose meaning depends on it."""
Read = Callable[[Sequence[str], Other], Conditions]
Options = Callable[[], Sequence[tuple[str, str]]]
"""(value, words), in the reader's language."""
TEXT_CHARS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`shape`: text, search, date, choice, several or hidden (a tab). `aside` fields stand behind
    "More filters". What does not `counts` changes what is shown, but leaves no row out. `read`
    gets no text when the field is empty, and raises Refused with the sentence beside it."""

    name: str
    label: str
    read: Read
    shape: str = "text"
    options: Options = tuple
    attrs: Mapping[str, object] = field(default_factory=dict)
    aside: bool = False
    wide: bool = False
    counts: bool = True

    @property
    def several(self) -> bool:
        return self.shape == "several"

    def as_kept(self, typed: str) -> str:
        """The text as addresses and saved views have it: a day in one spelling."""
        if self.shape != "date":
            return typed
        try:
            return parse_day(typed).isoformat()
        except Refused:
            return typed

    def chosen(self, values: Sequence[str]) -> str:
        """What a closed list of several says."""
        known = dict(self.options())
        if len(values) == 1:
            return known.get(values[0], values[0])
        return _("%(count)s chosen", count=len(values)) if values else _("all")

    def told(self, values: Sequence[str]) -> str:
        """All that is set, in words, for paper."""
        known = dict(self.options())
        plain = typed_day if self.shape == "date" else str
        return ", ".join(known.get(value) or plain(value) for value in values)


def one(read: Callable[[str], Conditions]) -> Read:
    """A reader for a field with one text, which is not asked about an empty one."""
    return lambda texts, _other: read(texts[0]) if texts else {}


def text(name: str, label: str, condition: str, *, aside: bool = False, size: int = 12) -> Field:
    """The exact text."""
    return Field(
        name=name,
        label=label,
        read=one(lambda typed: {condition: typed}),
        attrs={"size": size},
        aside=aside,
    )


def either(
    name: str, label: str, condition: str, by_id: tuple[str, str], *, aside: bool = False
) -> Field:
    """The exact text of a number, or an id of that prefix for the other condition."""
    prefix, id_condition = by_id

    def read(typed: str) -> Conditions:
        return {id_condition if _is_id(typed, prefix) else condition: typed}

    return Field(name=name, label=label, read=one(read), attrs={"size": 12}, aside=aside)


def by_id(name: str, label: str, condition: str, prefix: str) -> Field:
    """An id that other pages link with."""

    def read(typed: str) -> Conditions:
        if not _is_id(typed, prefix):
            raise Refused("This is not an id of that kind.")
        return {condition: typed}

    return Field(name=name, label=label, read=one(read), attrs={"size": 16}, aside=True)


def words(name: str, label: str, condition: str, *, by_id: tuple[str, str] = ("", "")) -> Field:
    """The beginnings of words. `by_id`: a prefix of ids and the condition that takes one."""
    prefix, id_condition = by_id

    def read(typed: str) -> Conditions:
        if prefix and _is_id(typed, prefix):
            return {id_condition: typed}
        query = prefix_query(typed)
        # Signs alone name nobody; that must not show everybody.
        return {condition: query} if query else {NOTHING: True}

    return Field(name=name, label=label, read=one(read), shape="search", wide=True)


def _is_id(typed: str, prefix: str) -> bool:
    try:
        read_id(typed, prefix)
    except MalformedId:
        return False
    return True


def amount(name: str, label: str, condition: str, *, aside: bool = False) -> Field:
    return Field(
        name=name,
        label=label,
        read=one(lambda typed: {condition: parse_amount(typed)}),
        attrs={"inputmode": "decimal", "size": 8},
        aside=aside,
    )


def day(name: str, label: str, condition: str, *, aside: bool = False) -> Field:
    return Field(
        name=name,
        label=label,
        read=one(lambda typed: {condition: parse_day(typed)}),
        shape="date",
        aside=aside,
    )


def instant_from(name: str, label: str, condition: str, *, aside: bool = False) -> Field:
    """From the beginning of a Berlin day; the condition compares with >=."""
    read = one(lambda typed: {condition: start_of(parse_day(typed))})
    return Field(name=name, label=label, read=read, shape="date", aside=aside)


def instant_to(name: str, label: str, condition: str, *, aside: bool = False) -> Field:
    """Up to the end of a Berlin day; the condition compares with <."""
    read = one(lambda typed: {condition: end_of(parse_day(typed))})
    return Field(name=name, label=label, read=read, shape="date", aside=aside)


def choice(
    name: str, label: str, options: Options, condition: str, *, aside: bool = False
) -> Field:
    def read(typed: str) -> Conditions:
        return {condition: _offered(typed, options)}

    return Field(
        name=name, label=label, read=one(read), shape="choice", options=options, aside=aside
    )


def view(name: str, label: str, options: Options) -> Field:
    """Changes what is shown and leaves no row out."""

    def read(typed: str) -> Conditions:
        _offered(typed, options)
        return {}

    return Field(
        name=name, label=label, read=one(read), shape="choice", options=options, counts=False
    )


def several(name: str, label: str, options: Options, condition: str, any_of: str) -> Field:
    """`condition` for one value, `any_of` for more: an index serves one better."""

    def read(texts: Sequence[str], _other: Other) -> Conditions:
        chosen = [_offered(typed, options) for typed in texts]
        if len(chosen) == 1:
            return {condition: chosen[0]}
        return {any_of: chosen} if chosen else {}

    return Field(name=name, label=label, read=read, shape="several", options=options)


def flags(
    name: str, label: str, options: Options, conditions: Mapping[str, str], *, aside: bool = False
) -> Field:
    """Each choice is a condition without a value of its own."""

    def read(typed: str) -> Conditions:
        return {conditions[_offered(typed, options)]: True}

    return Field(
        name=name, label=label, read=one(read), shape="choice", options=options, aside=aside
    )


def _offered(typed: str, options: Options) -> str:
    if typed not in {value for value, _words in options()}:
        raise Refused("There is nothing of that name to choose.")
    return typed


def days_of(name: str, label: str, kinds: Mapping[str, Field], of: str) -> Field:
    """A day of several kinds: which one, the field `of` says; the first kind when it does not."""

    def read(texts: Sequence[str], other: Other) -> Conditions:
        kind = kinds.get(other(of)) or next(iter(kinds.values()))
        return kind.read(texts, other)

    return Field(name=name, label=label, read=read, shape="date")


def start_of(day: date) -> datetime:
    return berlin(day, 0)


def end_of(day: date) -> datetime:
    """The first instant of the day after."""
    return berlin(day + timedelta(days=1), 0)
