"""Invoices and corrections: the list, one document with its money and its history, and the stored
PDFs. A PDF leaves the house only with the hash that was recorded."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Final

from flask import (
    Blueprint,
    Response,
    abort,
    g,
    make_response,
    render_template,
    request,
    stream_with_context,
)

from domain.dispatch import Damaged
from domain.readmodels import invoice_queries as q
from domain.readmodels.invoices import DocumentRow
from domain.readmodels.stream import cut, timeline
from webapp import errors, lists
from webapp.access import security
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.kontor import kontor
from webapp.lists.documents import LIST, columns, day_kind, day_of
from webapp.sentences import ECHOES, staff_names, tell, who
from webapp.showing import document_view as view
from webapp.showing.proposals import address
from webapp.texts import _

blueprint = Blueprint("invoices", __name__, url_prefix="/invoices")
# About 5 MB: a file to look at; whole years are an export of another kind.
ZIP_MAX: Final = 100


@blueprint.get("")
@permitted("invoice.read")
def index() -> Response:
    asked = lists.asked_for(LIST)
    day = day_kind(asked)
    return lists.show(
        "invoices/index.html",
        asked,
        lists.look(asked),
        day=day,
        columns=columns(day),
        day_of=day_of,
        money_chip=view.money_chip,
        document_chip=view.document_chip,
    )


@blueprint.get("/<document_id>")
@permitted("invoice.read")
def detail(document_id: str) -> Response:
    with kontor().read() as connection:
        found = q.detail(connection, document_id)
        if found is None:
            abort(404)
        entries = timeline(connection, view.streams(found.document, found.corrections))
    names = staff_names()
    told = [
        (entry, tell(entry.event), who(entry.actor, names))
        for entry in entries
        if type(entry.event) not in ECHOES
    ]
    html = render_template(
        "invoices/detail.html",
        document=found.document,
        corrections=found.corrections,
        kind=view.KINDS[found.document.kind](),
        steps=view.steps(found.document),
        told=told,
        cut=cut(entries),
        rate=view.rate,
        size=view.size,
        address=address,
        money_chip=view.money_chip,
        document_chip=view.document_chip,
    )
    return make_response(html)


@blueprint.get("/<document_id>.pdf")
@permitted("pdf.read")
def pdf(document_id: str) -> Response:
    """The stored bytes, if their hash is the recorded one; each look leaves a row."""
    row = _row(document_id)
    if row.pdf_sha256 is None:
        return make_response(render_template("invoices/pending.html", document=row), 202)
    body = _checked(row)
    if body is None:
        return _damaged(row)
    audit("pdf.read", "allowed", document_id)
    answer = Response(body, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{row.number}.pdf"'
    answer.headers["Content-Security-Policy"] = security.PDF_POLICY
    return answer


@blueprint.post("/pdfs")
@permitted("pdf.read")
def pdfs() -> Response:
    """The PDFs of the selected documents in one file; every hash is checked before it starts."""
    chosen = list(dict.fromkeys(request.form.getlist("id")))
    if not 0 < len(chosen) <= ZIP_MAX:
        body = (
            _("Select the documents first.")
            if not chosen
            else _("Select at most %(count)s documents at once.", count=ZIP_MAX)
        )
        return errors.page(422, errors.Sorry(_("No file was made"), body))
    with kontor().read() as connection:
        rows = q.chosen(connection, chosen)
    ready = [row for row in rows if row.pdf_sha256 is not None]
    for row in ready:
        if _checked(row) is None:
            return _damaged(row)
    for row in ready:
        audit("pdf.read", "allowed", row.document_id)
    missing = [row.number for row in rows if row.pdf_sha256 is None]
    answer = Response(stream_with_context(_zipped(ready, missing)), mimetype="application/zip")
    name = f"documents-{security.today():%Y-%m-%d}.zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _row(document_id: str) -> DocumentRow:
    with kontor().read() as connection:
        found = q.detail(connection, document_id)
    if found is None:
        abort(404)
    return found.document


def _checked(row: DocumentRow) -> bytes | None:
    """The bytes that were recorded; None when others, or none, are stored."""
    try:
        body = kontor().document(row.document_id)
    except Damaged:
        return None
    if body is None or hashlib.sha256(body).hexdigest() != row.pdf_sha256:
        return None
    return body


def _damaged(row: DocumentRow) -> Response:
    """Never silently: what we would send is not what we recorded."""
    audit("pdf.read", "failed", row.document_id, reason="hash differs", reference=g.reference)
    sorry = errors.Sorry(
        _("The PDF of %(number)s is damaged", number=row.number),
        _(
            "What is stored is not what was recorded when it was issued. Nothing was sent. Tell a"
            " lead; the document has to come back from a backup."
        ),
    )
    return errors.page(500, sorry)


class _Chunks(io.RawIOBase):
    """Takes what the zip writer writes, to be handed on at once."""

    def __init__(self) -> None:
        self._taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes only
        self._taken += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._taken)
        self._taken.clear()
        return taken


def _zipped(rows: Sequence[DocumentRow], missing: Sequence[str]) -> Iterator[bytes]:
    """One document in memory at a time. Breaks off when one changed since it was checked."""
    chunks = _Chunks()
    with zipfile.ZipFile(chunks, "w", zipfile.ZIP_STORED) as archive:
        for row in rows:
            body = _checked(row)
            if body is None:
                raise Damaged(row.document_id)
            day = row.issued_on
            name = zipfile.ZipInfo(f"{row.number}.pdf", (day.year, day.month, day.day, 0, 0, 0))
            archive.writestr(name, body)
            yield chunks.take()
        if missing:
            archive.writestr("not-made-yet.txt", "".join(f"{number}\n" for number in missing))
    yield chunks.take()
