"""The gate in front of a provider, as its client sees it: every call passes it, and tells it how
the answer was. Who shuts it, and why, is decided in `jobs/circuit.py`."""

from typing import Protocol

from domain.payments.provider_events import Trouble


class Shut(Exception):
    """Nothing was sent: the gate is shut for now."""


class Gate(Protocol):
    """What a provider's client tells about each call."""

    def enter(self) -> int:
        """Waits for its turn; how many calls failed in a row before it. Raises Shut."""

    def answered(self, failures: int) -> None:
        """A usable answer, also a refusal. `failures` is what `enter` said."""

    def failed(self, trouble: Trouble, hold_s: float | None) -> None:
        """No usable answer. `hold_s`: the provider asked us to wait that long."""


class Open:
    """For a probe, and where there is no database."""

    def enter(self) -> int:
        return 0

    def answered(self, failures: int) -> None:
        """Nothing is counted."""

    def failed(self, trouble: Trouble, hold_s: float | None) -> None:
        """Nothing is counted."""
