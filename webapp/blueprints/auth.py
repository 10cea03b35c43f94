"""Login in two steps, logout and the choice of light or dark. Passwords, codes and sessions are
elsewhere."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from webapp import fragments
from webapp.access import passwords, proving, second_factor, security, sessions, throttle
from webapp.access.audit import audit
from webapp.access.half_open import HalfOpen, begin
from webapp.access.permissions import half_open, permitted, public
from webapp.access.qr import square
from webapp.cli import DEMO_STAFF
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
    if g.half and "again" not in request.args:
        return _second_step()
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
        return _page(_too_many(), 429)
    staff = result.staff
    if staff is None:
        audit("login", "failed", reference=g.reference)
        return _page(_("User name or password is wrong."), 422)
    security.leave()
    if second_factor.needed(staff):
        security.enter_half(begin(staff))
        return _second_step()
    return _come_in(sessions.start(staff, second_factor=False))


@blueprint.get("/login/code")
@half_open
def ask_code() -> Response:
    """For people who have a second factor; the others set one up first."""
    if g.half.staff.totp_sealed is None:
        return _second_step()
    return _code_page()


@blueprint.post("/login/code")
@half_open
def code() -> Response:
    staff, network = g.half.staff, throttle.network(request.remote_addr or "")
    if staff.totp_sealed is None:
        return _second_step()
    if not second_factor.count_try(staff.id, network):
        audit("login", "denied", reason="too many codes", staff_id=staff.id)
        return _code_page(_too_many(), 429)
    if not second_factor.accept(staff, request.form.get("code", ""), network):
        audit("login", "failed", reason="second factor", staff_id=staff.id, reference=g.reference)
        return _code_page(proving.wrong_code(), 422)
    security.leave()
    return _come_in(sessions.start(staff, second_factor=True))


@blueprint.get("/login/setup")
@half_open
def ask_setup() -> Response:
    if g.half.staff.totp_sealed is not None:
        return _second_step()
    return _setup_page(second_factor.new_secret())


@blueprint.post("/login/setup")
@half_open
def setup() -> Response:
    """The first login of a role that needs a second factor: a code shows that it works, then the
    recovery codes are seen this one time."""
    staff = g.half.staff
    secret = second_factor.read_candidate(request.form.get("candidate", ""), g.half.csrf)
    if staff.totp_sealed is not None or secret is None:
        return _second_step()
    if not second_factor.count_try(staff.id, throttle.network(request.remote_addr or "")):
        audit("login", "denied", reason="too many codes", staff_id=staff.id)
        return _setup_page(secret, _too_many(), 429)
    codes = second_factor.set_up(staff, secret, request.form.get("code", ""))
    if codes is None:
        return _setup_page(secret, _("This code does not belong to the secret below."), 422)
    audit("account.secure", "allowed", staff.id, reason="second factor set up", staff_id=staff.id)
    security.leave()
    security.enter(sessions.start(staff, second_factor=True))
    audit("login", "allowed")
    back = fragments.local_path(request.form.get("next"))
    return make_response(render_template("auth/codes.html", codes=codes, back=back))


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


def _come_in(opened: sessions.Opened) -> Response:
    security.enter(opened)
    audit("login", "allowed")
    return fragments.go(fragments.local_path(request.form.get("next")))


def _second_step() -> Response:
    """To the page that this half-open login needs, with the way back."""
    step = "auth.ask_code" if g.half.staff.totp_sealed else "auth.ask_setup"
    return fragments.go(url_for(step, next=_back() or None))


def _code_page(error: str = "", status: int = 200) -> Response:
    half: HalfOpen = g.half
    shown = _shown_code(half) if security.settings().sandbox else None
    html = render_template(
        "auth/code.html", error=error, who=half.staff.name, back=_back(), shown=shown
    )
    return make_response(html, status)


def _shown_code(half: HalfOpen) -> str | None:
    """The code of one of the sandbox's own people, whose secret is no secret. Empty while the
    next one has not begun."""
    demo = next((one for one in DEMO_STAFF if one.id == half.staff.id), None)
    if demo is None or second_factor.stored(half.staff) != demo.totp:
        return None
    return second_factor.next_code(demo.totp, half.staff.totp_step) or ""


def _setup_page(secret: bytes, error: str = "", status: int = 200) -> Response:
    half: HalfOpen = g.half
    house = security.settings().house.name
    html = render_template(
        "auth/setup.html",
        error=error,
        who=half.staff.name,
        back=_back(),
        picture=square(second_factor.address(secret, half.staff.login, house)),
        secret=second_factor.as_text(secret),
        candidate=second_factor.candidate(secret, half.csrf),
    )
    return make_response(html, status)


def _too_many() -> str:
    return _("Too many tries. Wait up to 15 minutes and try again.")


def _back() -> str:
    return typed(request.values.get("next"), ADDRESS_MAX)


def _name() -> str:
    """No name holds a control sign, PostgreSQL takes no NUL, and no page may show one again."""
    return typed(request.form.get("login"), NAME_MAX)


def _page(error: str = "", status: int = 200) -> Response:
    sandbox = security.settings().sandbox
    html = render_template(
        "auth/login.html",
        error=error,
        name=_name(),
        back=_back(),
        saved=request.args.get("saved") == "password",
        demo=DEMO_STAFF if sandbox else (),
    )
    return make_response(html, status)
