"""The steps a money effect takes, for payments and refunds alike: the intent is on record, then
the provider is called once or asked first, then what came of it is recorded with the lease."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from domain.kernel.ids import name_uuid
from domain.kernel.message import Command, Refused
from domain.kernel.value import Value
from domain.payments.ports import (
    Outcome,
    ProviderAccepted,
    ProviderNotCalled,
    ProviderRefused,
    ProviderState,
    ProviderUnknown,
    ProviderUnreachable,
    UnknownReason,
)
from domain.stream import failpoints
from domain.stream.effects import Claimed
from domain.work.commands import OpenCaseWhileWaiting, case_id
from domain.work.events import CaseType
from jobs.context import Context
from jobs.providers.stripe.capabilities import KEY_WINDOW_HOURS

KEY_WINDOW = timedelta(hours=KEY_WINDOW_HOURS - 1)
"""Stripe keeps a key at least 24 h (PROVIDERS 2.1); within that the same key is safe to send."""
FIRST_PAUSE_S = 0.5
PAUSE_MAX_S = 900.0
CASE_AFTER_ATTEMPTS = 8
"""About four minutes of asking; then a person is told, and the asking goes on."""


def pause_s(attempts: int) -> float:
    """Doubling back-off in database time."""
    return float(min(PAUSE_MAX_S, FIRST_PAUSE_S * 2 ** min(attempts, 20)))


class Steps(Value):
    """One money operation, with the commands that record what happens to it."""

    subject: str
    submitted_at: datetime | None
    send: Callable[[], Outcome]
    ask: Callable[[], Outcome | None]
    accepted: Callable[[str], Command]
    confirmed: Callable[[str], Command]
    refused: Callable[[ProviderRefused], Command]
    unknown: Callable[[str], Command]


def step_id(claimed: Claimed, step: str) -> UUID:
    """One id for each step of each attempt: a repeated attempt is a new question."""
    return name_uuid(claimed.effect_id, claimed.attempts, step)


def carry_out(context: Context, claimed: Claimed, steps: Steps, *, ask_first: bool) -> None:
    """Sends, or asks before it sends: never a new key, never a guess. Raises ProviderNotCalled when
    the circuit opened after the claim: nothing was sent, so there is nothing to record."""
    if ask_first:
        outcome = _ask(context, claimed, steps)
    else:
        outcome = steps.send()
        failpoints.reach("sent-answer-unread")
    if isinstance(outcome, ProviderUnknown) and outcome.reason is UnknownReason.NOT_SENT:
        raise ProviderNotCalled(outcome.message)
    if outcome is not None:
        _record(context, claimed, steps, outcome)


def _ask(context: Context, claimed: Claimed, steps: Steps) -> Outcome | None:
    """What the provider knows by our reference. None when the lease was settled here."""
    try:
        found = steps.ask()
    except ProviderNotCalled:
        raise
    except ProviderUnreachable as error:
        return ProviderUnknown(reason=UnknownReason.CONNECTION, message=str(error))
    if found is not None:
        return found
    now = context.dispatcher.now()
    if steps.submitted_at is None or now - steps.submitted_at < KEY_WINDOW:
        # Surely not there, and the key is still remembered: the same key again.
        return steps.send()
    _tell_a_person(context, claimed, steps, occasion="key-window")
    _wait(context, claimed, steps, "not found, and the key window is over", PAUSE_MAX_S)
    return None


def _record(context: Context, claimed: Claimed, steps: Steps, outcome: Outcome) -> None:
    failpoints.reach("answer-to-commit")
    dispatch = context.dispatcher.dispatch
    cause = claimed.effect.payload.get("cause")
    match outcome:
        case ProviderAccepted(state=ProviderState.CONFIRMED):
            dispatch(
                steps.confirmed(outcome.reference),
                step_id(claimed, "confirmed"),
                cause=cause,
                lease=claimed.then("done", result={"reference": outcome.reference}),
            )
        case ProviderAccepted():
            dispatch(
                steps.accepted(outcome.reference),
                step_id(claimed, "accepted"),
                cause=cause,
                lease=claimed.then("done", result={"reference": outcome.reference}),
            )
        case ProviderRefused():
            dispatch(
                steps.refused(outcome),
                step_id(claimed, "refused"),
                cause=cause,
                lease=claimed.then("done", result={"refused": outcome.raw_code}),
            )
        case ProviderUnknown():
            if claimed.attempts >= CASE_AFTER_ATTEMPTS:
                _tell_a_person(context, claimed, steps, occasion="asked-often")
            _wait(context, claimed, steps, outcome.reason)


def _wait(
    context: Context, claimed: Claimed, steps: Steps, why: str, seconds: float | None = None
) -> None:
    pause = pause_s(claimed.attempts) if seconds is None else seconds
    context.dispatcher.dispatch(
        steps.unknown(why),
        step_id(claimed, "unknown"),
        cause=claimed.effect.payload.get("cause"),
        lease=claimed.then("unknown", not_before_s=pause),
    )


def _tell_a_person(context: Context, claimed: Claimed, steps: Steps, occasion: str) -> None:
    """Opens once; it closes by itself when the provider answers."""
    command = OpenCaseWhileWaiting(
        by="worker",
        case_id=case_id(CaseType.OUTCOME_UNRESOLVED, steps.subject),
        case_type=CaseType.OUTCOME_UNRESOLVED,
        subject=steps.subject,
        details={"why": occasion},
    )
    try:
        context.dispatcher.dispatch(command, step_id(claimed, "case"))
    except Refused as refused:
        raise RuntimeError(f"the case of {steps.subject} was refused: {refused}") from refused
