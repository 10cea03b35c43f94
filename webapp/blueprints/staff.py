"""Staff accounts for admins: who may log in with which role, and disabling one. New accounts are
made on the command line (`./run staff add`)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, make_response, render_template, url_for
from sqlalchemy import func, select, update

from webapp import fragments, sessions
from webapp.audit import audit
from webapp.models import NOW, Staff, StaffSession, db
from webapp.permissions import permitted
from webapp.texts import _

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
PAGE_SIZE = 200


@blueprint.get("")
@permitted("staff.manage")
def index() -> Response:
    seen = func.max(StaffSession.seen_at).label("seen_at")
    people = db.session.execute(
        select(Staff, seen)
        .outerjoin(StaffSession, StaffSession.staff_id == Staff.id)
        .group_by(Staff.id)
        .order_by(Staff.disabled_at.is_not(None), func.lower(Staff.name), Staff.id)
        .limit(PAGE_SIZE)
    ).all()
    return make_response(render_template("staff/index.html", people=people))


@blueprint.get("/<staff_id>/disable")
@permitted("staff.manage")
def ask_disable(staff_id: str) -> Response:
    return fragments.page_or_dialog("staff/disable.html", person=_person(staff_id))


@blueprint.post("/<staff_id>/disable")
@permitted("staff.manage")
def disable(staff_id: str) -> Response:
    person = _person(staff_id)
    if person.id == g.staff.id:
        error = _("You cannot disable your own account.")
        audit("staff.manage", "refused", person.id, reason="own account")
        return fragments.page_or_dialog("staff/disable.html", 422, person=person, error=error)
    db.session.execute(update(Staff).where(Staff.id == staff_id).values(disabled_at=NOW))
    sessions.end_all(staff_id)
    audit("staff.manage", "allowed", staff_id, reason="disabled")
    notice = _("%(name)s can no longer log in.", name=person.name)
    return fragments.done(url_for("staff.index"), notice)


def _person(staff_id: str) -> Staff:
    person = db.session.get(Staff, staff_id)
    if person is None:
        abort(404)
    return person
