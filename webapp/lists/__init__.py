"""Long lists on screens: from the address to filters, an order and a place, and back. What cannot
be understood is said at its field; it is never guessed and never left out silently."""

from __future__ import annotations

import binascii
import dataclasses
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from flask import Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from domain.kernel.message import Refused
from domain.readmodels import lists
from domain.readmodels.lists import LAST, Count, Order, Page, Place, Source, order_of, text_of
from domain.readmodels.paging import page as read_page
from webapp import fragments
from webapp.format import number
from webapp.kontor import kontor
from webapp.lists import views
from webapp.lists.filters import TEXT_CHARS_MAX, Field
from webapp.texts import _, ngettext, sentence
from webapp.typed import typed

R = TypeVar("R", bound=msgspec.Struct)
PLACE: Final = "at"
SORT: Final = "sort"
LAST_PAGE: Final = "last"
POLL: Final = "seen"
"""On the address of a list that asks by itself whether it changed."""
VIEW: Final = "view"
EVERYTHING: Final = "all"
"""Says that nothing is filtered on purpose: a bare address opens the person's own view."""
PLACE_CHARS_MAX: Final = 4_000
"""The longest place that a row of ours can give."""
SEVERAL_MAX: Final = 20
"""Values of one filter; no list offers more."""
_PLACE = msgspec.json.Decoder(Place)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading of the table; with a sort of the source it is a link."""

    label: str
    sort: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[R]):
    """A list as people use it. `name` is what its saved views and exports go by, `act` what it
    takes to read it, `order` the one that nobody has to choose; `order_when`: another one while a
    field is set, or has one value ("tab=closed")."""

    name: str
    label: str
    endpoint: str
    act: str
    source: Source[R]
    order: Order
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    order_when: Mapping[str, Order] = dataclasses.field(default_factory=dict)

    def order_for(self, given: Mapping[str, Sequence[str]]) -> Order:
        """The order of a list with these fields set, when the address does not say one."""
        names = [name for field, texts in given.items() for name in (field, f"{field}={texts[0]}")]
        found = (self.order_when[name] for name in names if name in self.order_when)
        return next(found, self.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[R]):
    """`given` are the texts as they stand in the fields, `errors` the sentences beside them."""

    listing: Listing[R]
    filters: Mapping[str, object]
    order: Order
    place: Place | None
    given: Mapping[str, tuple[str, ...]]
    errors: Mapping[str, str]

    @property
    def query(self) -> dict[str, list[str]]:
        """What makes this view of the list, without the place: as a saved view keeps it."""
        kept = {name: list(texts) for name, texts in self.given.items()}
        if self.order != self.unasked:
            kept[SORT] = [text_of(self.order)]
        return kept

    @property
    def unasked(self) -> Order:
        return self.listing.order_for(self.given)

    def url(self, **changed: Any) -> str:
        """The address of this view of the list, from its first page."""
        values = {**self.query, **changed}
        if views.default(self.listing.name) and not any(values.values()):
            values[VIEW] = EVERYTHING
        return url_for(self.listing.endpoint, **values)

    def place_url(self, place: Place) -> str:
        return self.url(**{PLACE: write_place(place)})

    def last_url(self) -> str:
        return self.url(**{PLACE: LAST_PAGE})

    def sorted_url(self, sort: str) -> str:
        """The other way round when this column sorts already."""
        down = not self.order.down if sort == self.order.sort else self._first_down(sort)
        order = Order(sort=sort, down=down)
        return self.url(**{SORT: None if order == self.unasked else text_of(order)})

    def _first_down(self, sort: str) -> bool:
        return self.listing.source.sorts[sort].down

    def way(self, sort: str) -> str:
        """What aria-sort says of a column."""
        if sort != self.order.sort:
            return ""
        return "descending" if self.order.down else "ascending"

    def value(self, name: str) -> str:
        """The text of a field that takes one."""
        return self.given.get(name, ("",))[0]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the filter line hands on without showing it: the tab and the order."""
        hidden = [field.name for field in self.listing.fields if field.shape == "hidden"]
        return [(name, text) for name in (*hidden, SORT) for text in self.query.get(name, [])]

    @property
    def slots(self) -> str:
        """What htmx draws anew beside the rows: mistakes, and how many of several are chosen."""
        fields = [field for field in self.listing.fields if field.shape != "hidden"]
        several = [f"#f-{field.name}-chosen" for field in fields if field.several]
        return ",".join(
            ["#views", "#list-acts", "#told", *several, *(f"#e-{one.name}" for one in fields)]
        )

    @property
    def all_url(self) -> str:
        """The whole list in its own order."""
        return self.url(**dict.fromkeys(self.query))

    @property
    def active(self) -> int:
        """How many filters are set; tabs are none."""
        return sum(field.name in self.given for field in self.listing.fields if field.counts)

    @property
    def told(self) -> list[tuple[str, str]]:
        """Each filter that holds and what it says; a printed list has no fields."""
        holding = self.given.keys() - self.errors.keys()
        fields = [one for one in self.listing.fields if one.counts and one.name in holding]
        return [(_(one.label), one.told(self.given[one.name])) for one in fields if one.label]

    @property
    def clear_url(self) -> str:
        """The same tab and order without any filter."""
        return self.url(**{field.name: None for field in self.listing.fields if field.counts})


