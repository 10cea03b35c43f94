"""Words for short codes that the domain and its tables use: roles, states of effects and of
notifications, why an answer is missing, why a notification was refused. A code without words is
shown as it is, so that nothing new is hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from domain.payments.ports import UnknownReason
from webapp.access.permissions import Role
from webapp.texts import _, told_as

Words = Mapping[str, Callable[[], str]]
ROLES: Final[dict[str, Callable[[], str]]] = {
    Role.SUPPORT: lambda: _("support"),
    Role.OPERATIONS: lambda: _("operations"),
    Role.FINANCE: lambda: _("finance"),
    Role.LEAD: lambda: _("lead"),
    Role.AUDITOR: lambda: _("auditor"),
    Role.ADMIN: lambda: _("admin"),
}
# Where news come from; a company's name is its code with a capital.
PROVIDERS: Final[dict[str, Callable[[], str]]] = {"bank": lambda: _("Bank")}
QUEUES: Final[dict[str, Callable[[], str]]] = {
    "effects": lambda: _("orders and notifications"),
    "documents": lambda: _("documents"),
    "exports": lambda: _("exports"),
}
MODES: Final[dict[str, Callable[[], str]]] = {
    "sandbox": lambda: _("Sandbox"),
    "production": lambda: _("production"),
}
EFFECT_STATES: Final[dict[str, Callable[[], str]]] = {
    "planned": lambda: _("planned"),
    "waiting": lambda: _("waiting"),
    "leased": lambda: _("being worked on"),
    "unknown": lambda: _("outcome unknown"),
    "parked": lambda: _("parked"),
    "done": lambda: _("done"),
}
EFFECT_KINDS: Final[dict[str, Callable[[], str]]] = {
    "render": lambda: _("make a PDF"),
    "submit_payment": lambda: _("submit a payment"),
    "submit_refund": lambda: _("submit a refund"),
    "translate": lambda: _("read a notification"),
    "probe_provider": lambda: _("ask whether a provider answers"),
}
NOTIFICATION_STATES: Final[dict[str, Callable[[], str]]] = {
    "waiting": lambda: _("waiting"),
    "applied": lambda: _("applied"),
    "duplicate": lambda: _("told something known"),
    "ignored": lambda: _("needs no act"),
    "quarantined": lambda: _("in quarantine"),
}
NO_ANSWER: Final[dict[str, Callable[[], str]]] = {
    UnknownReason.CONNECTION: lambda: _("no connection"),
    UnknownReason.SERVER_ERROR: lambda: _("a fault at the provider"),
    UnknownReason.IN_FLIGHT: lambda: _("it is still being worked on there"),
    UnknownReason.RATE_LIMITED: lambda: _("too many requests"),
    UnknownReason.KEY_REUSED: lambda: _("the key was used with other content"),
    UnknownReason.NOT_ALLOWED: lambda: _("our access was refused"),
    UnknownReason.UNREADABLE: lambda: _("an answer that nobody can read"),
    UnknownReason.NOT_SENT: lambda: _("it was not sent"),
    # jobs/handlers/money.LEASE_EXPIRED
    "the worker that sent it did not come back": lambda: _(
        "the worker that sent it did not come back"
    ),
}
REFUSED_HOOKS: Final[dict[str, Callable[[], str]]] = {
    "unknown provider": lambda: _("unknown provider"),
    "malformed signature header": lambda: _("malformed signature header"),
    "no signature header": lambda: _("no signature header"),
    "no secret is configured": lambda: _("no secret is configured"),
    "stale timestamp": lambda: _("stale timestamp"),
    "timestamp in the future": lambda: _("timestamp in the future"),
    "no matching signature": lambda: _("no matching signature"),
    "body is not UTF-8": lambda: _("body is not UTF-8"),
    "body too large": lambda: _("body too large"),
    "not a notification": lambda: _("not a notification"),
}


told_as(ROLES, "role")


def named(table: Words, code: str) -> str:
    return table[code]() if code in table else code


def role_name(role: str) -> str:
    return named(ROLES, role)


def provider_name(provider: str) -> str:
    return PROVIDERS[provider]() if provider in PROVIDERS else provider.capitalize()


def queue_name(queue: str) -> str:
    return named(QUEUES, queue)


def mode_name(mode: str) -> str:
    return named(MODES, mode)


def effect_state(state: str) -> str:
    return named(EFFECT_STATES, state)


def effect_kind(kind: str) -> str:
    return named(EFFECT_KINDS, kind)


def notification_state(state: str) -> str:
    return named(NOTIFICATION_STATES, state)


def no_answer(why: str) -> str:
    """Why nobody knows what came of a call."""
    return named(NO_ANSWER, why)


def refused_hook(reason: str) -> str:
    return named(REFUSED_HOOKS, reason)
