"""The side navigation: one table, in the order of a day's work. It shows what is registered and
what the role may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import current_app, request, url_for

from webapp.access import security
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


ENTRIES: Final = (
    Entry(N_("Day"), N_("Work"), "work.index", "case.read", "inbox"),
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
        link = Link(_(entry.label), url_for(entry.endpoint), entry.icon, _is_current(entry))
        found.setdefault(_(entry.group), []).append(link)
    return list(found.items())


def first_url() -> str | None:
    """Where a person lands after the login."""
    return next((url_for(entry.endpoint) for entry in _open_entries()), None)


def _open_entries() -> list[Entry]:
    views = current_app.view_functions
    return [e for e in ENTRIES if e.endpoint in views and security.allowed(e.act)]


def _is_current(entry: Entry) -> bool:
    """A page below a list belongs to the list's entry."""
    return (request.blueprint or "").partition("--")[0] == entry.endpoint.partition(".")[0]
