"""Exports: ask for a list as a file, see how far it is, fetch it, cancel it. Everybody sees only
their own; whoever may not read the list may not have its file either."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for

from domain.dispatch import Dispatcher
from domain.kernel.message import Refused
from domain.operating import exporting
from domain.operating.exporting import Export
from webapp import errors, fragments
from webapp.access import security
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.exported import LISTED, home, offered, title
from webapp.kontor import kontor
from webapp.lists import exports
from webapp.texts import _, ngettext, sentence

blueprint = Blueprint("exports", __name__, url_prefix="/exports")
OWN = "export.own"
blueprint.add_app_template_global(offered, "exportable")


@blueprint.get("")
@permitted(OWN)
def index() -> Response:
    with kontor().read() as connection:
        own, total = exporting.list_own(connection, g.staff.id)
    html = render_template(
        "exports/index.html", exports=own, total=total, telling=exports, title=title
    )
    return make_response(html)


@blueprint.post("")
@permitted(OWN)
def create() -> Response:
    """The address carries the list and its filters, as the list's own address does."""
    name = request.args.get("list", "")
    listed = LISTED.get(name)
    if listed is None:
        abort(404)
    _check(listed.act, name)
    asked = listed.ask()
    if asked is None:
        abort(400)
    try:
        export_id = exports.start(name, listed, asked)
    except Refused as refused:
        audit("export.request", "refused", name, reason=refused.message, reference=g.reference)
        sorry = errors.Sorry(_("This list is not exported yet"), sentence(refused))
        return errors.page(422, sorry)
    audit("export.request", "allowed", str(export_id), reason=name)
    return fragments.go(url_for("exports.detail", export_id=export_id))


@blueprint.get("/<uuid:export_id>")
@permitted(OWN)
def detail(export_id: UUID) -> Response:
    return fragments.page_or_part(
        "exports/detail.html",
        "exports/_export.html",
        export=_own(export_id),
        telling=exports,
        title=title,
        home=home,
        ngettext=ngettext,
    )


@blueprint.post("/<uuid:export_id>/cancel")
@permitted(OWN)
def cancel(export_id: UUID) -> Response:
    export = _own(export_id)
    with kontor().read() as connection:
        ended = exporting.cancel(connection, export.id, g.staff.id)
    notice = _("Nothing of it is kept.") if ended else _("It was over before you cancelled it.")
    return fragments.done(url_for("exports.detail", export_id=export_id), notice)


@blueprint.get("/<uuid:export_id>/file")
@permitted(OWN)
def file(export_id: UUID) -> Response:
    """The whole file or none: it breaks off rather than ending early."""
    export = _own(export_id)
    listed = LISTED.get(export.list)
    if listed is None:
        abort(404)
    _check(listed.act, str(export_id))
    pieces = _pieces(kontor(), export)
    try:
        if not export.there:
            raise exporting.Gone(str(export_id))
        first = next(pieces)
    except exporting.Gone:
        sorry = errors.Sorry(
            _("This file is not there"),
            _("It is deleted after a day. Export the list again if you still need it."),
        )
        return errors.page(404, sorry)
    audit("export.download", "allowed", str(export_id), reason=export.list)
    answer = Response(_all(first, pieces), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{exports.file_name(export)}"'
    answer.headers["Content-Length"] = str(export.bytes)
    return answer


def _own(export_id: UUID) -> Export:
    with kontor().read() as connection:
        export = exporting.own(connection, export_id, g.staff.id)
    if export is None:
        abort(404)
    return export


def _check(act: str, subject: str) -> None:
    """The list's own permission: this address knows no list."""
    if not security.allowed(act):
        audit(act, "denied", subject, reference=g.reference)
        abort(403)


def _pieces(dispatcher: Dispatcher, export: Export) -> Iterator[bytes]:
    """One piece in memory, and no connection held while the browser takes it."""
    for n in range(export.chunks):
        with dispatcher.read() as connection:
            piece = exporting.piece(connection, export.id, n)
        yield piece


def _all(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
