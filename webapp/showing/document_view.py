"""Documents as people read them: chips, steps, sizes. It asks the database nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from domain.payments.rules import code_rule
from domain.readmodels.invoices import DocumentRow, Kind, Standing
from webapp import format as fmt
from webapp.sentences.documents import KILOBYTE
from webapp.sentences.telling import Tone
from webapp.texts import _

KINDS: Final[dict[Kind, Callable[[], str]]] = {
    Kind.INVOICE: lambda: _("Invoice"),
    Kind.CORRECTION: lambda: _("Correction"),
}
STANDINGS: Final[dict[Standing, tuple[Tone, Callable[[], str]]]] = {
    Standing.OPEN: ("warn", lambda: _("open")),
    Standing.COLLECTING: ("wait", lambda: _("being collected")),
    Standing.PAID: ("good", lambda: _("paid")),
    Standing.NOTHING_OWED: ("", lambda: _("nothing owed")),
    Standing.FAILED: ("bad", lambda: _("failed")),
    Standing.RETURNED: ("bad", lambda: _("returned")),
    Standing.GOING_BACK: ("wait", lambda: _("going back")),
    Standing.PAID_BACK: ("good", lambda: _("paid back")),
    Standing.REFUND_FAILED: ("bad", lambda: _("refund failed")),
}
Chip = tuple[Tone, str]
Step = tuple[str, str, Markup | str]


def money_chip(row: DocumentRow) -> Chip:
    tone, words = STANDINGS[row.standing]
    # A refund fails with the provider's long words; the refund's own page explains them.
    code = row.code if row.standing is not Standing.REFUND_FAILED else None
    known = code and code_rule(code).action != "CASE"
    return tone, f"{words()} ({code})" if known else words()


def document_chip(row: DocumentRow) -> Chip:
    """The document's own state; what was paid for it stands apart."""
    if row.pdf_sha256 is None:
        return "wait", _("PDF is being made")
    return ("", _("reduced")) if row.reduced else ("good", _("issued"))


def steps(row: DocumentRow) -> list[Step]:
    """From the number to the money."""
    made = row.pdf_sha256 is not None
    begun: list[Step] = [
        ("done", _("Issued"), fmt.day(row.issued_on)),
        ("done" if made else "now", _("PDF made"), size(row) or _("expected soon")),
        ("done" if row.delivered_on else "", _("Delivered"), fmt.day(row.delivered_on)),
    ]
    tone, words = money_chip(row)
    state = {"good": "done", "bad": "late", "wait": "now" if made else ""}.get(tone, "")
    last = (state, _("Paid") if row.kind is Kind.INVOICE else _("Paid back"), words)
    due: list[Step] = [("", _("Due"), fmt.day(row.due_on))] if row.due_on else []
    if due and state in ("done", "late"):
        due = [("done", _("Due"), fmt.day(row.due_on))]
    return [*begun, *due, last]


def size(row: DocumentRow) -> str:
    """`12 kB`, at least one; nothing while there is no PDF."""
    if row.pdf_size is None:
        return ""
    return _("%(size)s kB", size=fmt.number(max(1, round(row.pdf_size / KILOBYTE))))


def rate(basis_points: int) -> str:
    """`16,15 %`"""
    return f"{basis_points // 100},{basis_points % 100:02d}{fmt.NBSP}%"


def streams(row: DocumentRow, corrections: tuple[DocumentRow, ...]) -> list[str]:
    """Whose history a document's page tells: its own, the receivable's or the refund's."""
    with_it = row.receivable_id if row.kind is Kind.INVOICE else row.refund_id
    return [row.document_id, *(one.document_id for one in corrections), *filter(None, [with_it])]
