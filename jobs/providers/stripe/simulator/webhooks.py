"""Delivers events to Kontor's hook, signed as Stripe signs, again until they are taken or given up.
What may be told now follows the Clock; retries and signatures follow wall time."""

import hmac
import http.client
import json
import threading
import time
from hashlib import sha256
from urllib.parse import urlsplit

from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.world import World

WORKERS = 4
HOOK_TIMEOUT_SECONDS = 5
# About half a minute in all: long enough for a restarted web process; then the list of events
# is what remains, as with Stripe after three days.
RETRY_SECONDS = (0.25, 0.5, 1, 2, 4, 8, 8, 8)
IDLE_SECONDS = 1.0


def sign(secret: str, body: bytes, timestamp: int) -> str:
    """The Stripe-Signature header."""
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, sha256).hexdigest()}"


def waiting_now(world: World) -> list[Json]:
    """Deliveries that the Clock allows and that nobody has taken yet."""
    # All instants are written in UTC by isoformat: their texts sort like the instants.
    now = world.meta["now"] or ""
    return [
        one for one in world.store.all("delivery") if one["state"] == "waiting" and one["at"] <= now
    ]


def is_quiet(world: World) -> bool:
    return not waiting_now(world)


class Deliverer:
    """A few threads that take one delivery each; `stop` waits for what is under way."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._busy: set[str] = set()
        self._retry_at: dict[str, float] = {}
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, name=f"webhooks-{n}", daemon=True)
            for n in range(WORKERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        with self._world.lock:
            self._stopping = True
            self._world.told.notify_all()
        for thread in self._threads:
            thread.join(HOOK_TIMEOUT_SECONDS)

    def _run(self) -> None:
        while (delivery := self._take()) is not None:
            event = self._event_of(delivery)
            taken = event is None or self._post(event)
            with self._world.lock:
                self._record(delivery, taken)

    def _take(self) -> Json | None:
        """The next delivery, in the order it was made or shuffled to; None when stopping."""
        with self._world.lock:
            while not self._stopping:
                free = [one for one in waiting_now(self._world) if one["id"] not in self._busy]
                now = time.monotonic()
                ready = [one for one in free if self._retry_at.get(one["id"], 0.0) <= now]
                if ready:
                    first = min(ready, key=lambda one: int(one["order"]))
                    self._busy.add(first["id"])
                    return first
                waits = [self._retry_at[one["id"]] - now for one in free]
                self._world.told.wait(min([IDLE_SECONDS, *waits]))
            return None

    def _event_of(self, delivery: Json) -> Json | None:
        with self._world.lock:
            return self._world.store.get("event", delivery["event"])

    def _record(self, delivery: Json, taken: bool) -> None:
        self._busy.discard(delivery["id"])
        if self._world.store.get("delivery", delivery["id"]) is None:
            return  # the book was reset meanwhile
        delivery["attempts"] += 1
        if taken:
            self._world.store.drop("delivery", delivery["id"])
            self._world.count("deliveries_taken")
        elif delivery["attempts"] > len(RETRY_SECONDS):
            delivery["state"] = "given_up"
            self._world.put("delivery", delivery)
        else:
            delay = RETRY_SECONDS[delivery["attempts"] - 1]
            self._retry_at[delivery["id"]] = time.monotonic() + delay
            self._world.put("delivery", delivery)
        self._world.commit()

    def _post(self, event: Json) -> bool:
        settings = self._world.settings
        url = urlsplit(settings.hook_url)
        body = json.dumps(event, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(settings.webhook_secret, body, int(time.time())),
        }
        connection = http.client.HTTPConnection(
            url.hostname or "", url.port, timeout=HOOK_TIMEOUT_SECONDS
        )
        try:
            connection.request("POST", url.path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return 200 <= status < 300
