"""What a ring does: claim the effect, carry it out, and leave it done, unknown, waiting or parked.
Whatever goes wrong is in the row afterwards; nothing is swallowed."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Literal
from uuid import UUID

import psycopg

from config import Settings
from domain.dispatch import TooManyConflicts
from domain.payments.ports import ProviderUnreachable
from domain.stream import clock, effects, failpoints
from domain.stream.effects import Claimed
from domain.stream.lease import LEASE_S, LeaseLost
from jobs.context import Context, open_context
from jobs.documents.limits import RenderFailed
from jobs.handlers.answers import pause_s
from jobs.handlers.documents import render
from jobs.handlers.money import submit_payment, submit_refund
from jobs.handlers.notifications import translate
from jobs.providers.stripe.capabilities import CALL_BUDGET_SECONDS

log = logging.getLogger("kontor.effects")

HANDLERS: dict[str, Callable[[Context, Claimed], None]] = {
    "render": render,
    "submit_payment": submit_payment,
    "submit_refund": submit_refund,
    "translate": translate,
}
MONEY = frozenset({"submit_payment", "submit_refund"})
"""Kinds that move money: after a restore they are asked about before they are sent."""
TRANSIENT = (
    ProviderUnreachable,
    RenderFailed,
    TooManyConflicts,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
"""What may be over in a moment: tried again with growing pauses."""
TRIES = {"render": 3}
TRIES_OTHERWISE = 12
"""About an hour of trying; then a person decides."""
CALL_BUDGET_S = 2 * CALL_BUDGET_SECONDS
"""One question and one order: connect 3 s and read 20 s each (PROVIDERS, "Read first")."""
assert LEASE_S > CALL_BUDGET_S, "a lease must outlast its provider calls"


@cache
def _context() -> Context:
    return open_context(Settings.from_env())


def run(effect_id: str) -> None:
    """The job behind every ring."""
    carry_out(_context(), UUID(effect_id))


def carry_out(context: Context, effect_id: UUID) -> bool:
    """False when there was nothing to claim: done, leased by another, or not due."""
    with context.dispatcher.database.connection() as connection:
        claimed = effects.claim(connection, effect_id, clock.now(connection))
    if claimed is None:
        return False
    failpoints.reach("claim-to-call")
    try:
        HANDLERS[claimed.effect.kind](context, claimed)
    except LeaseLost:
        log.warning("effect %s went to another worker", effect_id)
    except TRANSIENT as error:
        _later_or_park(context, claimed, error)
    except Exception as error:  # whatever it is, the row says so and a case opens
        log.exception("effect %s is parked", effect_id)
        _park(context, claimed, error)
    return True


def _later_or_park(context: Context, claimed: Claimed, error: Exception) -> None:
    limit = TRIES.get(claimed.effect.kind, TRIES_OTHERWISE)
    if claimed.effect.kind not in MONEY and claimed.attempts >= limit:
        _park(context, claimed, error)
        return
    log.warning("effect %s is tried again: %s", claimed.effect_id, error)
    to: Literal["unknown", "waiting"] = "unknown" if claimed.effect.kind in MONEY else "waiting"
    with context.dispatcher.read() as connection:
        change = claimed.then(to, not_before_s=pause_s(claimed.attempts))
        effects.finish(connection, change)


def _park(context: Context, claimed: Claimed, error: Exception) -> None:
    with context.dispatcher.read() as connection:
        effects.park(connection, claimed, f"{type(error).__name__}: {error}")
