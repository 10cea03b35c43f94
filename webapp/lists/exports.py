"""Exports as the web app offers them: which list, who may have it, how its columns are called in
the reader's language, and how an export is told. The file is written by a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import flask_babel
import msgspec
from flask import g, request, url_for

from domain.operating import exporting
from domain.operating.exporting import Export, Wanted
from domain.readmodels.exportables import EXPORTABLES
from domain.readmodels.exports import Asked, Dress
from domain.readmodels.lists import text_of
from webapp import lists
from webapp.access.permissions import ACTS
from webapp.format import number
from webapp.kontor import kontor
from webapp.sentences.telling import Tone
from webapp.texts import _, ngettext

R = TypeVar("R", bound=msgspec.Struct)
Words = Callable[[], str]
# column -> value (mostly of an enum) -> words
Told = Mapping[str, Mapping[Any, Words]]
NO_WORDS: Final[Told] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list that can be exported. `ask` reads its filters from the address of the request; None
    when they cannot be understood. `home` is the address of the list itself."""

    title: Words
    act: str
    home: Words
    ask: Callable[[], Asked | None]
    head: Mapping[str, Words]
    words: Told


def of_listing(
    listing: lists.Listing[R],
    head: Mapping[str, Words],
    words: Told = NO_WORDS,
) -> Listed:
    """A list of the shared kind, with its own filters."""

    def ask() -> Asked | None:
        asked = lists.read(listing, request.args)
        if asked.errors:
            return None
        return Asked(filters=msgspec.to_builtins(asked.filters), order=text_of(asked.order))

    return Listed(
        title=lambda: _(listing.label),
        act=listing.act,
        home=lambda: url_for(listing.endpoint),
        ask=ask,
        head=head,
        words=words,
    )


def start(name: str, listed: Listed, asked: Asked) -> UUID:
    """Asks a worker for the file. Raises Refused when too many are under way."""
    columns = EXPORTABLES[name].columns
    dress = Dress(
        locale=str(flask_babel.get_locale()),
        head=tuple(listed.head[column.name]() for column in columns),
        words={
            column: {str(value): words() for value, words in known.items()}
            for column, known in listed.words.items()
        },
    )
    wanted = Wanted(
        id=uuid4(),
        list=name,
        requested_by=g.staff.id,
        roles=frozenset(ACTS[listed.act].roles),
        asked=asked,
        dress=dress,
    )
    with kontor().read() as connection:
        exporting.request(connection, wanted)
    return wanted.id


Chip = tuple[Tone, str]
STATES: Final[Mapping[exporting.State, tuple[Tone, Words]]] = {
    "waiting": ("wait", lambda: _("waiting")),
    "running": ("wait", lambda: _("being written")),
    "done": ("good", lambda: _("ready")),
    "failed": ("bad", lambda: _("failed")),
    "cancelled": ("", lambda: _("cancelled")),
}
REASONS: Final[Mapping[str, Words]] = {
    "permission": lambda: _(
        "Your account may not read this list any more. Ask an admin if you still need it."
    ),
    "too-large": lambda: _(
        "The list is too large for one file. Filter it, for example by month, and export the parts."
    ),
    "gave-up": lambda: _(
        "It was begun three times and never came to its end. Filter the list and try again; if that"
        " fails too, tell whoever runs Kontor."
    ),
    "defect": lambda: _(
        "Something in Kontor is broken; the log of the exports worker says what. Tell whoever runs"
        " Kontor."
    ),
}


def chip(export: Export) -> Chip:
    if export.state == "done" and not export.there:
        return "", _("deleted")
    tone, words = STATES[export.state]
    return tone, words()


def reason(export: Export) -> str:
    return REASONS[export.reason]() if export.reason else ""


def file_name(export: Export) -> str:
    return f"{export.list}-{export.requested_at:%Y-%m-%d}.csv"


def size(count: int) -> str:
    """`12 kB`, at least one."""
    if count < 1_000_000:
        return _("%(size)s kB", size=number(max(1, count // 1_000)))
    return _("%(size)s MB", size=f"{count / 1_000_000:.1f}".replace(".", ","))


def age(at: datetime, now: datetime) -> str:
    """Real time, in words: the Clock of the sandbox stands somewhere else."""
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", minutes)
    if minutes < 48 * 60:
        return ngettext("%(count)s hour ago", "%(count)s hours ago", minutes // 60)
    return ngettext("%(count)s day ago", "%(count)s days ago", minutes // (24 * 60))


def left(export: Export) -> str:
    """How long the file can still be fetched."""
    if export.kept_until is None or not export.there:
        return ""
    hours = max(1, int((export.kept_until - export.now).total_seconds() // 3600))
    return ngettext("for %(count)s more hour", "for %(count)s more hours", hours)
