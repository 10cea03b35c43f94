"""Two loopback sockets, one for Stripe's API and one for the control protocol. Each connection
has a thread; bytes in, bytes out, nothing decided."""

import contextlib
import json
import socket
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from jobs.providers.stripe.simulator import control
from jobs.providers.stripe.simulator.api import Api
from jobs.providers.stripe.simulator.outages import Answer, Request
from jobs.providers.stripe.simulator.world import World

BODY_BYTES_MAX = 20_000_000  # a seed of the whole demo insurer
CONNECTION_SECONDS = 60
JSON = "application/json"

Answerer: TypeAlias = Callable[[Request, bytes], Answer]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away, as a killed worker does, is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One request after the other on a kept connection."""

    protocol_version = "HTTP/1.1"
    timeout = CONNECTION_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 65536  # headers and body leave in one piece
    answer: Answerer

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def _serve(self, method: str) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._write(Answer(status=413))
            return
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        text = body.decode("utf-8", "replace") if method == "POST" else url.query
        request = Request(method=method, path=url.path, text=text, headers=headers)
        self._write(self.answer(request, body))

    def _write(self, answer: Answer) -> None:
        if answer.cut:
            self.close_connection = True
            with contextlib.suppress(OSError):  # the caller may have left first
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        kind, body = answer.raw or (JSON, json.dumps(answer.body, indent=2).encode())
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are in the book; a line each would bury what matters."""


def _handler(answer: Answerer) -> type[_Handler]:
    return type("Handler", (_Handler,), {"answer": staticmethod(answer)})


def servers(world: World, api_url: str, control_url: str) -> tuple[_Server, _Server]:
    """Bound and listening; `serve_forever` is up to the caller."""
    api = Api(world)

    def answer_api(request: Request, _body: bytes) -> Answer:
        return api.handle(request)

    def answer_control(request: Request, body: bytes) -> Answer:
        status, answered = control.handle(world, request.method, request.path, body)
        return Answer(status=status, body=answered)

    return (
        _Server(_address(api_url), _handler(answer_api)),
        _Server(_address(control_url), _handler(answer_control)),
    )


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80
