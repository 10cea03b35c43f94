"""What a page tells about a provider that has not answered: how often it was turned to, when the
next look is, what a person can do. It promises nothing that only the provider can know."""

from __future__ import annotations

from domain.payments.provider import provider_id
from domain.readmodels.asking import Asking, Outage
from domain.readmodels.providers import provider
from webapp import format as fmt
from webapp.kontor import kontor
from webapp.sentences.codes import provider_name
from webapp.texts import _, ngettext

MINUTE_S = 60


def told(asking: Asking | None, reference: str) -> list[str]:
    """`reference` is our id, under which the provider knows it. Nothing is told when nobody asks
    any more."""
    if asking is None:
        return []
    if (silent := outage(asking)) is not None:
        return [outage_told(silent)]
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


def outage(asking: Asking | None) -> Outage | None:
    """Why a due order is not sent: its provider does not answer. None when nothing is due."""
    return asking.outage if asking is not None and asking.due else None


def outage_told(found: Outage) -> str:
    """The sentence that explains the silence."""
    if found.since is None:
        return _("%(provider)s does not answer.", provider=provider_name(found.provider))
    return ngettext(
        "%(provider)s has not answered since %(when)s; %(count)s order waits.",
        "%(provider)s has not answered since %(when)s; %(count)s orders wait.",
        found.waiting,
        provider=provider_name(found.provider),
        when=fmt.instant_text(found.since),
    )


def ask_provider(name: str) -> bool:
    """Whether it answers again is asked now instead of after the pause; False when nobody waits
    for its answer."""
    return kontor().ask_again(provider_id(name))


def patience() -> str:
    return _("It is sent once, by itself, as soon as there is an answer. Do not pay another way.")


def shut(name: str) -> str:
    """Why "Check now" asks nothing while the provider is not called; "" when it is."""
    with kontor().read() as connection:
        found = provider(connection, name)
    if found is None or found.next_try_s is None:
        return ""
    return ngettext(
        "Nothing was asked: %(provider)s does not answer. The next try is in %(count)s second;"
        " then this is asked by itself.",
        "Nothing was asked: %(provider)s does not answer. The next try is in %(count)s seconds;"
        " then this is asked by itself.",
        max(1, found.next_try_s),
        provider=provider_name(name),
    )


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
    if asking is None:
        return ""
    waits = -1 if asking.outage is None else asking.outage.waiting
    return f".{asking.attempts}.{_minutes(asking)}.{asking.parked:d}.{waits}"


def notice(asked: bool, unknown: bool, provider: str) -> str:
    """After somebody pressed "Check now"."""
    if asked and unknown:
        return _(
            "Asked now. If %(provider)s knows nothing of it, this stays unknown.",
            provider=provider_name(provider),
        )
    if asked:
        return _("Asked now. The page shows the answer as soon as it is recorded.")
    if unknown:
        return _("Not asked again: somebody is asking at this moment, or the work was given up.")
    return _("Nothing was asked: it waits for no answer.")
