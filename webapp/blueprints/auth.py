"""Login, logout and the choice of light or dark. Passwords and sessions are elsewhere."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from webapp import fragments, passwords, security, sessions
from webapp.audit import audit
from webapp.cli import DEMO_STAFF
from webapp.permissions import permitted, public
from webapp.texts import _
from webapp.typed import typed

blueprint = Blueprint("auth", __name__)
THEMES = ("light", "dark", "auto")
YEAR_SECONDS = 365 * 24 * 3600
NAME_MAX, ADDRESS_MAX = 200, 2000


@blueprint.get("/login")
@public
def login() -> Response:
    if g.staff:
        return fragments.go(fragments.local_path(request.args.get("next")))
    return _page()


@blueprint.post("/login")
@public
def enter() -> Response:
    name = _name()
    password = request.form.get("password", "")
    if not name.strip() or not password:
        return _page(_("Enter your user name and your password."), 422)
    result = passwords.attempt(name, password, request.remote_addr or "")
    if result.blocked:
        audit("login", "denied", reason="too many tries", reference=g.reference)
        return _page(_("Too many tries. Wait up to 15 minutes and try again."), 429)
    if result.staff is None:
        audit("login", "failed", reference=g.reference)
        return _page(_("User name or password is wrong."), 422)
    security.leave()
    security.enter(sessions.start(result.staff))
    audit("login", "allowed")
    return fragments.go(fragments.local_path(request.form.get("next")))


@blueprint.post("/logout")
@permitted("account.own")
def logout() -> Response:
    security.leave()
    return fragments.go(security.sign_in_url())


@blueprint.post("/theme")
@permitted("account.own")
def theme() -> Response:
    """Light, dark, or what the machine says. htmx gets an event, a plain form its page back."""
    chosen = request.form.get("theme", "")
    chosen = chosen if chosen in THEMES else "auto"
    if fragments.is_htmx():
        answer = make_response("", 204)
        answer.headers["HX-Trigger"] = f'{{"theme": {{"name": "{chosen}"}}}}'
    else:
        answer = make_response(redirect(fragments.local_path(request.form.get("next")), 303))
    return _remember(answer, "theme", chosen)


@blueprint.post("/keys")
@permitted("account.own")
def keys() -> Response:
    """Single keys on or off (WCAG 2.1.4)."""
    answer = make_response(redirect(fragments.local_path(request.form.get("next")), 303))
    return _remember(answer, "keys", "off" if request.form.get("keys") == "off" else "on")


def _remember(answer: Response, name: str, value: str) -> Response:
    secure = not security.settings().sandbox
    answer.set_cookie(
        name, value, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure
    )
    return answer


def _name() -> str:
    """No name holds a control sign, PostgreSQL takes no NUL, and no page may show one again."""
    return typed(request.form.get("login"), NAME_MAX)


def _page(error: str = "", status: int = 200) -> Response:
    sandbox = security.settings().sandbox
    html = render_template(
        "auth/login.html",
        error=error,
        name=_name(),
        back=typed(request.values.get("next"), ADDRESS_MAX),
        demo=DEMO_STAFF if sandbox else (),
    )
    return make_response(html, status)
