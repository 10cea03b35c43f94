"""The own account: password, second factor, recovery codes, other browsers; and the page of a
reset link, which needs no login."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for
from sqlalchemy import func, select

from webapp import fragments
from webapp.access import passwords, resets, second_factor, security, sessions
from webapp.access.audit import audit
from webapp.access.permissions import SECOND_FACTOR, Role, permitted, public
from webapp.access.qr import square
from webapp.models import Staff, StaffSession, db
from webapp.texts import _, ngettext

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@permitted("account.own")
def index() -> Response:
    person = _me()
    others = db.session.scalar(
        select(func.count()).where(
            StaffSession.staff_id == person.id,
            StaffSession.token_sha256 != sessions.digest(g.session_token),
        )
    )
    html = render_template(
        "account/index.html",
        person=person,
        must=Role(person.role) in SECOND_FACTOR,
        codes_left=second_factor.recovery_codes_left(person.id),
        others=others,
    )
    return make_response(html)


@blueprint.get("/account/password")
@permitted("account.secure")
def ask_password() -> Response:
    return fragments.page_or_dialog("account/password.html", errors={})


@blueprint.post("/account/password")
@permitted("account.secure")
def password() -> Response:
    """A new password ends every session, this one included: the new one is tried out at once."""
    person = _me()
    errors = _password_errors(person.login)
    if errors:
        return fragments.page_or_dialog("account/password.html", 422, errors=errors)
    resets.set_password(person.id, request.form["new_password"])
    audit("account.secure", "allowed", person.id, reason="password changed")
    security.leave()
    return fragments.go(url_for("auth.login", saved="password"))


@blueprint.get("/account/factor")
@permitted("account.secure")
def ask_factor() -> Response:
    return _factor_page(second_factor.new_secret())


@blueprint.post("/account/factor")
@permitted("account.secure")
def factor() -> Response:
    """A new secret, proved by a code of it; the older one and its recovery codes are dead."""
    person = _me()
    secret = second_factor.read_candidate(request.form.get("candidate", ""), g.staff.csrf)
    if secret is None:
        return _factor_page(second_factor.new_secret(), _("Start again with this secret."), 422)
    codes = second_factor.set_up(person, secret, request.form.get("code", ""))
    if codes is None:
        return _factor_page(secret, _("This code does not belong to the secret below."), 422)
    audit("account.secure", "allowed", person.id, reason="second factor set up")
    return _codes_page(codes)


@blueprint.post("/account/factor/off")
@permitted("account.secure")
def factor_off() -> Response:
    person = _me()
    if Role(person.role) in SECOND_FACTOR:
        audit("account.secure", "refused", person.id, reason="the role needs a second factor")
        abort(403)
    second_factor.clear(person.id)
    audit("account.secure", "allowed", person.id, reason="second factor switched off")
    return fragments.done(url_for("account.index"), _("The second factor is switched off."))


@blueprint.post("/account/recovery-codes")
@permitted("account.secure")
def recovery_codes() -> Response:
    person = _me()
    if person.totp_sealed is None:
        return fragments.done(url_for("account.index"), _("Set up a second factor first."))
    codes = second_factor.new_recovery_codes(person.id)
    audit("account.secure", "allowed", person.id, reason="new recovery codes")
    return _codes_page(codes)


@blueprint.post("/account/sessions/end")
@permitted("account.own")
def end_others() -> Response:
    ended = sessions.end_others(g.staff.id, g.session_token)
    audit("account.own", "allowed", g.staff.id, reason="other sessions ended")
    said = ngettext("%(count)s other session ended.", "%(count)s other sessions ended.", ended)
    return fragments.done(url_for("account.index"), said)


@blueprint.get("/reset/<token>")
@public
def reset(token: str) -> Response:
    """A used, old or invented link is nothing: it says neither which nor whose."""
    person = resets.person(token) or abort(404)
    return _reset_page(token, person)


@blueprint.post("/reset/<token>")
@public
def set_by_link(token: str) -> Response:
    person = resets.person(token) or abort(404)
    errors = _password_errors(person.login)
    if errors:
        return _reset_page(token, person, 422, errors)
    if not resets.use(token, request.form["new_password"]):
        abort(404)
    security.leave()
    return fragments.go(url_for("auth.login", saved="password"))


def _password_errors(login: str) -> dict[str, str]:
    new, again = request.form.get("new_password", ""), request.form.get("again", "")
    if reason := passwords.weakness(new, login):
        return {"new_password": reason}
    return {} if new == again else {"again": _("This is not the same password.")}


def _reset_page(
    token: str, person: Staff, status: int = 200, errors: dict[str, str] | None = None
) -> Response:
    html = render_template("account/reset.html", token=token, person=person, errors=errors or {})
    return make_response(html, status)


def _factor_page(secret: bytes, error: str = "", status: int = 200) -> Response:
    house = security.settings().house.name
    return fragments.page_or_dialog(
        "account/factor.html",
        status,
        error=error,
        picture=square(second_factor.address(secret, g.staff.login, house)),
        secret=second_factor.as_text(secret),
        candidate=second_factor.candidate(secret, g.staff.csrf),
    )


def _codes_page(codes: list[str]) -> Response:
    return fragments.page_or_dialog("account/codes.html", codes=codes)


def _me() -> Staff:
    return db.session.get_one(Staff, g.staff.id)
