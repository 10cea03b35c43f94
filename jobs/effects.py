"""What a ring does: claim the effect, carry it out, and leave it done, unknown, waiting or parked.
Whatever goes wrong is in the row afterwards; nothing is swallowed."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal
from uuid import UUID

import psycopg

from config import Settings
from domain import telling
from domain.dispatch import TooManyConflicts
from domain.observing import logs, traces
from domain.observing.errors import kept
from domain.payments.ports import ProviderNotCalled, ProviderUnreachable
from domain.stream import clock, effects, failpoints
from domain.stream.effects import Claimed, Due
from domain.stream.inbox import TRANSLATE
from domain.stream.lease import LEASE_S, LeaseLost
from jobs.context import Context, open_context
from jobs.documents.limits import RenderFailed
from jobs.handlers.answers import pause_s
from jobs.handlers.documents import render
from jobs.handlers.money import submit_payment, submit_refund
from jobs.handlers.notifications import TooEarly, translate
from jobs.handlers.probes import probe
from jobs.providers.stripe.capabilities import CALL_BUDGET_SECONDS
from jobs.ring import ring_all

log = logging.getLogger("kontor.effects")

HANDLERS: dict[str, Callable[[Context, Claimed], None]] = {
    "probe_provider": probe,
    "render": render,
    "submit_payment": submit_payment,
    "submit_refund": submit_refund,
    "translate": translate,
}
MONEY = frozenset({"submit_payment", "submit_refund"})
"""Kinds that move money: after a restore they are asked about before they are sent."""
READ_ON_S, READ_AT_ONCE = 0.5, 50
"""So long an order waits for its turn behind notifications."""
UNTIRING = MONEY | {"probe_provider"}
"""Kinds that nobody gives up: what a provider knows about money, and whether it is back."""
TRANSIENT = (
    ProviderUnreachable,
    TooEarly,
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


def read_on(effect_id: str) -> None:
    """The job behind a ring for notifications: it reads that one, and on while there are more. One
    ring each would cost more than the reading."""
    context = _context()
    carry_out(context, UUID(effect_id))
    give_up = time.monotonic() + READ_ON_S
    while waiting := _to_read(context):
        for one in waiting:
            if time.monotonic() > give_up:
                ring_all(context.redis, [one])
                return
            carry_out(context, one.effect_id)


def _to_read(context: Context) -> list[Due]:
    with context.dispatcher.read() as connection:
        return effects.due_of(connection, TRANSLATE, clock.now(connection), READ_AT_ONCE)


def carry_out(context: Context, effect_id: UUID) -> bool:
    """False when there was nothing to claim: done, leased by another, or not due."""
    with context.dispatcher.database.connection() as connection:
        claimed = effects.claim(connection, effect_id, clock.now(connection))
    if claimed is None:
        return False
    failpoints.reach("claim-to-call")
    with _told(context, claimed):
        _work_off(context, claimed)
    if claimed.effect.queue == "documents":
        traces.flush()  # a horse ends right after its job, without a farewell
    return True


@contextmanager
def _told(context: Context, claimed: Claimed) -> Iterator[None]:
    """Log lines carry the effect; its trace goes on with the story of its stream."""
    effect, effect_id = claimed.effect, str(claimed.effect_id)
    name = f"effect {effect.kind}"
    with (
        logs.bind(effect=effect.kind, effect_id=effect_id),
        traces.span(name, "consumer", effect_id=effect_id, attempt=claimed.attempts),
    ):
        telling.story(context.dispatcher.database, effect.stream, effect.payload.get("cause"))
        yield


def _work_off(context: Context, claimed: Claimed) -> None:
    effect_id = claimed.effect_id
    try:
        HANDLERS[claimed.effect.kind](context, claimed)
    except LeaseLost:
        log.warning("effect %s went to another worker", effect_id)
    except ProviderNotCalled as error:
        log.info("effect %s is given back: %s", effect_id, error)
        _give_back(context, claimed)
    except TRANSIENT as error:
        _later_or_park(context, claimed, error)
    except Exception as error:  # whatever it is, the row says so and a case opens
        log.exception("effect %s is parked", effect_id)
        _park(context, claimed, error)


def _later_or_park(context: Context, claimed: Claimed, error: Exception) -> None:
    limit = TRIES.get(claimed.effect.kind, TRIES_OTHERWISE)
    if claimed.effect.kind not in UNTIRING and claimed.attempts >= limit:
        _park(context, claimed, error)
        return
    log.warning("effect %s is tried again: %s", claimed.effect_id, error)
    to: Literal["unknown", "waiting"] = "unknown" if claimed.effect.kind in MONEY else "waiting"
    with context.dispatcher.read() as connection:
        change = claimed.then(to, not_before_s=pause_s(claimed.attempts))
        effects.finish(connection, change)


def _give_back(context: Context, claimed: Claimed) -> None:
    with context.dispatcher.read() as connection:
        effects.give_back(connection, claimed)


def _park(context: Context, claimed: Claimed, error: Exception) -> None:
    with context.dispatcher.read() as connection:
        effects.park(connection, claimed, kept(error))
