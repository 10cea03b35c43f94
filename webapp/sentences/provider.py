"""Sentences for payment providers, and what was wrong with their answers in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.payments import provider_events as e
from domain.payments.provider_events import Trouble
from webapp.sentences.codes import provider_name
from webapp.sentences.telling import Sentence, on
from webapp.texts import _, ngettext

TROUBLES: Final[dict[Trouble, Callable[[], str]]] = {
    Trouble.TIMEOUT: lambda: _("it takes calls and does not answer in time"),
    Trouble.CONNECTION: lambda: _("it cannot be reached, or cuts the line"),
    Trouble.SERVER_ERROR: lambda: _("it answers with an error of its own"),
    Trouble.RATE_LIMITED: lambda: _("it says that we call too often"),
    Trouble.GARBAGE: lambda: _("what comes back is not its answer"),
    Trouble.NOT_ALLOWED: lambda: _("it refuses our key"),
}


def trouble_of(reason: str) -> str:
    """In words; a reason that is none of ours is shown as it is."""
    return TROUBLES[Trouble(reason)]() if reason in set(Trouble) else reason


on(
    e.CircuitOpened,
    lambda event: Sentence(
        ngettext(
            "%(provider)s gave no usable answer %(count)s time (%(trouble)s); nothing is sent",
            "%(provider)s gave no usable answer %(count)s times in a row (%(trouble)s);"
            " nothing is sent",
            event.failures,
            provider=provider_name(event.provider),
            trouble=trouble_of(event.reason),
        ),
        "bad",
    ),
)
on(
    e.CircuitClosed,
    lambda event: Sentence(
        _(
            "%(provider)s answers again; what waited is sent, slowly at first",
            provider=provider_name(event.provider),
        ),
        "good",
    ),
)
