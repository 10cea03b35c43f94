"""Asking whether a provider answers again: the one call that passes an open circuit. It runs under
a lease like every effect, so exactly one worker asks, and a killed one is replaced."""

import logging
from random import uniform

from domain.kernel.ids import name_uuid
from domain.payments.ports import ProviderUnreachable
from domain.payments.provider import CloseCircuit
from domain.stream import circuit, effects
from domain.stream.effects import Claimed
from jobs.context import Context

log = logging.getLogger("kontor.probes")

FIRST_PAUSE_S = 5.0
PAUSE_MAX_S = 300.0
"""An hour of silence costs about twenty questions."""
JITTER = 0.2


def pause_s(asked: int) -> float:
    """After so many questions; doubling, with a fifth at random on top."""
    pause = min(PAUSE_MAX_S, FIRST_PAUSE_S * 2 ** min(asked, 20))
    return float(pause * uniform(1.0, 1.0 + JITTER))  # noqa: S311 spreads calls, guards nothing


def probe(context: Context, claimed: Claimed) -> None:
    """The circuit has opened a moment ago at the first claim: nobody asks at once."""
    if claimed.attempts == 1:
        _later(context, claimed)
        return
    provider, opening = claimed.effect.payload["probes"], int(claimed.effect.payload["opening"])
    try:
        context.probes[provider]()
    except ProviderUnreachable as error:
        log.info("%s does not answer yet: %s", provider, error)
        _later(context, claimed)
        return
    with context.dispatcher.read() as connection:
        circuit.close(connection, provider, opening)
    context.dispatcher.dispatch(
        CloseCircuit(by="worker", provider=provider, opening=opening),
        name_uuid(claimed.effect_id, claimed.attempts, "answered"),
        cause=claimed.effect.payload.get("cause"),
        lease=claimed.then("done"),
    )


def _later(context: Context, claimed: Claimed) -> None:
    with context.dispatcher.read() as connection:
        pause = pause_s(claimed.attempts - 1)
        effects.finish(connection, claimed.then("waiting", not_before_s=pause))
