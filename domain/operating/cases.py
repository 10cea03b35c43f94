"""Telling people about what was set aside: one case for each parked stream, parked effect, refused
timer and quarantined notification, closed when its thing is gone."""

from uuid import UUID

from domain.dispatch import Dispatcher
from domain.kernel.ids import derive, name_uuid, write_id
from domain.operating.watch import BANK, LISTED_MAX, Health, Quarantined, health
from domain.stream import effects, inbox, subscription, timers
from domain.stream.database import Connection
from domain.work.commands import CloseCase, OpenCase, case_id
from domain.work.events import CaseType

BY = "ticker"


def stream_case(parked: subscription.Parked) -> str:
    """A stream that is parked again later is another occasion."""
    occasion = f"{parked.consumer}:{parked.from_position}"
    return case_id(CaseType.PARKED_STREAM, parked.stream, occasion)


def effect_subject(effect_id: UUID) -> str:
    return write_id("fx", effect_id)


def effect_case(parked: effects.ParkedEffect) -> str:
    subject = effect_subject(parked.effect_id)
    return case_id(CaseType.PARKED_EFFECT, subject, str(parked.attempts))


def timer_case(refused: timers.RefusedTimer) -> str:
    """What should have happened by time stands still for this stream."""
    occasion = f"{refused.kind}:{refused.timer_id}"
    return case_id(CaseType.PARKED_STREAM, refused.stream, occasion)


def notification_subject(provider: str, notification_id: str) -> str:
    """On the shard of its provider (ARCHITECTURE, "Streams")."""
    return derive("ntf", inbox.hook_stream(provider), provider, notification_id)


def notification_type(provider: str) -> CaseType:
    held = provider == BANK
    return CaseType.HELD_STATEMENT if held else CaseType.QUARANTINED_NOTIFICATION


def notification_case(one: Quarantined) -> str:
    subject = notification_subject(one.provider, one.notification_id)
    return case_id(notification_type(one.provider), subject, str(one.tries))


def raise_cases(dispatcher: Dispatcher) -> int:
    """Opens a case for whatever is set aside and has none, closes those whose thing is gone; says
    how many it opened or closed."""
    seen = health(dispatcher)
    wanted = {case.case_id: case for case in _cases(seen)}
    with dispatcher.read() as connection:
        open_now = _open_cases(connection)
    for one in wanted.keys() - open_now:
        dispatcher.dispatch(wanted[one], name_uuid("set aside", one))
    gone = set() if _full(seen) else open_now - wanted.keys()
    for one in gone:
        dispatcher.dispatch(CloseCase(by=BY, case_id=one), name_uuid("gone", one))
    return len(wanted.keys() - open_now) + len(gone)


def _full(seen: Health) -> bool:
    """A list that was cut says nothing about what is missing from it."""
    lists = (seen.parked_streams, seen.parked_effects, seen.quarantined, seen.refused_timers)
    return any(len(one) >= LISTED_MAX for one in lists)


def _cases(seen: Health) -> list[OpenCase]:
    cases = [
        OpenCase(
            by=BY,
            case_id=stream_case(stream),
            case_type=CaseType.PARKED_STREAM,
            subject=stream.stream,
            details={"consumer": stream.consumer, "from_position": str(stream.from_position)},
        )
        for stream in seen.parked_streams
    ]
    cases += [
        OpenCase(
            by=BY,
            case_id=effect_case(effect),
            case_type=CaseType.PARKED_EFFECT,
            subject=effect_subject(effect.effect_id),
            details={"kind": effect.kind, "stream": effect.stream},
        )
        for effect in seen.parked_effects
    ]
    cases += [
        OpenCase(
            by=BY,
            case_id=notification_case(one),
            case_type=notification_type(one.provider),
            subject=notification_subject(one.provider, one.notification_id),
            details={"provider": one.provider, "notification_id": one.notification_id},
        )
        for one in seen.quarantined
    ]
    cases += [
        OpenCase(
            by=BY,
            case_id=timer_case(timer),
            case_type=CaseType.PARKED_STREAM,
            subject=timer.stream,
            details={"timer": timer.kind, "reason": timer.error},
        )
        for timer in seen.refused_timers
    ]
    return cases


_OURS = (
    CaseType.PARKED_STREAM,
    CaseType.PARKED_EFFECT,
    CaseType.HELD_STATEMENT,
    CaseType.QUARANTINED_NOTIFICATION,
)


def _open_cases(connection: Connection) -> set[str]:
    """As far as the screens know; asking twice is harmless, a case opens and closes once."""
    rows = connection.execute(
        "SELECT o.stream FROM read.stream_event o"
        " WHERE o.type = 'case-opened' AND o.data::jsonb->>'case_type' = ANY(%s)"
        "   AND NOT EXISTS (SELECT FROM read.stream_event c"
        "                    WHERE c.stream = o.stream AND c.type = 'case-closed')",
        ([str(one) for one in _OURS],),
    )
    return {stream for (stream,) in rows}
