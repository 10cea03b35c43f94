"""Outages until they are switched off: what every request meets while one lasts. Requests and
answers as the other modules know them stand here, too."""

import itertools
import json
from dataclasses import dataclass, field, replace

from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.wire import StripeError
from jobs.providers.stripe.simulator.world import World

BLACKHOLE_SECONDS_MAX = 60.0
"""Longer than any caller waits; then the connection is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    text: str  # the form of a POST, the query of a GET
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`cut`: the connection ends here without an answer. `raw`: these bytes instead of the body,
    of that type."""

    status: int = 200
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    raw: tuple[str, bytes] | None = None


class Outages:
    """One at a time, for every caller."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._turns = itertools.count()

    def before(self, request: Request) -> Answer | None:
        """What is answered instead of any work."""
        outage = self._world.faults.outage
        match outage.mode:
            case "rate_limited":
                error = StripeError(429, "Too many requests hit the API too quickly.")
                headers = {"Retry-After": str(outage.retry_after_s)}
                return Answer(status=429, body=error.body, headers=headers)
            case "server_error":
                error = StripeError(500, "An unknown error occurred.", kind="api_error")
                return Answer(status=500, body=error.body)
            case "blackhole":
                with self._world.lock:
                    self._world.told.wait_for(self._is_over, BLACKHOLE_SECONDS_MAX)
                return Answer(cut=True)
            case _:
                return None

    def _is_over(self) -> bool:
        return self._world.faults.outage.mode != "blackhole"

    def after(self, answer: Answer) -> Answer:
        """The work is done; what comes back is not what was meant."""
        if self._world.faults.outage.mode != "garbage" or answer.cut:
            return answer
        whole = json.dumps(answer.body, indent=2).encode()
        kinds = (
            ("text/html", b"<!doctype html><title>Please sign in to the network</title>"),
            ("application/json", whole[: len(whole) // 2]),
            ("text/plain", whole),
            ("application/json", b"{}"),
            ("application/json", b"[]"),
        )
        return replace(answer, status=200, raw=kinds[next(self._turns) % len(kinds)])
