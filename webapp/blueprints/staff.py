"""Staff accounts for admins: who may log in, and changes that one admin proposes and a second one
confirms. The first admins are made on the command line (`./run staff add`)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for
from sqlalchemy import ColumnElement, func, or_, select

from webapp import fragments
from webapp.access import accounts, second_factor, staff_changes
from webapp.access.audit import audit
from webapp.access.permissions import Role, permitted
from webapp.access.staff_changes import Impossible
from webapp.models import Staff, StaffChange, StaffSession, db
from webapp.sentences import staff as staff_words
from webapp.sentences import staff_names
from webapp.sentences.codes import role_name
from webapp.texts import _

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
# An insurer's back office has a few hundred people; more than this and the filter is needed.
SHOWN_MAX = 500
STATES = (staff_changes.ACTIVE, staff_changes.DISABLED)


@blueprint.get("")
@permitted("staff.manage")
def index() -> Response:
    state, role = request.args.get("state", ""), request.args.get("role", "")
    name = accounts.read_name(request.args.get("name"))
    chosen = _chosen(state, role, name)
    total = db.session.scalar(select(func.count()).select_from(Staff).where(*chosen))
    seen = func.max(StaffSession.seen_at).label("seen_at")
    people = db.session.execute(
        select(Staff, seen)
        .outerjoin(StaffSession, StaffSession.staff_id == Staff.id)
        .where(*chosen)
        .group_by(Staff.id)
        .order_by(Staff.disabled_at.is_not(None), func.lower(Staff.name), Staff.id)
        .limit(SHOWN_MAX)
    ).all()
    names = staff_names()
    waiting = [
        (change, staff_words.told(change), staff_words.asked_by(change, names))
        for change in staff_changes.waiting()
    ]
    html = render_template(
        "staff/index.html",
        people=people,
        total=total,
        waiting=waiting,
        all_waiting=staff_changes.waiting_count() if waiting else 0,
        state=state if state in STATES else "",
        role=role if role in set(Role) else "",
        name=name,
        roles=_roles(),
        words=staff_words,
    )
    return make_response(html)


@blueprint.get("/new")
@permitted("staff.propose")
def ask_new() -> Response:
    return _new_page()


@blueprint.post("/new")
@permitted("staff.propose")
def new() -> Response:
    """Proposes an account. It cannot log in before a second admin confirms and passes on a link."""
    login = accounts.read_login(request.form.get("login"))
    name = accounts.read_name(request.form.get("name"))
    role = _role()
    errors = {
        "login": accounts.login_problem(login),
        "name": accounts.name_problem(name),
        "role": "" if role else _("Choose a role."),
    }
    found = {field: text for field, text in errors.items() if text}
    if found or role is None:
        return _new_page(422, found)
    try:
        change = staff_changes.propose_account(login, name, role, g.staff.id)
    except Impossible as error:
        return _new_page(422, {"login": _refused("staff.propose", error)})
    return _proposed(change)


@blueprint.get("/<staff_id>/change")
@permitted("staff.propose")
def ask_change(staff_id: str) -> Response:
    return _change_page(_person(staff_id))


@blueprint.post("/<staff_id>/change")
@permitted("staff.propose")
def change(staff_id: str) -> Response:
    """Proposes a change of this account; nothing happens before a second admin confirms it."""
    person = _person(staff_id)
    wanted = request.form.get("kind", "")
    if not wanted:
        return _change_page(person, 422, _("Choose what shall change."))
    name = accounts.read_name(request.form.get("name"))
    if wanted == "name" and (problem := accounts.name_problem(name)):
        return _change_page(person, 422, problem)
    to = name if wanted == "name" else request.form.get("role", "")
    try:
        asked = staff_changes.propose(person, wanted, to, g.staff.id)
    except Impossible as error:
        return _change_page(person, 422, _refused("staff.propose", error, staff_id))
    return _proposed(asked)


@blueprint.get("/changes/<change_id>")
@permitted("staff.manage")
def show_change(change_id: str) -> Response:
    return _decide_page(_change(change_id))


@blueprint.post("/changes/<change_id>/confirm")
@permitted("staff.confirm")
def confirm(change_id: str) -> Response:
    """The second admin. A link for a password is shown here and nowhere else."""
    asked = _change(change_id)
    try:
        done = staff_changes.confirm(asked, g.staff.id)
    except Impossible as error:
        text = _refused("staff.confirm", error, change_id)
        if error.why == "decided":
            return fragments.done(url_for("staff.index"), text)
        return _decide_page(asked, 422, text)
    if not done.token:
        return fragments.done(url_for("staff.index"), staff_words.done(done.change))
    link = url_for("account.reset", token=done.token, _external=True)
    return fragments.page_or_dialog("staff/link.html", change=done.change, link=link)


@blueprint.post("/changes/<change_id>/close")
@permitted("staff.manage")
def close(change_id: str) -> Response:
    asked = _change(change_id)
    what = staff_words.told(asked)
    try:
        outcome = staff_changes.close(asked, g.staff.id)
    except Impossible as error:
        return fragments.done(url_for("staff.index"), staff_words.why_not(error.why))
    said = {"withdrawn": _("Withdrawn: %(what)s.", what=what)}
    notice = said.get(outcome, _("Rejected: %(what)s.", what=what))
    return fragments.done(url_for("staff.index"), notice)


def _chosen(state: str, role: str, name: str) -> list[ColumnElement[bool]]:
    states = {"active": Staff.disabled_at.is_(None), "disabled": Staff.disabled_at.is_not(None)}
    return [
        *([states[state]] if state in states else []),
        *([Staff.role == role] if role in set(Role) else []),
        *([_called(name)] if name else []),
    ]


def _called(name: str) -> ColumnElement[bool]:
    """A part of the name or of the user name."""
    return or_(*(one.icontains(name, autoescape=True) for one in (Staff.name, Staff.login)))


def _role() -> Role | None:
    sent = request.form.get("role", "")
    return Role(sent) if sent in set(Role) else None


def _roles() -> list[tuple[str, str]]:
    return [(role.value, role_name(role)) for role in Role]


def _refused(act: str, error: Impossible, subject: str | None = None) -> str:
    audit(act, "refused", subject, reason=error.why, reference=g.reference)
    return staff_words.why_not(error.why)


def _proposed(change: StaffChange) -> Response:
    notice = _(
        "Proposed: %(what)s. Nothing changes before a second admin confirms it.",
        what=staff_words.told(change),
    )
    return fragments.done(url_for("staff.index"), notice)


def _new_page(status: int = 200, errors: dict[str, str] | None = None) -> Response:
    return fragments.page_or_dialog(
        "staff/new.html",
        status,
        errors=errors or {},
        login=accounts.read_login(request.form.get("login")),
        name=accounts.read_name(request.form.get("name")),
        role=request.form.get("role", ""),
        roles=[("", _("Choose…")), *_roles()],
    )


def _change_page(person: Staff, status: int = 200, error: str = "") -> Response:
    cards = [(kind, *staff_words.kind(kind), "", False) for kind in staff_changes.possible(person)]
    return fragments.page_or_dialog(
        "staff/change.html",
        status,
        error=error,
        person=person,
        cards=cards,
        kind=request.form.get("kind", ""),
        role=request.form.get("role", person.role),
        name=accounts.read_name(request.form.get("name")) or person.name,
        roles=_roles(),
        factor=staff_words.factor(person),
        codes_left=second_factor.recovery_codes_left(person.id),
    )


def _decide_page(change: StaffChange, status: int = 200, error: str = "") -> Response:
    return fragments.page_or_dialog(
        "staff/decide.html",
        status,
        error=error,
        change=change,
        what=staff_words.told(change),
        before=staff_words.stands(change, change.before),
        after=staff_words.stands(change, change.after),
        act=staff_words.act(change),
        ends=change.kind not in staff_changes.NO_END,
        asked_by=staff_words.asked_by(change, staff_names()),
        own=change.asked_by == g.staff.id,
        about_me=change.staff_id == g.staff.id,
        expires=change.asked_at + staff_changes.LIFETIME,
    )


def _person(staff_id: str) -> Staff:
    return db.session.get(Staff, staff_id) or abort(404)


def _change(change_id: str) -> StaffChange:
    return staff_changes.find(change_id) or abort(404)
