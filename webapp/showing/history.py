"""What happened to a customer or a contract, over all services: one sentence per event, which thing
it is about and who did it; the filter of the address and the way to older events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import abort, request, url_for

from domain.kernel.ids import prefix_of
from domain.readmodels.timelines import Timeline, Wanted
from webapp.sentences import ECHOES, staff_names
from webapp.showing.payment_view import Told, told
from webapp.showing.proposals import address
from webapp.texts import _
from webapp.typed import position

ID_CHARS: Final = 14
"""As far as people compare ids."""
# Name in the address -> words, and the services whose events it shows; none means all.
PARTS: Final[dict[str, tuple[Callable[[], str], tuple[str, ...]]]] = {
    "": (lambda: _("All"), ()),
    "payments": (lambda: _("Payments"), ("payments",)),
    "contracts": (lambda: _("Contracts"), ("contracts", "customers")),
    "invoices": (lambda: _("Invoices"), ("invoices",)),
    "work": (lambda: _("Work"), ("work",)),
}
_PLACES: Final = {
    "pay": ("payments.detail", "payment_id"),
    "rf": ("refunds.detail", "refund_id"),
    "inv": ("invoices.detail", "document_id"),
    "ct": ("contracts.detail", "contract_id"),
    "cs": ("work.detail", "case_id"),
}
_NAMED: Final = ("refund_id", "correction_id", "invoice_id", "payment_id")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline; `about` is the thing it happened to, elsewhere than on this page."""

    told: Told
    about: str
    url: str


@dataclass(frozen=True, slots=True)
class Tab:
    words: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class History:
    """`older` is the address of the next page, "" at the beginning; `newest` that of the first
    one, "" on it."""

    lines: list[Line]
    tabs: list[Tab]
    older: str
    newest: str

    @property
    def filtered(self) -> bool:
        return not self.tabs[0].current


def wanted() -> Wanted:
    """What the address asks for. 400 for a part that does not exist."""
    part = request.args.get("show", "")
    if part not in PARTS:
        abort(400)
    return Wanted(
        services=PARTS[part][1],
        without=[kind.wire() for kind in ECHOES],
        after=position(request.args.get("after")),
    )


def history(found: Timeline, endpoint: str, **thing: str) -> History:
    """`thing` names the page in whose address filter and place stand."""
    part = request.args.get("show", "")

    def url(show: str, after: int | None = None) -> str:
        values: dict[str, Any] = {**thing, "show": show or None, "after": after}
        return url_for(endpoint, **values)

    names = staff_names()
    return History(
        lines=[_line(one, *thing.values()) for one in told(found.entries, names)],
        tabs=[
            Tab(words(), url(name), current=name == part)
            for name, (words, _services) in PARTS.items()
        ],
        older=url(part, found.after) if found.after else "",
        newest=url(part) if request.args.get("after") else "",
    )


def _line(one: Told, here: str) -> Line:
    thing = _thing(one)
    place = _PLACES.get(prefix_of(thing))
    if place is None or thing == here:
        return Line(one, "", "")
    endpoint, name = place
    return Line(one, thing[:ID_CHARS], address(endpoint, **{name: thing}) or "")


def _thing(one: Told) -> str:
    """What the event happened to; of what has no page of its own, what it was about."""
    entry = one.entry
    if prefix_of(entry.stream) in _PLACES:
        return entry.stream
    named = (getattr(entry.event, name, None) for name in _NAMED)
    return next((thing for thing in named if isinstance(thing, str)), "")
