"""The hand on the simulator: a client of its control port, for the sandbox Clock, the demo and
tests. Kontor itself never asks it anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import httpx

Json: TypeAlias = dict[str, object]
TIMEOUT_S = 60.0
"""A far move makes the simulator work through weeks of its agenda."""


class ControlError(Exception):
    """The simulator refused or is away; the text is for people."""


class Control:
    """One per process; safe to share between threads."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def set_clock(self, now: datetime) -> None:
        """It does all that is due up to then. Raises ControlError, also when it would go back."""
        self.ask("PUT", "/clock", {"now": now.isoformat()})

    def now(self) -> datetime | None:
        """The simulator's Clock; None before it was ever set."""
        at = self.ask("GET", "/clock")["now"]
        return datetime.fromisoformat(at) if isinstance(at, str) else None

    def next_at(self) -> datetime | None:
        """When something happens by itself next."""
        at = self.ask("GET", "/next")["at"]
        return datetime.fromisoformat(at) if isinstance(at, str) else None

    def quiet(self) -> bool:
        """No webhook that could be delivered now is undelivered."""
        return bool(self.ask("GET", "/quiet")["quiet"])

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
        """Any other route of the control port (see the simulator's `control.py`)."""
        try:
            answer = self._client.request(method, path, json=body)
            told: Json = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ControlError(f"The simulator does not answer: {error}") from error
        if answer.status_code != httpx.codes.OK:
            raise ControlError(str(told.get("error", answer.status_code)))
        return told

    def close(self) -> None:
        self._client.close()
