"""The circuit of a provider as the gate of its client: calls stand in line, failures in a row open
it, and then nobody calls but the probe."""

import logging
import time
from collections.abc import Callable, Mapping
from random import uniform
from uuid import uuid4

from domain.dispatch import Dispatcher
from domain.payments.provider import OpenCircuit, Provider, provider_id
from domain.payments.provider_events import Trouble
from domain.stream import circuit
from domain.stream.circuit import Held, Pace
from jobs.gate import Shut

log = logging.getLogger("kontor.gate")

FAILURES_MAX: Mapping[Trouble, int] = {
    Trouble.CONNECTION: 5,
    Trouble.SERVER_ERROR: 5,
    Trouble.RATE_LIMITED: 5,
    Trouble.GARBAGE: 5,
    # Each of these held a worker for as long as a call may take.
    Trouble.TIMEOUT: 3,
    # The next call would be refused, too.
    Trouble.NOT_ALLOWED: 3,
}
"""So many in a row, the last of this kind, and the circuit opens."""
JITTER = 0.2
HOLD_S_MAX = 900.0
"""A provider that names a longer time is asked again after this."""


class Circuit:
    """The gate of one provider, shared by all workers through the database."""

    def __init__(self, dispatcher: Dispatcher, provider: str, pace: Pace) -> None:
        self._dispatcher = dispatcher
        self._provider = provider
        self._pace = pace
        self._sleep: Callable[[float], None] = time.sleep

    def enter(self) -> int:
        with self._dispatcher.read() as connection:
            found = circuit.enter(connection, self._provider, self._pace)
        if isinstance(found, Held):
            raise Shut(f"{self._provider} was not called: {found.reason}")
        self._sleep(found.wait_s)
        return found.failures

    def answered(self, failures: int) -> None:
        if failures:
            with self._dispatcher.read() as connection:
                circuit.succeeded(connection, self._provider)

    def failed(self, trouble: Trouble, hold_s: float | None) -> None:
        if hold_s is not None:
            # Never earlier than it said, and not all of us at the same moment.
            hold_s = min(hold_s, HOLD_S_MAX) * uniform(1.0, 1.0 + JITTER)  # noqa: S311 no secret
        with self._dispatcher.read() as connection:
            failures = circuit.failed(connection, self._provider, trouble, hold_s)
        log.warning("%s: %s, %s in a row", self._provider, trouble, failures)
        if failures >= FAILURES_MAX[trouble]:
            self._open(trouble, failures)

    def _open(self, trouble: Trouble, failures: int) -> None:
        """The event first, with the probe that will close it; the row when that is sure. Whoever
        dies in between leaves it to the next failure."""
        command = OpenCircuit(
            by="worker", provider=self._provider, reason=trouble, failures=failures
        )
        self._dispatcher.dispatch(command, uuid4())
        now = self._state()
        if now.waiting:
            with self._dispatcher.read() as connection:
                circuit.open_(connection, self._provider, now.opening)

    def _state(self) -> Provider:
        state = self._dispatcher.state(provider_id(self._provider))
        if not isinstance(state, Provider):
            raise TypeError(f"{self._provider} is no provider")
        return state
