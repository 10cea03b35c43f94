"""The short way of a provider's notification: verified, stored, answered, before any session, form
or page is thought of. Whatever is not plainly right goes the long way, to the view of
`blueprints/hooks.py`, which refuses, counts and explains. A stored notification writes no line in
the log: its row in the inbox says more."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from werkzeug.datastructures import EnvironHeaders

from config import Settings
from domain.dispatch import Dispatcher
from domain.observing import logs, traces
from domain.payments import signatures
from webapp.access.security import BODY_LIMIT, HEADERS, YEAR_SECONDS
from webapp.observing import metrics, watching

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)
PREFIX: Final = "/hooks/"
RECEIVED: Final = b"received\n"
NOT_STORED: Final = b"not stored\n"


class HookLane:
    """WSGI in front of the app. With traces on everything goes the long way, which has spans."""

    def __init__(
        self,
        app: WSGIApplication,
        settings: Settings,
        kontor: Dispatcher,
        failure: tuple[type[Exception], ...],
    ) -> None:
        """`failure`: what the database's driver raises, and that it is not ours."""
        self._app = app
        self._kontor = kontor
        self._failure = failure
        self._hosts = frozenset(settings.allowed_hosts)
        self._secrets = {"stripe": settings.stripe_webhook_secret}
        strict = {} if settings.sandbox else {"Strict-Transport-Security": _STRICT}
        self._headers = [
            *HEADERS.items(),
            *strict.items(),
            ("Cache-Control", "no-store"),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or traces.enabled():
            return self._app(environ, start_response)
        reference = watching.new_reference()
        try:
            stored = self._stored(environ, path.removeprefix(PREFIX))
        except self._failure as error:
            # Not stored, so the provider has to send it again; the view would only wait once more.
            with logs.bind(request_id=reference):
                log.error("a notification was not stored: %s", error)
            return self._say(start_response, reference, "503 Service Unavailable", NOT_STORED)
        if stored:
            return self._say(start_response, reference, "200 OK", RECEIVED)
        return self._app(environ, start_response)

    def _say(
        self, start_response: StartResponse, reference: str, status: str, body: bytes
    ) -> list[bytes]:
        named = ("X-Request-Id", reference), ("Content-Length", str(len(body)))
        start_response(status, [*self._headers, *named])
        return [body]

    def _stored(self, environ: WSGIEnvironment, provider: str) -> bool:
        began = time.perf_counter()
        secret, length = self._secrets.get(provider), environ.get("CONTENT_LENGTH") or ""
        known_host = environ.get("HTTP_HOST", "").partition(":")[0] in self._hosts
        small = length.isascii() and length.isdigit() and int(length) <= BODY_LIMIT
        if environ["REQUEST_METHOD"] != "POST" or not (secret and known_host and small):
            return False
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        headers = dict(EnvironHeaders(environ).items())
        verdict = signatures.check(provider, body, headers, secret, int(time.time()))
        if not isinstance(verdict, signatures.Verified):
            return False
        if not self._kontor.hear(provider, body, headers, verified=True):
            return False
        metrics.webhook_took(provider, 200, time.perf_counter() - began)
        return True


_STRICT: Final = f"max-age={YEAR_SECONDS}"
