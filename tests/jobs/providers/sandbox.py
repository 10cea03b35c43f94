"""A simulator as a real process beside a real hook, for tests of the provider adapters."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import stripe

from config import ROOT, Settings
from jobs.gate import Open
from jobs.providers.stripe.adapter import StripeAdapter
from jobs.providers.stripe.client import stripe_client
from tests.jobs.providers.judge import Judged, available

READY_SECONDS = 20
START = "2026-12-01T05:00:00+00:00"  # Tuesday, 06:00 in Berlin
CUSTOMER = {
    "id": "cus_brandt",
    "name": "Nadia Brandt",
    "email": "nadia@example.org",
    "payment_methods": [{"id": "pm_brandt", "iban": "DE89370400440532013000"}],
}


@dataclass(frozen=True)
class Delivery:
    body: bytes
    signature: str
    status: int

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


class Hook:
    """Takes webhooks like Kontor's web process would; `answers` are given first, then 200."""

    def __init__(self, port: int) -> None:
        self.deliveries: list[Delivery] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = hook.answers.pop(0) if hook.answers else 200
                hook.deliveries.append(Delivery(body, self.headers["Stripe-Signature"], status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def taken(self) -> list[Delivery]:
        return [one for one in self.deliveries if one.status == 200]

    def types(self) -> list[str]:
        return [one.event["type"] for one in self.taken]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Simulator:
    """The process and its control port."""

    def __init__(self, var: Path, port: int) -> None:
        self._env = {**os.environ, "KONTOR_VAR": str(var), "PORT": str(port), "KONTOR_MODE": ""}
        self.settings = Settings.from_env(self._env)
        self.var = var
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jobs.providers.stripe.simulator"], cwd=ROOT, env=self._env
        )
        wait_until(self._healthy, READY_SECONDS)

    def _healthy(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the simulator ended with {self._process.returncode}")
        try:
            return bool(self.get("/health")["ok"])
        except OSError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(timeout=20)

    def get(self, path: str) -> Any:
        return self._control("GET", path)

    def put(self, path: str, body: object) -> Any:
        return self._control("PUT", path, body)

    def post(self, path: str, body: object = None) -> Any:
        return self._control("POST", path, body)

    def _control(self, method: str, path: str, body: object = None) -> Any:
        status, answer = self.raw(method, path, json.dumps(body).encode() if body else b"{}")
        assert status == 200, (status, answer)
        return answer

    def raw(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        url = urlsplit(self.settings.simulator_control)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def clock(self, to: str | datetime) -> Any:
        return self.put("/clock", {"now": to if isinstance(to, str) else to.isoformat()})

    def book(self) -> Any:
        return self.get("/book")

    def quiet(self) -> bool:
        return bool(self.get("/quiet")["quiet"])

    def client(self) -> stripe.StripeClient:
        """The adapter's client; judged where the specification is present."""
        original = stripe.RequestsClient
        if available():
            stripe.RequestsClient = Judged  # the factory itself stays as it is
        try:
            return stripe_client(self.settings, Open())
        finally:
            stripe.RequestsClient = original

    def adapter(self) -> StripeAdapter:
        return StripeAdapter(self.client())


def wait_until(done: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def free_ports() -> int:
    """The first of three free ports in a row."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        try:
            for offset in range(3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except (OSError, OverflowError):
            continue
        return port
    raise RuntimeError("no three free ports in a row")
