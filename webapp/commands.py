"""How a screen asks the domain: preview, dispatch, wait until the screens have caught up. A refusal
leaves its row in the audit trail here; what the person reads is the caller's affair."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import g

from domain.kernel.message import Command, Refused
from domain.recording import Result
from webapp.access.audit import audit
from webapp.kontor import kontor
from webapp.texts import _


def send(
    command: Command,
    command_id: UUID,
    *,
    act: str,
    subject: str,
    previewed: str | None = None,
) -> Result:
    """Records the command. Raises Refused (audited), Moved, TooManyConflicts.

    `act` is the row of the permission table, `subject` the id of what it is about.
    """
    try:
        return kontor().dispatch(command, command_id, previewed=previewed)
    except Refused as refused:
        audit(act, "refused", subject, reason=refused.message, reference=g.reference)
        raise


def notice(result: Result, said: str) -> str:
    """The sentence after a command, once the screens have passed what it wrote; past a second it
    says that they are still catching up."""
    if kontor().wait_visible(result):
        return said
    return said + " " + _("It is recorded; the screen is catching up.")


def command_id(sent: str | None) -> UUID:
    """The id that came with the form. A form without a readable one gets a new id, so the worst
    that can happen is that sending it twice is two commands, each decided on its own."""
    try:
        return UUID(sent or "")
    except ValueError:
        return uuid4()
