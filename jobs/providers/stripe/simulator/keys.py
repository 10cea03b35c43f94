"""Idempotency keys as Stripe documents them: the first answer of a key is stored and replayed,
a 500 too; other parameters are an error; a key in flight is a 409; after 24 h a key is forgotten.
An answer that refused the parameters, or the 409 itself, is never stored."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.wire import StripeError
from jobs.providers.stripe.simulator.world import World

KEPT = timedelta(hours=24)
KEY_CHARS_MAX = 255


@dataclass(frozen=True, slots=True)
class Stored:
    """What is answered again, and the id of the request that was answered first."""

    status: int
    body: Json
    request_id: str


class Keys:
    """Callers hold the world's lock. Keys in flight live in memory: they end with the process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._in_flight: set[str] = set()

    def begin(self, key: str, path: str, form: Json) -> Stored | None:
        """The stored answer, or None after the key was taken for a new one."""
        if len(key) > KEY_CHARS_MAX:
            raise StripeError(400, "Idempotency keys have at most 255 characters.", validation=True)
        if key in self._in_flight:
            raise StripeError(
                409,
                "There is currently another in-progress request using this Idempotency Key.",
                code="idempotency_key_in_use",
            )
        saved = self._world.store.get("key", key)
        if saved is not None and self._forgotten(saved):
            self._world.store.drop("key", key)
            saved = None
        if saved is None:
            self._in_flight.add(key)
            return None
        if saved["content"] != _content(path, form):
            raise StripeError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they "
                f"were first used with. Try using a key other than '{key}'.",
                kind="idempotency_error",
            )
        return Stored(saved["status"], saved["body"], saved["request"])

    def keep(self, key: str, path: str, form: Json, answer: Stored) -> None:
        record = {
            "id": key,
            "content": _content(path, form),
            "status": answer.status,
            "body": answer.body,
            "request": answer.request_id,
            "at": self._world.now.isoformat(),
        }
        self._world.put("key", record)

    def end(self, key: str) -> None:
        self._in_flight.discard(key)

    def _forgotten(self, saved: Json) -> bool:
        return self._world.now - datetime.fromisoformat(saved["at"]) >= KEPT


def _content(path: str, form: Json) -> str:
    return json.dumps([path, form], sort_keys=True)
