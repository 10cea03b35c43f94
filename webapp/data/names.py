"""What the tables of the data browser are called on screens, who may open them, and which of their
columns a list shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from domain.readmodels.browse import View
from domain.readmodels.browse_kept import Group
from domain.readmodels.exports import Kind
from webapp.texts import _

GROUPS: Final[Mapping[Group, Callable[[], str]]] = {
    Group.READ: lambda: _("Read models: what the screens show"),
    Group.STREAM: lambda: _("The stream and its machinery"),
    Group.AUDIT: lambda: _("Who did and saw what"),
}
ACTS: Final[Mapping[Group, str]] = {
    Group.READ: "data.read",
    Group.STREAM: "data.read",
    Group.AUDIT: "audit.read",
}
ABOUT: Final[Mapping[str, Callable[[], str]]] = {
    "event": lambda: _("Every event as it was recorded; what is sealed stays sealed"),
    "command_log": lambda: _("Commands that were carried out, each once"),
    "effect": lambda: _("Work outside the database: provider calls, PDFs, notifications"),
    "timer": lambda: _("What happens when its time comes"),
    "inbox": lambda: _("Notifications of providers and files of the bank, without their content"),
    "document_file": lambda: _("Stored files by hash, without their content"),
    "consumer": lambda: _("How far each reader of the stream has come"),
    "parked": lambda: _("Streams that a reader set aside"),
    "number_series": lambda: _("The last number of each series"),
    "hook_refusal": lambda: _("Notifications that were refused, counted by day"),
    "audit": lambda: _("Who did what: refusals, looks, exports, logins, changes of accounts"),
    "export": lambda: _("Lists that people asked for as a file"),
}
MODELS: Final[Mapping[str, Callable[[], str]]] = {
    "stream": lambda: _("Every event with its time, its actor and whose it is"),
    "work": lambda: _("Cases, and what they need to be told"),
    "payments": lambda: _("Payments, the bills they collect, what is set aside of them"),
    "refunds": lambda: _("Refunds, and whose they are"),
    "invoices": lambda: _("Documents, what is owed, and the money against it"),
    "search": lambda: _("The words by which everything is found"),
    "settlement": lambda: _("Payouts with their items, bank statements with their lines"),
    "customers": lambda: _("Customers, what they owe and what they owe back"),
    "contracts": lambda: _("Contracts with schedule, mandate and balance"),
}
"""What the tables of a read model hold together; another one is called by its name."""
LIST_COLUMNS: Final = 7
"""As many as lists have; more do not fit beside each other."""
# Helpers of searching and sorting, and columns that say the same as another one.
ASIDE: Final = frozenset({"words", "shard", "sorted_as", "sorted_name", "data", "event_id"})
CHOSEN: Final[Mapping[str, tuple[str, ...]]] = {
    "audit": ("id", "at", "staff_id", "act", "outcome", "subject", "reason"),
    "event": ("feed_position", "type", "version", "actor", "recorded_at", "subject"),
    "payment": (
        "payment_id",
        "status",
        "amount",
        "customer",
        "contract_number",
        "debit_on",
        "reference",
    ),
    "stream_event": ("feed_position", "type", "stream", "version", "actor", "at", "recorded_at"),
}


PEOPLE: Final = frozenset({"staff_id", "requested_by"})
"""Columns with the id of a member of staff; lists show the name."""


def endpoint(view: View) -> str:
    return f"data--{view.name}"


def shown(view: View) -> tuple[str, ...]:
    """The columns of the list; the page of a row shows all."""
    if view.name in CHOSEN:
        return CHOSEN[view.name]
    fields = [one.name for one in view.fields if one.cell is not Kind.JSON]
    front = [one for one in view.key if one not in ASIDE]
    rest = [one for one in fields if one not in ASIDE and one not in front]
    # Ids of other things tell a reader least.
    rest.sort(key=lambda name: name.endswith("_id"))
    return tuple([*front, *rest][:LIST_COLUMNS])
