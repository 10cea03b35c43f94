"""Documents as people read them: chips, steps, and the filter line from the address to a question.
What cannot be understood is said at its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from flask import request, url_for
from markupsafe import Markup

from domain.kernel.message import Refused
from domain.payments.rules import code_rule, refund_code_rule
from domain.readmodels.invoice_queries import Filters, Order, Sort, Status
from domain.readmodels.invoices import DocumentRow, Kind, Standing
from webapp import format as fmt
from webapp.sentences.telling import Tone
from webapp.texts import _, sentence

T = TypeVar("T")
NAMES: Final = ("q", "kind", "status", "from", "to", "amount")
TEXT_MAX: Final = 100
KINDS: Final[dict[Kind, Callable[[], str]]] = {
    Kind.INVOICE: lambda: _("Invoice"),
    Kind.CORRECTION: lambda: _("Correction"),
}
STATUSES: Final[dict[Status, Callable[[], str]]] = {
    Status.OPEN: lambda: _("open"),
    Status.PAID: lambda: _("paid"),
    Status.RETURNED: lambda: _("returned"),
    Status.REDUCED: lambda: _("reduced"),
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
    rule = refund_code_rule if row.standing is Standing.REFUND_FAILED else code_rule
    known = row.code and rule(row.code).action != "CASE"
    return tone, f"{words()} ({row.code})" if known else words()


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
    kilobytes = fmt.number(-(-row.pdf_size // 1024))
    return _("%(size)s kB", size=kilobytes)


def rate(basis_points: int) -> str:
    """`16,15 %`"""
    return f"{basis_points // 100},{basis_points % 100:02d}{fmt.NBSP}%"


def streams(row: DocumentRow, corrections: tuple[DocumentRow, ...]) -> list[str]:
    """Whose history a document's page tells: its own, the receivable's or the refund's."""
    with_it = row.receivable_id if row.kind is Kind.INVOICE else row.refund_id
    return [row.document_id, *(one.document_id for one in corrections), *filter(None, [with_it])]


@dataclass(frozen=True, slots=True)
class Asked:
    """`typed` are the texts as they stand in the fields, `errors` the sentences beside them."""

    filters: Filters
    order: Order
    after: str
    shown: int
    typed: Mapping[str, str]
    errors: Mapping[str, str]

    def url(self, endpoint: str = "invoices.index", **changed: str) -> str:
        kept = {**self.typed, "sort": self.order.sort.value}
        if not self.order.descending:
            kept["way"] = "up"
        if self.order == Order():
            del kept["sort"]
        return url_for(endpoint, **{**kept, **changed})  # type: ignore[arg-type]  # only values

    def sorted_url(self, name: str) -> str:
        """The other way round when this column sorts already."""
        turned = self.order.sort.value == name and self.order.descending
        return self.url(sort=name, way="up" if turned else "down")

    def way(self, name: str) -> str:
        """What aria-sort says of a column."""
        if self.order.sort.value != name:
            return ""
        return "descending" if self.order.descending else "ascending"


def read_filters(*, defaults: Mapping[str, str] | None = None) -> Asked:
    given = defaults or request.args
    typed = {name: given.get(name, "").strip()[:TEXT_MAX] for name in NAMES}
    typed = {name: text for name, text in typed.items() if text}
    errors: dict[str, str] = {}
    filters = Filters(
        text=typed.get("q", ""),
        kind=_read(typed, errors, "kind", _kind),
        status=_read(typed, errors, "status", _status),
        issued_from=_read(typed, errors, "from", _day),
        issued_to=_read(typed, errors, "to", _day),
        gross=_read(typed, errors, "amount", fmt.parse_amount),
    )
    named = given.get("sort", "")
    order = Order(
        sort=Sort(named) if named in set(Sort) else Sort.ISSUED,
        descending=given.get("way") != "up",
    )
    shown = given.get("shown", "")
    before = min(int(shown), 10**9) if shown.isascii() and shown.isdigit() else 0
    return Asked(filters, order, given.get("after", ""), before, typed, errors)


def _read(
    typed: Mapping[str, str], errors: dict[str, str], name: str, read: Callable[[str], T]
) -> T | None:
    if name not in typed:
        return None
    try:
        return read(typed[name])
    except Refused as refused:
        errors[name] = sentence(refused)
        return None


def _kind(text: str) -> Kind:
    if text not in set(Kind):
        raise Refused("There is no such kind.")
    return Kind(text)


def _status(text: str) -> Status:
    if text not in set(Status):
        raise Refused("There is no such state.")
    return Status(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("This is not a day.") from None
