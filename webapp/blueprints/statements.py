"""Bank statements: what was imported, line by line, what was held and why, and the upload."""

from __future__ import annotations

import time
from typing import Final

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for
from werkzeug.datastructures import FileStorage

from domain import operating
from domain.operating.watch import BankFile
from domain.readmodels import settlement_queries as queries
from webapp import fragments, lists
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.access.security import MEGABYTE, body_limit
from webapp.format import instant_text
from webapp.kontor import kontor
from webapp.lists.settlement import LINE_LIST, STATEMENT_LIST, STATES
from webapp.retold import retold
from webapp.texts import _
from webapp.typed import known, typed

blueprint = Blueprint("statements", __name__, url_prefix="/statements")
NAME_MAX: Final = 120
FILE_MAX: Final = 10 * MEGABYTE
FORM_MAX: Final = FILE_MAX + MEGABYTE // 8
"""The file, its form and a little room."""
PATIENCE_S: Final = 2.0
"""A worker reads a statement in a fraction of a second; after that the list tells the rest."""
LOOK_AGAIN_S: Final = 0.1
BEFORE_XML: Final = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""Byte order marks, the other half of a UTF-16 sign, and space."""


@blueprint.get("")
@permitted("payment.read")
def index() -> Response:
    asked = lists.asked_for(STATEMENT_LIST)
    files = operating.bank_files_not_imported(kontor())
    return lists.show(
        "settlement/statements.html",
        asked,
        lists.look(asked),
        files=files,
        all_files=operating.count_not_imported(kontor(), len(files)),
    )


@blueprint.get("/lines")
@permitted("payment.read")
def lines() -> Response:
    """The lines of all statements."""
    asked = lists.asked_for(LINE_LIST)
    page = lists.look(asked)
    with kontor().read() as connection:
        payouts = queries.payouts_of(connection, page.rows)
    return lists.show("settlement/lines.html", asked, page, payouts=payouts, states=STATES)


@blueprint.get("/<statement_id>")
@permitted("payment.read")
def show(statement_id: str) -> Response:
    known(statement_id, "st")
    with kontor().read() as connection:
        statement = queries.statement(connection, statement_id)
    if statement is None:
        abort(404)
    html = render_template(
        "settlement/statement.html", statement=statement, row=statement.row, states=STATES
    )
    return make_response(html)


@blueprint.get("/upload")
@permitted("statement.upload")
def ask_upload() -> Response:
    return fragments.page_or_dialog("settlement/upload.html", errors={})


@blueprint.post("/upload")
@permitted("statement.upload")
@body_limit(FORM_MAX)
def upload() -> Response:
    file = request.files.get("file")
    body = file.read(FILE_MAX + 1) if file else b""
    if problem := _problem(body):
        audit("statement.upload", "refused", reason=problem, reference=g.reference)
        return fragments.page_or_dialog("settlement/upload.html", 422, errors={"file": problem})
    known = operating.receive_statement(kontor(), _name(file), body)
    if known is not None:
        return fragments.done(url_for("statements.index"), _again(known))
    audit("statement.upload", "allowed", reference=g.reference)
    return fragments.done(url_for("statements.index"), _read_now(body))


def _name(file: FileStorage | None) -> str:
    """As the person's machine calls it; kept with the sealed headers."""
    return typed(file.filename if file else "", NAME_MAX) or "upload"


def _problem(body: bytes) -> str:
    """What can be said before it is received; the rest is checked where it is read."""
    if not body:
        return _("Choose a statement file. Nothing was stored.")
    if len(body) > FILE_MAX:
        return _("The file is larger than 10 MB. Nothing was stored.")
    if not body.lstrip(BEFORE_XML).startswith(b"<"):
        return _("This is no XML file. Nothing was stored. Export the statement as camt.053.")
    return ""


def _again(known: BankFile) -> str:
    with kontor().read() as connection:
        imported = queries.imported_at(connection, known.notification_id)
    if imported is not None:
        return _("Nothing was stored: already imported on %(at)s.", at=instant_text(imported))
    received = instant_text(known.received_at)
    return _("Nothing was stored: this file was received on %(at)s already.", at=received)


def _read_now(body: bytes) -> str:
    """Waits a moment for the worker, so that the answer can say what became of it."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        file = operating.bank_file(kontor(), body)
        if file is not None and file.state == "quarantined":
            return _(
                "The statement is held, nothing was imported: %(why)s",
                why=retold(file.reason).striptags(),
            )
        if file is not None and file.state == "applied":
            return _("The statement was imported.")
        time.sleep(LOOK_AGAIN_S)
    return _("The statement was received and is being read.")
