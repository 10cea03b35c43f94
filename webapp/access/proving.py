"""Who sits there? Before money is approved or an account changes, a session that was proved too
long ago is asked for the password again, and for the second factor where there is one. The form
that was sent travels along, so nothing that was typed is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import g, request

from webapp.access import passwords, second_factor, sessions, throttle
from webapp.access.audit import audit
from webapp.models import Staff, db
from webapp.texts import _

PASSWORD: Final = "proof_password"  # noqa: S105 - the name of a field
CODE: Final = "proof_code"
_OURS: Final = frozenset({PASSWORD, CODE, "csrf_token"})


@dataclass(frozen=True, slots=True)
class Question:
    """What the page asks, and what it has to send again together with the answer."""

    url: str
    fields: list[tuple[str, str]]
    with_code: bool
    error: str
    status: int


class ProofNeeded(Exception):
    """Nothing was done: first the person has to prove to be there."""

    def __init__(self, question: Question) -> None:
        self.question = question
        super().__init__(question.error)


def take_proof(act: str) -> str | None:
    """The session's new token when the request carries a right proof; raises ProofNeeded else."""
    staff = db.session.get_one(Staff, g.staff.id)
    if PASSWORD not in request.form:
        raise ProofNeeded(_question(staff, "", 403))
    error = _problem(staff)
    if error:
        audit("account.prove", "failed", act, reason=error[0], reference=g.reference)
        raise ProofNeeded(_question(staff, error[1], error[2]))
    audit("account.prove", "allowed", act)
    token = sessions.prove(g.session_token)
    if token:
        g.session_token = token
    return token


def _problem(staff: Staff) -> tuple[str, str, int] | None:
    """Why the proof does not hold: for the trail, for the person, and as a status."""
    network = throttle.network(request.remote_addr or "")
    many = ("too many tries", _("Too many tries. Wait up to 15 minutes and try again."), 429)
    password, code = request.form.get(PASSWORD, ""), request.form.get(CODE, "")
    tried = passwords.attempt(staff.login, password, request.remote_addr or "")
    if tried.blocked:
        return many
    if tried.staff is None:
        return "password", _("The password is wrong."), 422
    if staff.totp_sealed is None:
        return None
    if not second_factor.count_try(staff.id, network):
        return many
    if not second_factor.accept(staff, code, network):
        return "second factor", wrong_code(), 422
    return None


def wrong_code() -> str:
    return _("This code is wrong, too old, or was used already. Wait for the next one.")


def _question(staff: Staff, error: str, status: int) -> Question:
    fields = [pair for pair in request.form.items(multi=True) if pair[0] not in _OURS]
    url = request.full_path.rstrip("?")
    return Question(url, fields, staff.totp_sealed is not None, error, status)
