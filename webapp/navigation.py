"""The side navigation: one table, in the order of a day's work, and how much work waits. It shows
what is registered and what the role may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import current_app, g, request, url_for

from domain.readmodels import work_queries
from webapp.access import security
from webapp.kontor import kontor
from webapp.texts import N_, _


@dataclass(frozen=True, slots=True)
class Entry:
    group: str
    label: str
    endpoint: str
    act: str
    icon: str


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    icon: str
    current: bool
    counts: bool


WORK: Final = "work.index"
COUNT_MAX: Final = 99
"""More is "99+": nobody needs it exactly, and the count never costs more."""
ENTRIES: Final = (
    Entry(N_("Day"), N_("Work"), WORK, "case.read", "inbox"),
    Entry(N_("Customers"), N_("Customers"), "customers.index", "customer.read", "user"),
    Entry(N_("Customers"), N_("Contracts"), "contracts.index", "customer.read", "contract"),
    Entry(N_("Customers"), N_("Search"), "search.index", "search", "search"),
    Entry(N_("Money"), N_("Payments"), "payments.index", "payment.read", "credit-card"),
    Entry(N_("Money"), N_("Refunds"), "refunds.index", "payment.read", "arrow-back-up"),
    Entry(N_("Money"), N_("Payouts"), "payouts.index", "payment.read", "download"),
    Entry(N_("Money"), N_("Statements"), "statements.index", "payment.read", "upload"),
    Entry(N_("Documents"), N_("Invoices"), "invoices.index", "invoice.read", "file-invoice"),
    Entry(N_("System"), N_("Stream"), "stream.index", "stream.read", "timeline-event"),
    Entry(N_("System"), N_("System"), "system.index", "system.read", "activity"),
    Entry(N_("System"), N_("Sandbox"), "sandbox.index", "sandbox.read", "flask"),
    Entry(N_("System"), N_("Staff"), "staff.index", "staff.manage", "users"),
    Entry(N_("System"), N_("Style"), "style.index", "style.read", "palette"),
    Entry(N_("System"), N_("Data"), "data.index", "data.open", "database"),
    # Last, so that nobody lands there: in its group it stands last, too.
    Entry(N_("Documents"), N_("My exports"), "exports.index", "export.own", "file-export"),
)


def groups() -> list[tuple[str, list[Link]]]:
    """The groups with at least one entry for this person."""
    found: dict[str, list[Link]] = {}
    for entry in _open_entries():
        link = Link(
            label=_(entry.label),
            url=url_for(entry.endpoint),
            icon=entry.icon,
            current=_is_current(entry),
            counts=entry.endpoint == WORK,
        )
        found.setdefault(_(entry.group), []).append(link)
    return list(found.items())


def waiting() -> str:
    """How many cases wait for somebody who may act on them, as on the tab "All" of Work; "" for
    none, and for who may only read. The page of Work has counted already."""
    if not security.allowed("case.act") or g.get("asks_nothing"):
        return ""
    number: int | None = g.get("cases_waiting")
    if number is None:
        with kontor().read() as connection:
            number = work_queries.waiting(connection, security.today(), COUNT_MAX + 1)
        g.cases_waiting = number
    if number > COUNT_MAX:
        return f"{COUNT_MAX}+"
    return str(number) if number else ""


def first_url() -> str | None:
    """Where a person lands after the login."""
    return next((url_for(entry.endpoint) for entry in _open_entries()), None)


def _open_entries() -> list[Entry]:
    views = current_app.view_functions
    return [e for e in ENTRIES if e.endpoint in views and security.allowed(e.act)]


def _is_current(entry: Entry) -> bool:
    """A page below a list belongs to the list's entry."""
    return (request.blueprint or "").partition("--")[0] == entry.endpoint.partition(".")[0]
