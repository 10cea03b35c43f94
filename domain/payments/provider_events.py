"""What can be true of a payment provider: its circuit is open, nothing is sent; or closed again."""

from enum import StrEnum

from domain.kernel.message import Event


class Trouble(StrEnum):
    """What was wrong with the answer, or that there was none."""

    TIMEOUT = "timeout"  # it took the call and did not answer in time
    CONNECTION = "connection"  # nobody there, or cut off in the middle
    SERVER_ERROR = "server_error"  # 5xx
    RATE_LIMITED = "rate_limited"  # 429: too many calls
    GARBAGE = "garbage"  # an answer that is not the provider's: HTML, half of a JSON
    NOT_ALLOWED = "not_allowed"  # 401: our key was refused


class ProviderEvent(Event):
    prefix = "prv"
    provider_id: str
    provider: str
    opening: int


class CircuitOpened(ProviderEvent):
    """So many calls in a row got no usable answer: nothing more is sent. `reason` is the trouble
    of the last one, `opening` counts the outages of this provider."""

    reason: Trouble
    failures: int


class CircuitClosed(ProviderEvent):
    """It answered a harmless question; orders go on, slowly at first."""
