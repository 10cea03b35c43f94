"""Named places where a test kills the process, to prove that nothing is lost or done twice there.
Without KONTOR_FAILPOINT they cost one comparison."""

import os
import signal

FAILPOINTS: tuple[str, ...] = (
    "before-append",
    "append-to-ring",
    "claim-to-call",
    "sent-answer-unread",
    "answer-to-commit",
    "mid-projection",
    "number-allocated",
    "pdf-stored-not-recorded",
)
VARIABLE = "KONTOR_FAILPOINT"


class UnknownFailpoint(ValueError):
    """KONTOR_FAILPOINT, or a line of code, names a place that the registry does not hold."""


class _Armed:
    """The one place that kills, and how often it is still passed before that."""

    def __init__(self, setting: str) -> None:
        self.name, _, nth = setting.partition(":")
        if self.name and self.name not in FAILPOINTS:
            raise UnknownFailpoint(f"{VARIABLE}={setting}: one of {', '.join(FAILPOINTS)}")
        self.left = int(nth or 1)


_armed = _Armed(os.environ.get(VARIABLE, ""))


def reach(name: str) -> None:
    """Kills the own process with SIGKILL when this is the armed place for the n-th time."""
    if name != _armed.name:
        if name not in FAILPOINTS:
            raise UnknownFailpoint(name)
        return
    _armed.left -= 1
    if _armed.left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
