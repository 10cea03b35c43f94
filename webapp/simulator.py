"""The Sandbox page's line to the simulator's control port. In production there is none, and no
other screen asks it anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import httpx

from webapp.access.security import settings

Json: TypeAlias = dict[str, Any]
TIMEOUT_S: Final = 5.0


class SimulatorAway(Exception):
    """It does not answer, or refused; the text is for people."""


def ask(method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
    """One question to the control port. Raises SimulatorAway."""
    url = f"{settings().simulator_control}{path}"
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            answer = client.request(method, url, json=body)
            told: Json = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise SimulatorAway(str(error)) from error
    if answer.status_code != httpx.codes.OK:
        raise SimulatorAway(str(told.get("error", answer.status_code)))
    return told
