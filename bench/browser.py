"""A browser for attackers: it sends any bytes as a request to the app in this process, as a person
of some role or as a stranger. It follows nothing and checks nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Flask, got_request_exception
from sqlalchemy import select
from werkzeug.datastructures import Headers
from werkzeug.http import parse_cookie
from werkzeug.test import run_wsgi_app

from config import Settings
from webapp.access import half_open, resets, security, sessions
from webapp.access.permissions import Role
from webapp.models import Staff, db

FORM = "application/x-www-form-urlencoded"
STRANGER = "stranger"
HALF, SETTING_UP = "half-open", "setting-up"
"""Between the two steps of the login: with a second factor, and without one yet."""
EVERYBODY = (*Role, STRANGER, HALF, SETTING_UP)
OUTSIDE = (STRANGER, HALF, SETTING_UP)
"""Whom nothing but the login is open to."""
_NEW = "stf_new"
SHOWN = 600
"""Characters of each part that a finding repeats."""


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` as they go over the wire; header values may hold any text."""

    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunked: bool = False

    def told(self) -> str:
        """For a person who wants to send it again."""
        query = f"?{self.query}" if self.query else ""
        headers = {name: value[:SHOWN] for name, value in self.headers.items()}
        body = repr(self.body[:SHOWN]) + f" ({len(self.body)} bytes)" * (len(self.body) > SHOWN)
        return f"{self.method} {self.path[:SHOWN]}{query[:SHOWN]} {headers} {body}"


@dataclass(frozen=True, slots=True)
class Answer:
    """`error` is what broke, also after the first bytes were on their way."""

    status: int
    headers: Headers
    body: bytes
    error: BaseException | None = None

    @property
    def kind(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def sent_to(self) -> str:
        return self.headers.get("Location") or self.headers.get("HX-Redirect") or ""


def at(url: str, method: str = "GET", **more: Any) -> Request:
    """A request to an address as it stands in a link."""
    parts = urlsplit(url)
    return Request(method, parts.path or "/", parts.query, **more)


class Browser:
    """`role` is one of EVERYBODY. Cookies that are set are sent again. A `new` one has been
    nowhere: it carries no cookie and no token."""

    def __init__(
        self, app: Flask, role: str, client: str = "127.0.0.1", *, new: bool = False
    ) -> None:
        self.app, self.role, self._client = app, role, client
        self.settings: Settings = app.extensions["kontor.settings"]
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        if not new:
            self.renew()

    def renew(self) -> None:
        """Logs in again, whatever became of the account meanwhile."""
        self.cookies.clear()
        if self.role == STRANGER:
            self._take_nonce()
            return
        with self.app.app_context():
            staff = self._person()
            staff.disabled_at = None
            token, self.csrf = self._come_in(staff)
            self.cookies[security.cookie_name("session", self.settings)] = token

    def _person(self) -> Staff:
        if self.role == SETTING_UP:
            return db.session.get(Staff, _NEW) or _newcomer()
        role = Role.LEAD if self.role == HALF else self.role
        named = select(Staff).where(Staff.role == role).order_by(Staff.login)
        staff = db.session.scalars(named).first()
        assert staff is not None, f"nobody has the role {role}"
        return staff

    def _come_in(self, staff: Staff) -> tuple[str, str]:
        """The token of the cookie and the one of its forms."""
        if self.role in OUTSIDE:
            half = half_open.begin(staff)
            return half.token, half.csrf
        opened = sessions.start(staff, second_factor=True)
        return opened.token or "", opened.principal.csrf

    def _take_nonce(self) -> None:
        """A stranger's token stands on the login page."""
        page = self.send(Request(path="/login")).text
        self.csrf = page.partition('name="csrf_token" value="')[2].partition('"')[0]

    def send(self, request: Request, *, keep: bool = True) -> Answer:
        """`keep=False` leaves the cookies as they are."""
        status, headers, body = "500", Headers(), b""
        error: BaseException | None = None
        with _broken(self.app) as broken:
            try:
                chunks, status, headers = run_wsgi_app(self.app.wsgi_app, self._environ(request))
                try:
                    body = b"".join(chunks)
                finally:
                    getattr(chunks, "close", lambda: None)()
            except Exception as caught:  # noqa: BLE001  # whatever escapes is the finding
                error = caught
        if keep:
            for cookie in headers.getlist("Set-Cookie"):
                self.cookies.update(parse_cookie(cookie.partition(";")[0]))
        return Answer(int(status.split()[0]), headers, body, error or next(iter(broken), None))

    def _environ(self, request: Request) -> dict[str, Any]:
        host = f"{self.settings.host}:{self.settings.port}"
        # PEP 3333: bytes of the wire as Latin-1 text.
        path = unquote_to_bytes(request.path).decode("latin-1")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": request.query.encode("utf-8", "surrogatepass").decode("latin-1"),
            "SERVER_NAME": self.settings.host,
            "SERVER_PORT": str(self.settings.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self._client,
            "HTTP_HOST": host,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if not self.settings.sandbox else "http",
            "wsgi.input": BytesIO(request.body),
            "wsgi.errors": _Nowhere(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if request.chunked:
            environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        elif request.body or request.method in ("POST", "PUT", "PATCH"):
            environ["CONTENT_LENGTH"] = str(len(request.body))
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = value.encode("utf-8", "surrogatepass").decode("latin-1")
        return environ


def reset_link(app: Flask) -> str:
    """An address that sets a password once: of the last admin, as whom no Browser comes."""
    with app.app_context():
        newest = select(Staff).where(Staff.role == Role.ADMIN).order_by(Staff.login.desc())
        admin = db.session.scalars(newest).first()
        assert admin is not None
        token = resets.make(admin.id, None)
        db.session.commit()
    return f"/reset/{token}"


def _newcomer() -> Staff:
    """An account made a moment ago, whose role asks for a second factor."""
    staff = Staff(id=_NEW, login="zoe", name="Zoe New", role=Role.FINANCE)
    staff.password_hash = ""  # no password is right
    db.session.add(staff)
    db.session.commit()
    return staff


class _Nowhere:
    """`wsgi.errors` of a request that is meant to hurt."""

    def write(self, _text: str) -> None: ...

    def flush(self) -> None: ...


@contextmanager
def _broken(app: Flask) -> Iterator[list[BaseException]]:
    """What Flask caught and answered with 500, with its trace."""
    found: list[BaseException] = []

    def note(_app: Flask, exception: BaseException, **_more: object) -> None:
        found.append(exception)

    with got_request_exception.connected_to(note, app):
        yield found
