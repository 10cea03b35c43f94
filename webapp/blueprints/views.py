"""Saved views: keeping the filters and order of a list under a name, sharing, changing, opening the
list with them, deleting. What a view asks of its list is read by the list itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl

from flask import Blueprint, Response, abort, request, url_for
from werkzeug.datastructures import MultiDict

from domain.kernel.message import Refused
from webapp import fragments, lists
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.access.security import allowed
from webapp.cards import holds_card_number
from webapp.lists import Listing, views
from webapp.lists.registry import LISTINGS
from webapp.lists.views import NAME_CHARS_MAX, QUERY_CHARS_MAX, View
from webapp.texts import _, sentence
from webapp.typed import typed

EVERYTHING: Final = {lists.VIEW: lists.EVERYTHING}
blueprint = Blueprint("views", __name__, url_prefix="/views")


@blueprint.get("/new")
@permitted("view.own")
def new() -> Response:
    listing = _listing(request.args.get("list", ""))
    query = _query(listing, request.args.get("query", ""))
    return _form(listing, query, name="")


@blueprint.post("/new")
@permitted("view.own")
def create() -> Response:
    listing = _listing(request.form.get("list", ""))
    query = _query(listing, request.form.get("query", ""))
    if "into" in request.form:
        return _refilter(listing, query)
    name, shared = _name(), _shared()
    try:
        _check(name)
        view_id = views.save(listing.name, name, query, shared=shared)
    except Refused as refused:
        return _form(listing, query, name=name, error=sentence(refused))
    if shared:
        audit("view.share", "allowed", view_id)
    view = _view(view_id)
    if "default" in request.form:
        views.open_with(view, chosen=True)
    return fragments.done(_address(view), _("The view is kept."))


@blueprint.get("/<view_id>")
@permitted("view.own")
def show(view_id: str) -> Response:
    view = _view(view_id)
    return _change(view, name=view.name)


@blueprint.post("/<view_id>")
@permitted("view.own")
def change(view_id: str) -> Response:
    """Name and sharing are the owner's; what a list opens with is everybody's own."""
    view = _view(view_id)
    if view.own:
        name, shared = _name(), _shared()
        try:
            _check(name)
            views.change(view, name, shared=shared)
        except Refused as refused:
            return _change(view, name=name, error=sentence(refused))
        if shared != view.shared:
            audit("view.share", "allowed", view.id)
    if ("default" in request.form) != view.default:
        views.open_with(view, chosen="default" in request.form)
    return fragments.done(_address(view), _("The view is changed."))


@blueprint.post("/<view_id>/delete")
@permitted("view.own")
def delete(view_id: str) -> Response:
    """Own views; shared ones of others by whoever may share, such as those of people who left."""
    view = _view(view_id)
    if not view.own and not allowed("view.share"):
        audit("view.share", "denied", view.id)
        abort(403)
    if view.shared:
        audit("view.share", "allowed", view.id)
    views.remove(view)
    return fragments.done(_to(LISTINGS[view.listing], EVERYTHING), _("The view is deleted."))


def _listing(name: str) -> Listing[Any]:
    """404 for a list that does not exist, or that this person may not read."""
    listing = LISTINGS.get(name)
    if listing is None or not allowed(listing.act):
        abort(404)
    return listing


def _view(view_id: str) -> View:
    """404 for a private view of somebody else, too: nobody learns that it exists."""
    view = views.load(view_id) if view_id.isascii() and view_id.isprintable() else None
    if view is None:
        abort(404)
    _listing(view.listing)
    return view


def _query(listing: Listing[Any], text: str) -> str:
    """Normalised by the list's own reader: 400 for what the list itself would not understand."""
    if len(text) > QUERY_CHARS_MAX:
        abort(400)
    asked = lists.read(listing, MultiDict(parse_qsl(text)))
    query = views.normalised(asked.query)
    if asked.errors or asked.place or not query or len(query) > QUERY_CHARS_MAX:
        abort(400)
    return query


def _refilter(listing: Listing[Any], query: str) -> Response:
    """The filters of the page in a view that its owner keeps already."""
    view = _view(request.form["into"])
    if not view.own or view.listing != listing.name:
        abort(404)
    views.refilter(view, query)
    if view.shared:
        audit("view.share", "allowed", view.id)
    return fragments.done(_to(listing, parse_qs(query)), _("The view is changed."))


def _name() -> str:
    return typed(request.form.get("name"), NAME_CHARS_MAX + 1).replace("\n", " ")


def _check(name: str) -> None:
    if not name:
        raise Refused("Give the view a name.")
    if holds_card_number(name):
        raise Refused("This looks like a card number. Give the view another name.")
    if len(name) > NAME_CHARS_MAX:
        raise Refused("A name has at most %(count)s characters.", count=NAME_CHARS_MAX)


def _shared() -> bool:
    """403 for whoever may not share: the form does not offer it to them."""
    wanted = "shared" in request.form
    if wanted and not allowed("view.share"):
        audit("view.share", "denied")
        abort(403)
    return wanted


def _to(listing: Listing[Any], args: Mapping[str, Any]) -> str:
    return url_for(listing.endpoint, **args)


def _address(view: View) -> str:
    return _to(LISTINGS[view.listing], view.args)


def _form(listing: Listing[Any], query: str, *, name: str, error: str = "") -> Response:
    return fragments.page_or_dialog(
        "views/new.html",
        422 if error else 200,
        listing=listing,
        query=query,
        back=_to(listing, parse_qs(query)),
        name=name,
        error=error,
        own=[(one.id, one.name) for one in views.of(listing.name, {}).all if one.own],
        shared="shared" in request.form,
        name_max=NAME_CHARS_MAX,
    )


def _change(view: View, *, name: str, error: str = "") -> Response:
    return fragments.page_or_dialog(
        "views/show.html",
        422 if error else 200,
        view=view,
        listing=LISTINGS[view.listing],
        back=_address(view),
        name=name,
        error=error,
        name_max=NAME_CHARS_MAX,
    )
