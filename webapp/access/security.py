"""What stands in front of every view: host, body limit, session, CSRF token, permission, fresh
proof; and behind it: the security headers. It draws no page and knows no business."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import Final, ParamSpec, TypeVar, cast

from flask import Flask, Response, abort, current_app, g, request, url_for
from werkzeug.exceptions import SecurityError
from werkzeug.wrappers import Response as AnyResponse

from config import Settings
from domain.kernel.time import berlin_date
from webapp import fragments
from webapp.access import half_open, proving, sessions
from webapp.access.audit import audit
from webapp.access.permissions import ACTS, HALF_OPEN, MACHINE, PUBLIC, Role, act_of, may

P = ParamSpec("P")
R = TypeVar("R")
MEGABYTE: Final = 1024 * 1024
BODY_LIMIT: Final = MEGABYTE
LIMIT_MARK: Final = "kontor_body_limit"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
YEAR_SECONDS: Final = 365 * 24 * 3600

POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; frame-src 'none'; "
    "worker-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Chromium's own viewer draws a PDF with an embedded object and inline style.
PDF_POLICY: Final = (
    "default-src 'none'; object-src 'self'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class CsrfRefused(Exception):
    """A write without the token of its session. Nothing was done."""


class SignInNeeded(Exception):
    """Nobody is logged in, or the session ended."""


def init_security(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        TRUSTED_HOSTS=list(settings.allowed_hosts),
    )
    app.before_request(_refuse_foreign_host)
    app.before_request(_limit_body)
    app.before_request(_load_session)
    app.before_request(_refuse_nul)
    app.before_request(_check_csrf)
    app.before_request(check_permission)
    app.after_request(_set_cookies)
    app.after_request(_set_headers)


def body_limit(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view that takes larger bodies than the rest."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        setattr(view, LIMIT_MARK, size)
        return view

    return mark


def settings() -> Settings:
    return cast(Settings, current_app.extensions["kontor.settings"])


def cookie_name(kind: str, ours: Settings) -> str:
    """`__Host-` and Secure ask for https. The sandbox is plain http on loopback: Chromium takes
    such cookies there, Safari and scripts do not, so it goes without. Its port keeps two
    sandboxes on one machine apart, because cookies know no ports."""
    return f"kontor-{kind}-{ours.port}" if ours.sandbox else f"__Host-kontor-{kind}"


def _cookie(kind: str) -> str:
    return cookie_name(kind, settings())


def _act() -> str | None:
    return act_of(current_app, request.endpoint) if request.endpoint else PUBLIC


def _refuse_foreign_host() -> None:
    """First of all: under a name that is not ours no address can be built, not even for a page
    that refuses something else."""
    if isinstance(request.routing_exception, SecurityError):
        raise request.routing_exception


def _limit_body() -> None:
    """By its length, before it is read. A body in chunks tells none, and would be cut at the limit
    without a word: nobody who talks to us sends one."""
    if "Transfer-Encoding" in request.headers:
        abort(411)
    if request.endpoint:
        view = current_app.view_functions[request.endpoint]
        request.max_content_length = getattr(view, LIMIT_MARK, BODY_LIMIT)


def _load_session() -> None:
    g.staff = g.half = g.session_token = g.notice = g.new_token = None
    g.fresh = False
    g.theme, g.keys = request.cookies.get("theme", ""), request.cookies.get("keys", "")
    token = request.cookies.get(_cookie("session"))
    if not token or request.endpoint == "static" or _act() == MACHINE:
        return
    opened = sessions.resume(token)
    if opened:
        enter(opened, token)
    else:
        g.half = half_open.resume(token)


def _refuse_nul() -> None:
    """No id of ours holds a NUL, and PostgreSQL stores none: not even in the audit row of a 403."""
    if any("\0" in str(value) for value in (request.view_args or {}).values()):
        abort(404)


def enter(opened: sessions.Opened, token: str | None = None) -> None:
    """From here on this request acts for that person."""
    g.staff, g.half, g.fresh = opened.principal, None, opened.fresh
    g.new_token = opened.token
    g.session_token = opened.token or token
    g.notice = opened.notice
    g.clock = opened.clock


def enter_half(half: half_open.HalfOpen) -> None:
    """The password was right; this browser may go on to the second factor and nowhere else."""
    g.half, g.new_token = half, half.token


def now() -> datetime:
    """Business time of this request: the Clock in the sandbox, else the wall clock."""
    clock: datetime | None = g.get("clock")
    if clock is None:
        clock = g.clock = sessions.read_clock()
    return clock


def today() -> date:
    """The Berlin date of `now`."""
    return berlin_date(now())


def leave() -> None:
    """Logs out: the row goes, so every copy of the cookie is dead."""
    if g.session_token:
        sessions.end(sessions.digest(g.session_token))
    if g.half:
        half_open.end(g.half.token)
    g.staff = g.half = g.session_token = g.notice = None
    g.fresh = False
    g.new_token = ""


def csrf_token() -> str:
    """The token that a form of this page has to send back."""
    if g.staff or g.half:
        return str((g.staff or g.half).csrf)
    nonce = g.get("login_nonce") or request.cookies.get(_cookie("login"))
    if not nonce or len(nonce) > 100:
        nonce = g.login_nonce = secrets.token_urlsafe(sessions.TOKEN_BYTES)
    return _login_token(nonce)


def _login_token(nonce: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, b"login:" + nonce.encode(), hashlib.sha256).hexdigest()


def _check_csrf() -> None:
    """Every write of a browser, htmx included. Machines sign their bodies instead."""
    if request.method in SAFE_METHODS or _act() == MACHINE:
        return
    if not _may_come_in():
        raise SignInNeeded
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    nonce = request.cookies.get(_cookie("login"), "")
    known = g.staff or g.half
    expected = known.csrf if known else _login_token(nonce) if nonce else ""
    foreign = request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    if foreign or not expected or not hmac.compare_digest(sent.encode(), expected.encode()):
        audit("csrf", "denied", request.endpoint, reference=g.reference)
        raise CsrfRefused


def _may_come_in() -> bool:
    """Whether this request has got as far as its view asks: the login page for everybody, the
    second step for half-open logins, everything else for people who are logged in."""
    wanted = {PUBLIC: True, MACHINE: True, HALF_OPEN: g.half is not None}
    return wanted.get(str(_act()), g.staff is not None)


def check_permission() -> None:
    """The one gate to every view; a view without a mark stays shut."""
    act = _act()
    if not _may_come_in():
        raise SignInNeeded
    if act in (PUBLIC, MACHINE, HALF_OPEN):
        return
    if act is None or not allowed(act):
        subject = next((str(v) for v in (request.view_args or {}).values()), None)
        audit(act or str(request.endpoint), "denied", subject, reference=g.reference)
        abort(403)
    if ACTS[act].fresh and request.method not in SAFE_METHODS and not g.fresh:
        # Raises unless this very request brings the proof along.
        g.new_token = proving.take_proof(act)
        g.fresh = True


def allowed(act: str) -> bool:
    """Whether the person of this request may do it; for views and templates."""
    staff = g.get("staff")
    return staff is not None and may(Role(staff.role), act, sandbox=settings().sandbox)


def sign_in_url() -> str:
    """The login page, with the way back to where the person was."""
    if fragments.is_htmx():
        back = fragments.asked_from()
    else:
        back = request.full_path.rstrip("?") if request.method in SAFE_METHODS else ""
    back = "" if back in ("", "/") else back
    return url_for("auth.login", next=back or None)


def _set_cookies(answer: AnyResponse) -> AnyResponse:
    secure = not settings().sandbox
    new_token, nonce = g.get("new_token"), g.get("login_nonce")
    if new_token:
        answer.set_cookie(
            _cookie("session"), new_token, httponly=True, samesite="Lax", secure=secure, path="/"
        )
        answer.delete_cookie(_cookie("login"), httponly=True, samesite="Lax", secure=secure)
    elif new_token == "":
        answer.delete_cookie(_cookie("session"), httponly=True, samesite="Lax", secure=secure)
    if nonce and not new_token:
        answer.set_cookie(
            _cookie("login"), nonce, httponly=True, samesite="Lax", secure=secure, path="/"
        )
    return answer


def _set_headers(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if not settings().sandbox:
        answer.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"
    if request.endpoint != "static" or answer.status_code >= 400:
        answer.headers["Cache-Control"] = "no-store"
    elif request.args.get("v"):
        answer.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    else:
        answer.headers.setdefault("Cache-Control", "no-cache")
    return answer
