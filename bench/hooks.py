"""Stripe's notifications as a load: bodies of a real size, signed, over connections that stay open.
It measures nothing itself."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

from config import Settings
from jobs.providers.stripe.simulator.webhooks import sign

FILLER = {f"field_{n}": "as long as Stripe's" for n in range(40)}
"""An event of Stripe's has some two kilobytes."""
EVENT = {
    "id": "%(event_id)s",
    "object": "event",
    "type": "%(event_type)s",
    "data": {"object": {"id": "%(object_id)s", **FILLER}},
}
# Written once: the machine is there to be measured, not to format JSON.
_BODY = json.dumps(EVENT, indent=2)
Hook = Callable[[bytes], tuple[int, bytes]]


def payload(event_id: str, event_type: str, object_id: str) -> bytes:
    """The ids are plain ASCII, as a provider's are."""
    ids = {"event_id": event_id, "event_type": event_type, "object_id": object_id}
    return (_BODY % ids).encode()


def sender(settings: Settings) -> Hook:
    """One connection; it is opened again when the server ended it."""
    kept: list[socket.socket] = []
    head = (
        f"POST /hooks/stripe HTTP/1.1\r\nHost: {settings.host}:{settings.port}\r\n"
        "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
    )

    def send(body: bytes) -> tuple[int, bytes]:
        if not kept:
            kept.append(socket.create_connection((settings.host, settings.port), timeout=30))
            kept[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        signature = sign(settings.stripe_webhook_secret, body, int(time.time()))
        kept[0].sendall(
            f"{head}Stripe-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        return _answer(kept[0])

    return send


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    found = b""
    while (end := found.find(b"\r\n\r\n")) < 0:
        found += _more(connection)
    head = found[:end].lower()
    at = head.index(b"content-length:") + 15
    length = int(head[at:].split(b"\r\n", 1)[0])
    while len(found) < end + 4 + length:
        found += _more(connection)
    return int(head[9:12]), found[end + 4 :]


def _more(connection: socket.socket) -> bytes:
    read = connection.recv(65_536)
    if not read:
        raise ConnectionError("the server ended the connection")
    return read
