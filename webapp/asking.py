"""What a page tells about a provider that has not answered: how often it was turned to, when the
next look is, what a person can do. It promises nothing that only the provider can know."""

from __future__ import annotations

from domain.readmodels.asking import Asking
from webapp.texts import _, ngettext

MINUTE_S = 60


def told(asking: Asking | None, reference: str) -> list[str]:
    """`reference` is our id, under which the provider knows it. Nothing is told when nobody asks
    any more."""
    if asking is None:
        return []
    tried = ngettext(
        "The provider was turned to %(count)s time so far, the sending included;",
        "The provider was turned to %(count)s times so far, the sending included;",
        asking.attempts,
    )
    can = _(
        "You can check now, or look for %(reference)s at the provider yourself and close the case"
        " in Work with a remark that says what you found.",
        reference=reference,
    )
    return [f"{tried} {_next(asking)}", can]


def _next(asking: Asking) -> str:
    if asking.parked:
        return _("it is not asked again before somebody releases the work on the Stream page.")
    if asking.next_s == 0:
        return _("the next look is due now.")
    return ngettext(
        "the next look is in %(count)s minute at the latest.",
        "the next look is in %(count)s minutes at the latest.",
        _minutes(asking),
    )


def _minutes(asking: Asking) -> int:
    return -(-asking.next_s // MINUTE_S)


def version(asking: Asking | None) -> str:
    """Changes with what is told."""
    return "" if asking is None else f".{asking.attempts}.{_minutes(asking)}.{asking.parked:d}"


def notice(asked: bool, unknown: bool, provider: str) -> str:
    """After somebody pressed "Check now"."""
    if asked and unknown:
        return _(
            "Asked now. If %(provider)s knows nothing of it, this stays unknown.",
            provider=provider.capitalize(),
        )
    if asked:
        return _("Asked now. The page shows the answer as soon as it is recorded.")
    if unknown:
        return _("Not asked again: somebody is asking at this moment, or the work was given up.")
    return _("Nothing was asked: it waits for no answer.")