def asked_for(listing: Listing[R]) -> Asked[R]:
    """The list as this request asks for it. A bare address opens the view that the person chose
    for this list."""
    view = views.default(listing.name)
    if view is not None and not request.args:
        abort(redirect(url_for(listing.endpoint, **view.args), 303))
    return read(listing, request.args)


def read(listing: Listing[R], values: MultiDict[str, str]) -> Asked[R]:
    """The list as an address asks for it. 400 for an order or a place that nobody gave out."""
    given: dict[str, tuple[str, ...]] = {}
    filters: dict[str, object] = {}
    errors: dict[str, str] = {}
    for field in listing.fields:
        texts = _texts(values.getlist(field.name))[: SEVERAL_MAX if field.several else 1]
        if texts:
            given[field.name] = tuple(dict.fromkeys(field.as_kept(text) for text in texts))
        try:
            filters |= field.read(texts, lambda name: values.get(name, ""))
        except Refused as refused:
            errors[field.name] = sentence(refused)
    try:
        sort = values.get(SORT, "")
        order = order_of(listing.source, sort) if sort else listing.order_for(given)
        place = read_place(listing.source, order, values.get(PLACE, ""))
    except ValueError:
        abort(400)
    return Asked(
        listing=listing, filters=filters, order=order, place=place, given=given, errors=errors
    )


def _texts(texts: Sequence[str]) -> tuple[str, ...]:
    read = (typed(text, TEXT_CHARS_MAX) for text in texts)
    return tuple(dict.fromkeys(text for text in read if text))


def write_place(place: Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_place(source: Source[R], order: Order, text: str) -> Place | None:
    """None without one. Raises ValueError for one that this list did not give out."""
    if not text:
        return None
    if text == LAST_PAGE:
        return LAST
    if len(text) > PLACE_CHARS_MAX:
        raise ValueError("no place")
    try:
        place = _PLACE.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, msgspec.MsgspecError) as error:
        raise ValueError("no place") from error
    lists.values_at(source, order, place)
    return place


def look(asked: Asked[R]) -> Page[R]:
    """The page that was asked for; nothing while a filter is not understood."""
    if asked.errors:
        return Page(rows=(), count=Count(number=0), first=None)
    with kontor().read() as connection:
        return read_page(connection, asked.listing.source, asked.filters, asked.order, asked.place)


def show(template: str, asked: Asked[R], page: Page[R], **context: object) -> Response:
    """The whole page; htmx takes out of it what it wants."""
    html = render_template(
        template,
        asked=asked,
        page=page,
        views=views.of(asked.listing.name, asked.query),
        page_position=position,
        filters_set=filters_set,
        **context,
    )
    answer = make_response(html, 422 if asked.errors else 200)
    if fragments.is_htmx() and POLL not in request.args:
        # The address in the bar holds no empty filters.
        answer.headers["HX-Replace-Url"] = (
            asked.place_url(asked.place) if asked.place else asked.url()
        )
    return answer


def position(page: Page[Any]) -> str:
    """`51-100 of over 10.000`, as far as it is known."""
    shown, count = len(page.rows), page.count
    total = (
        _("over %(total)s", total=number(count.number)) if count.capped else number(count.number)
    )
    if page.first is None and page.after is None:
        return _("the last %(shown)s of %(total)s", shown=number(shown), total=total)
    if page.first is None:
        return _("%(shown)s of %(total)s", shown=number(shown), total=total)
    first, last = number(page.first), number(page.first + shown - 1)
    return _("%(first)s–%(last)s of %(total)s", first=first, last=last, total=total)


def filters_set(asked: Asked[Any]) -> str:
    return ngettext("%(count)s filter is set.", "%(count)s filters are set.", asked.active)
