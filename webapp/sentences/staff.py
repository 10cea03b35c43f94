"""What the pages about accounts say: kinds of change, and why one is not possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from webapp.models import Staff, StaffChange
from webapp.sentences.codes import role_name
from webapp.texts import _

_KINDS: Final[dict[str, Callable[[], tuple[str, str]]]] = {
    "role": lambda: (_("Another role"), _("Logs out at once; the new rights start then.")),
    "name": lambda: (_("Another name"), _("After a wedding, or a typing mistake.")),
    "disable": lambda: (_("Disable"), _("Logs out at once. What was done stays in the history.")),
    "enable": lambda: (_("Enable again"), _("With the role and the password of before.")),
    "password": lambda: (_("New password"), _("A link that works once, for one hour.")),
    "factor": lambda: (
        _("Reset the second factor"),
        _("For a lost telephone. It is set up again at the next login."),
    ),
}
_WHY: Final[dict[str, Callable[[], str]]] = {
    "not possible": lambda: _("This account cannot be changed in this way now."),
    "same role": lambda: _("The account has this role already."),
    "same name": lambda: _("The account has this name already."),
    "no role": lambda: _("Choose a role."),
    "login taken": lambda: _("There is already an account with this user name."),
    "waiting": lambda: _("A change of this account waits already. Decide on it first."),
    "own proposal": lambda: _("You asked for this change: another admin has to confirm it."),
    "own account": lambda: _("This is your own account: another admin has to decide."),
    "decided": lambda: _("Somebody decided on this meanwhile, or it is too old."),
    "moved": lambda: _("The account changed since this was proposed. Reject it and ask anew."),
    "last admin": lambda: _("Nobody would be left to manage accounts. Add an admin first."),
}


def kind(name: str) -> tuple[str, str]:
    """The name of a change and what it means."""
    return _KINDS[name]()


def why_not(reason: str) -> str:
    return _WHY[reason]()


def told(change: StaffChange) -> str:
    """A proposed change as a sentence."""
    name = change.name
    sentences: dict[str, Callable[[], str]] = {
        "add": lambda: _(
            "New account for %(name)s as %(role)s", name=name, role=role_name(change.after)
        ),
        "role": lambda: _(
            "%(name)s becomes %(after)s instead of %(before)s",
            name=name,
            before=role_name(change.before),
            after=role_name(change.after),
        ),
        "name": lambda: _(
            "%(before)s is called %(after)s", before=change.before, after=change.after
        ),
        "disable": lambda: _("Disable the account of %(name)s", name=name),
        "enable": lambda: _("Enable the account of %(name)s again", name=name),
        "password": lambda: _("New password for %(name)s", name=name),
        "factor": lambda: _("Reset the second factor of %(name)s", name=name),
    }
    return sentences[change.kind]()


def done(change: StaffChange) -> str:
    """The notice after a second admin confirmed it."""
    if change.kind == "name":
        return _("Done: %(what)s.", what=told(change))
    return _("Done: %(what)s. Every open session of this account has ended.", what=told(change))


_ACTS: Final[dict[str, Callable[[], str]]] = {
    "add": lambda: _("Open account"),
    "role": lambda: _("Change role"),
    "name": lambda: _("Change name"),
    "disable": lambda: _("Disable account"),
    "enable": lambda: _("Enable account"),
    "password": lambda: _("Make link"),
    "factor": lambda: _("Reset second factor"),
}


def act(change: StaffChange) -> str:
    """What the button of the second admin does."""
    return _ACTS[change.kind]()


def stands(change: StaffChange, value: str) -> str:
    """What an account is before or after a change: a role, a name, active, disabled, or not
    there."""
    if change.kind == "name":
        return value
    states = {"": _("no account"), "active": _("active"), "disabled": _("disabled")}
    return states[value] if value in states else role_name(value)


def factor(person: Staff) -> str:
    return _("set up") if person.totp_sealed is not None else _("none")


def asked_by(change: StaffChange, names: Mapping[str, str]) -> str:
    return names.get(change.asked_by, change.asked_by)
