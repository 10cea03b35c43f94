"""Makes the official client with Kontor's budget: short timeouts, no retries of its own (with the
defaults one lost answer blocked a worker for four minutes). Every call passes the gate, and an
answer that is not Stripe's never reaches a reader."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from config import LOOPBACK, Settings
from domain.observing import traces
from domain.payments.provider_events import Trouble
from jobs.gate import Gate, Shut
from jobs.providers.stripe.capabilities import API_VERSION, CONNECT_SECONDS, READ_SECONDS

# Timings of our calls and the name of our machine are nobody's business.
stripe.enable_telemetry = False

RETRY_AFTER_S = 1.0
"""What a 429 means that does not say it."""
TROUBLE: Mapping[int, Trouble] = {401: Trouble.NOT_ALLOWED, 429: Trouble.RATE_LIMITED}
ERRORS, SERVER_ERRORS = 400, 500


class NotSent(stripe.APIConnectionError):
    """The gate was shut: Stripe knows nothing of this call."""

    def __init__(self, why: str) -> None:
        super().__init__(why)  # type: ignore[no-untyped-call]  # the SDK's errors are not typed


class NotReadable(stripe.APIConnectionError):
    """An answer came, but not one of Stripe's."""

    def __init__(self, status: int) -> None:
        why = f"{status} with a body that is not Stripe's"
        super().__init__(why)  # type: ignore[no-untyped-call]  # the SDK's errors are not typed


class GatedClient(stripe.HTTPClient):
    """The SDK's transport behind a gate."""

    name = "kontor"

    def __init__(self, gate: Gate, transport: stripe.RequestsClient) -> None:
        super().__init__()
        self._gate = gate
        self._transport = transport

    def request(  # type: ignore[override]  # what every client of the SDK answers
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        with traces.span(f"stripe {method.upper()} {_route(url)}", "client"):
            return self._asked(method, url, headers, post_data)

    def _asked(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            failures = self._gate.enter()
        except Shut as shut:
            raise NotSent(str(shut)) from shut
        try:
            answer = self._transport.request(method, url, headers, post_data)
        except stripe.APIConnectionError as error:
            timed_out = isinstance(error.__cause__, self._transport.requests.exceptions.Timeout)
            self._gate.failed(Trouble.TIMEOUT if timed_out else Trouble.CONNECTION, None)
            raise
        trouble = trouble_in(*answer)
        if trouble is None:
            self._gate.answered(failures)
            return answer
        self._gate.failed(trouble, _hold_s(trouble, answer[2]))
        if trouble is Trouble.GARBAGE:
            raise NotReadable(answer[1])
        return answer


def _route(url: str) -> str:
    """Without query and without Stripe's ids, which a span needs as little as a log."""
    return re.sub(r"/[a-z]+_\w*[0-9]\w*", "/{id}", urlsplit(url).path)


def trouble_in(content: bytes, status: int, headers: Mapping[str, str]) -> Trouble | None:
    """What is wrong with an answer; a refusal is none. The whole body is read before any of it is
    believed."""
    if status in TROUBLE or status >= SERVER_ERRORS:
        return TROUBLE.get(status, Trouble.SERVER_ERROR)
    if not headers.get("Content-Type", "").startswith("application/json"):
        return Trouble.GARBAGE
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return Trouble.GARBAGE
    wanted = "object" if status < ERRORS else "error"
    return None if isinstance(body, dict) and body.get(wanted) else Trouble.GARBAGE


def _hold_s(trouble: Trouble, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; Retry-After may also be a date or nonsense, which asks for the least."""
    if trouble is not Trouble.RATE_LIMITED:
        return None
    told = headers.get("Retry-After", "")
    return max(RETRY_AFTER_S, float(told)) if told.isascii() and told.isdigit() else RETRY_AFTER_S


def stripe_client(
    settings: Settings, gate: Gate, read_s: float | None = None
) -> stripe.StripeClient:
    """`read_s`: another time to wait for an answer than an order gets."""
    base = settings.stripe_api_base
    # A proxy of the environment must not see what stays on this machine.
    direct = urlsplit(base).hostname in LOOPBACK
    transport = stripe.RequestsClient(
        timeout=(CONNECT_SECONDS, READ_SECONDS if read_s is None else read_s),
        proxy={"http": "", "https": ""} if direct else None,
    )
    return stripe.StripeClient(
        settings.stripe_api_key,
        stripe_version=API_VERSION,
        base_addresses={"api": base, "files": base},
        max_network_retries=0,
        http_client=GatedClient(gate, transport),
    )
