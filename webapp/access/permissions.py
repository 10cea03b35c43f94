"""THE permission table: who may do what, and the marks that tie every route to one row of it.
It decides nothing about amounts or second persons: those rules live in the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, ParamSpec, TypeVar

from flask import Flask

P = ParamSpec("P")
R = TypeVar("R")
MARK: Final = "kontor_act"
PUBLIC: Final = "public"
HALF_OPEN: Final = "half-open"
MACHINE: Final = "machine"


class Role(StrEnum):
    SUPPORT = "support"
    OPERATIONS = "operations"
    FINANCE = "finance"
    LEAD = "lead"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Act:
    """One row: what it allows, in words, and to whom. Sandbox acts do not exist in production.
    `fresh` acts ask who is there when the last proof is older than `sessions.FRESH_FOR`."""

    what: str
    roles: frozenset[Role]
    sandbox_only: bool = False
    fresh: bool = False


EVERYBODY = frozenset(Role)
READERS = EVERYBODY - {Role.ADMIN}
DESK = frozenset({Role.SUPPORT, Role.OPERATIONS, Role.FINANCE, Role.LEAD})
SECOND_PERSON = DESK - {Role.SUPPORT}
MONEY_EYES = frozenset({Role.FINANCE, Role.LEAD, Role.AUDITOR})
MACHINE_EYES = EVERYBODY - {Role.SUPPORT}
AUDIT_EYES = frozenset({Role.AUDITOR, Role.ADMIN})
STATEMENTS = frozenset({Role.FINANCE, Role.OPERATIONS})
ADMINS = frozenset({Role.ADMIN})
# Who approves money or opens accounts: a stolen password alone must not be enough.
SECOND_FACTOR: Final = frozenset({Role.FINANCE, Role.LEAD, Role.ADMIN})

ACTS: Final[dict[str, Act]] = {
    "account.own": Act("Own session and account: log out, choose light or dark", EVERYBODY),
    "account.secure": Act("Own password, second factor, recovery codes", EVERYBODY, fresh=True),
    "search": Act("Search customers, contracts, invoices, references, amounts", READERS),
    "case.read": Act("Read Work: cases and their history", READERS),
    "case.act": Act("Take, snooze, note and close a case", DESK),
    "customer.read": Act("Read customers and contracts", READERS),
    "payment.read": Act("Read payments and their history", READERS),
    "payment.check_now": Act("Ask the provider about a payment or refund now", DESK),
    "refund.request": Act("Request a refund, also again after a failed one", DESK),
    "refund.withdraw": Act("Withdraw an own refund request", DESK),
    "refund.approve": Act("Approve another person's refund request", SECOND_PERSON, fresh=True),
    "refund.reject": Act("Reject another person's refund request", SECOND_PERSON),
    "iban.full": Act("See a full IBAN (every look is recorded)", MONEY_EYES),
    "invoice.read": Act("Read invoices and corrections", READERS),
    "pdf.read": Act("Open the PDF of a document", READERS),
    "statement.upload": Act("Upload a bank statement", STATEMENTS),
    "view.own": Act("Keep own views of lists", READERS),
    "view.share": Act("Share a view of a list, take a shared one away", SECOND_PERSON),
    "stream.read": Act("Read the stream of updates", READERS),
    "stream.release": Act("Release a parked stream", DESK),
    "effect.release": Act("Release a parked effect", DESK),
    "inbox.read": Act("See a notification as it came (every look is recorded)", READERS),
    "inbox.translate": Act("Translate a quarantined notification again", DESK),
    "export.own": Act("Ask for a list as a file, fetch and cancel own files", EVERYBODY),
    "data.open": Act("Open the data browser", MONEY_EYES | AUDIT_EYES),
    "data.read": Act("Browse tables of the stream and the read models", MONEY_EYES),
    "audit.read": Act("Browse the audit trail", AUDIT_EYES),
    "system.read": Act("See queues, effects, readers, timers and processes", MACHINE_EYES),
    "provider.ask": Act("Ask at once whether a provider answers again", SECOND_PERSON | ADMINS),
    "staff.manage": Act("See staff accounts, withdraw or reject a proposed change", ADMINS),
    "staff.propose": Act("Propose a change of an account or a new one", ADMINS, fresh=True),
    "staff.confirm": Act("Confirm a change that another admin proposed", ADMINS, fresh=True),
    "sandbox.read": Act("See the Sandbox page", EVERYBODY, sandbox_only=True),
    "sandbox.clock": Act("Move the Clock", EVERYBODY - {Role.AUDITOR}, sandbox_only=True),
    "sandbox.faults": Act("Switch faults on and off", EVERYBODY - {Role.AUDITOR}, True),
    "style.read": Act("See the style page", EVERYBODY, sandbox_only=True),
}


class RouteWithoutPermission(Exception):
    """A route names no act. The app does not start with one."""


def permitted(act: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Ties a view to a row of the table; `security.check_permission` enforces it."""
    if act not in ACTS:
        raise KeyError(f"{act} is not in the permission table")

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        setattr(view, MARK, act)
        return view

    return mark


def public(view: Callable[P, R]) -> Callable[P, R]:
    """A view for people without a session."""
    setattr(view, MARK, PUBLIC)
    return view


def half_open(view: Callable[P, R]) -> Callable[P, R]:
    """A view between the right password and the second factor; nobody else gets in."""
    setattr(view, MARK, HALF_OPEN)
    return view


def machine(view: Callable[P, R]) -> Callable[P, R]:
    """A view for machines that prove themselves by a signature: no session, no CSRF token."""
    setattr(view, MARK, MACHINE)
    return view


def act_of(app: Flask, endpoint: str) -> str | None:
    """The act an endpoint is tied to, PUBLIC, or None when nobody said."""
    if endpoint == "static":
        return PUBLIC
    act: str | None = getattr(app.view_functions[endpoint], MARK, None)
    return act


def may(role: Role, act: str, *, sandbox: bool) -> bool:
    row = ACTS[act]
    return role in row.roles and (sandbox or not row.sandbox_only)


def refuse_unmarked_routes(app: Flask) -> None:
    """Called when everything is registered: a forgotten mark must not wait for its visitor."""
    endpoints: Iterable[str] = sorted({rule.endpoint for rule in app.url_map.iter_rules()})
    missing = [endpoint for endpoint in endpoints if act_of(app, endpoint) is None]
    if missing:
        raise RouteWithoutPermission(f"no mark of permission on: {', '.join(missing)}")


def as_markdown() -> str:
    """The table for docs/PERMISSIONS.md."""
    head = "| act | what | " + " | ".join(Role) + " |"
    lines = [head, "|---|---|" + ":-:|" * len(Role)]
    for key, act in ACTS.items():
        cells = " | ".join("yes" if role in act.roles else "" for role in Role)
        what = act.what + (" (sandbox only)" if act.sandbox_only else "")
        what += " (asks for the password again)" if act.fresh else ""
        lines.append(f"| `{key}` | {what} | {cells} |")
    return "\n".join(lines) + "\n"
