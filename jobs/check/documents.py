"""Invariants 25 and 26: gap-free numbers, frozen content, one stored PDF with the recorded hash,
and the same bytes when it is rendered again."""

from collections.abc import Iterator
from hashlib import sha256

from config import Settings
from domain.invoices import events as e
from domain.invoices.document import DOCUMENT, Document, content_hash
from domain.stream import files
from domain.stream.database import Connection
from domain.stream.keys import CannotOpen
from jobs.check.broken import Broken, streams_with
from jobs.documents.limits import render_limited
from jobs.handlers.documents import content_of

RENDERED_AGAIN = 5
"""The newest ones; each takes about a tenth of a second."""


def numbers(connection: Connection) -> Iterator[Broken]:
    """25: the numbers of each series are 1 to its last, each once."""
    rows = connection.execute(
        "SELECT data->>'number' FROM event WHERE type IN ('invoice-issued', 'correction-issued')"
    )
    found: dict[str, list[int]] = {}
    for (number,) in rows:
        series, _, count = number.rpartition("-")
        found.setdefault(series, []).append(int(count))
    lasts: dict[str, int] = dict(
        connection.execute("SELECT series, last FROM number_series").fetchall()
    )
    for series in sorted(found.keys() | lasts.keys()):
        if sorted(found.get(series, [])) != list(range(1, lasts.get(series, 0) + 1)):
            yield Broken(
                invariant="25", subject=series, what="its numbers are not 1 to the last, each once"
            )


def issued(connection: Connection, settings: Settings) -> Iterator[Broken]:
    """25 and 26 for every document."""
    documents = [
        *streams_with(connection, "invoice-issued", "inv"),
        *streams_with(connection, "correction-issued", "inv"),
    ]
    states = []
    for document_id, events in documents:
        state = DOCUMENT.rebuild(events, DOCUMENT.begin())
        assert isinstance(state, Document)
        assert state.issued is not None
        if state.issued.recipient is not None and (
            content_hash(state.issued) != state.issued.content_hash
        ):
            yield Broken(
                invariant="25", subject=document_id, what="its content is not what was issued"
            )
        yield from _stored(connection, document_id, state)
        states.append((state.issued.at, document_id, state))
    newest = sorted(states, key=lambda one: one[:2], reverse=True)[:RENDERED_AGAIN]
    for _, document_id, state in newest:
        yield from _again(settings, document_id, state)


def _stored(connection: Connection, document_id: str, state: Document) -> Iterator[Broken]:
    try:
        body: bytes | None = files.load_file(connection, document_id)
    except files.FileGone:
        body = None
    except CannotOpen as error:
        yield Broken(invariant="26", subject=document_id, what=str(error))
        return
    if state.sha256 is not None and body is None:
        yield Broken(invariant="25", subject=document_id, what="its PDF is gone")
    elif state.sha256 is not None and body is not None:
        if sha256(body).hexdigest() != state.sha256:
            yield Broken(
                invariant="26", subject=document_id, what="its PDF is not the recorded one"
            )
    elif not _will_render(connection, document_id):
        yield Broken(
            invariant="25", subject=document_id, what="it has no PDF and nobody will make one"
        )


def _will_render(connection: Connection, document_id: str) -> bool:
    found = connection.execute(
        "SELECT EXISTS (SELECT FROM effect WHERE stream = %s AND kind = 'render'"
        " AND status <> 'done')",
        (document_id,),
    ).fetchone()
    return found == (True,)


def _again(settings: Settings, document_id: str, state: Document) -> Iterator[Broken]:
    document = state.issued
    if not isinstance(document, e.InvoiceIssued | e.CorrectionIssued) or state.sha256 is None:
        return
    kind, content = content_of(document, settings.house.insurance_tax_number)
    again = render_limited(kind, content, settings.house)
    if sha256(again).hexdigest() != state.sha256:
        yield Broken(invariant="26", subject=document_id, what="rendered again it has other bytes")
