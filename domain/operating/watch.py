"""What operations sees of the machinery: readers and their lag, what is parked or quarantined, the
effects of an event, the statement files. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import LiteralString
from uuid import UUID

from psycopg import sql

from domain.dispatch import Dispatcher
from domain.kernel.value import Value
from domain.stream import effects, inbox, sequencer, subscription, timers
from domain.stream.database import Connection

BANK = "bank"
LISTED_MAX = 200
"""More would be an incident, not a list."""


EFFECTS_OF_EVENT_MAX = 10
"""No flow attaches as many to one event."""


class Quarantined(Value):
    """A notification that could not be understood, without its body."""

    provider: str
    notification_id: str
    object_id: str | None
    reason: str
    tries: int
    received_at: datetime
    aside_at: datetime


class EffectSeen(Value):
    """An effect as the Stream page tells it: what an event sets going outside."""

    effect_id: UUID
    kind: str
    status: str
    attempts: int
    due_at: datetime


class BankFile(Value):
    """A statement file in the inbox; `notification_id` is the SHA-256 of its bytes."""

    notification_id: str
    state: str
    reason: str | None
    received_at: datetime


class Health(Value):
    """`effects_by_state` counts what is not done."""

    last_position: int
    lags: dict[str, int]
    parked_streams: tuple[subscription.Parked, ...]
    parked_effects: tuple[effects.ParkedEffect, ...]
    quarantined: tuple[Quarantined, ...]
    refused_timers: tuple[timers.RefusedTimer, ...]
    effects_by_state: dict[str, int]


def health(dispatcher: Dispatcher) -> Health:
    with dispatcher.read() as connection:
        return health_of(connection)


def health_of(connection: Connection) -> Health:
    return Health(
        last_position=sequencer.last_position(connection),
        lags=subscription.lag(connection),
        parked_streams=tuple(subscription.list_parked(connection)[:LISTED_MAX]),
        parked_effects=tuple(effects.list_parked(connection, LISTED_MAX)),
        quarantined=tuple(quarantined(connection)),
        refused_timers=tuple(timers.list_refused(connection, LISTED_MAX)),
        effects_by_state=_effects_by_state(connection),
    )


def notification(
    dispatcher: Dispatcher, provider: str, notification_id: str
) -> inbox.Notification | None:
    """With headers and raw body: every look is audited by the caller."""
    with dispatcher.read() as connection:
        return inbox.load_notification(connection, provider, notification_id)


def effects_of(
    dispatcher: Dispatcher, streams: Sequence[str], event_ids: Sequence[str]
) -> dict[str, list[EffectSeen]]:
    """By the event that attached them; effects stand at the streams of their event."""
    found: dict[str, list[EffectSeen]] = {}
    with dispatcher.read() as connection:
        rows = connection.execute(
            "SELECT payload->>'cause', effect_id, kind, status, attempts, due_at FROM effect"
            " WHERE stream = ANY(%s) AND payload->>'cause' = ANY(%s) ORDER BY due_at LIMIT %s",
            (list(streams), list(event_ids), EFFECTS_OF_EVENT_MAX * len(event_ids)),
        )
        for cause, effect_id, kind, status, attempts, due_at in rows:
            seen = EffectSeen(
                effect_id=effect_id, kind=kind, status=status, attempts=attempts, due_at=due_at
            )
            found.setdefault(cause, []).append(seen)
    return found


def bank_files_not_imported(dispatcher: Dispatcher) -> list[BankFile]:
    """Held or still waiting, newest first."""
    with dispatcher.read() as connection:
        return _bank_files(
            connection,
            "AND state <> 'applied' ORDER BY received_at DESC LIMIT %s",
            (LISTED_MAX,),
        )


def count_not_imported(dispatcher: Dispatcher, listed: int) -> int:
    """How many there are in all when so many are listed; it asks only where that may be more."""
    if listed < LISTED_MAX:
        return listed
    with dispatcher.read() as connection:
        ((number,),) = connection.execute(
            "SELECT count(*) FROM inbox WHERE provider = %s AND state <> 'applied'", (BANK,)
        ).fetchall()
    return int(number)


def bank_file(dispatcher: Dispatcher, body: bytes) -> BankFile | None:
    """What became of the statement file with these bytes."""
    with dispatcher.read() as connection:
        found = _bank_files(connection, "AND notification_id = %s", (sha256(body).hexdigest(),))
    return found[0] if found else None


def quarantined(
    connection: Connection, provider: str | None = None, notification_id: str | None = None
) -> list[Quarantined]:
    """All of them, or the one of this provider and id."""
    rows = connection.execute(
        "SELECT provider, notification_id, object_id, reason, tries, received_at, settled_at"
        "  FROM inbox"
        " WHERE state = 'quarantined'"
        "   AND (%(provider)s::text IS NULL OR provider = %(provider)s)"
        "   AND (%(id)s::text IS NULL OR notification_id = %(id)s)"
        " ORDER BY received_at LIMIT %(limit)s",
        {"provider": provider, "id": notification_id, "limit": LISTED_MAX},
    )
    names = Quarantined.__struct_fields__
    return [Quarantined(**dict(zip(names, row, strict=True))) for row in rows]


def _bank_files(
    connection: Connection, which: LiteralString, values: tuple[object, ...]
) -> list[BankFile]:
    """The statement files in the inbox that the end of the query chooses."""
    rows = connection.execute(
        sql.SQL(
            "SELECT notification_id, state, reason, received_at FROM inbox WHERE provider = %s {}"
        ).format(sql.SQL(which)),
        (BANK, *values),
    )
    names = BankFile.__struct_fields__
    return [BankFile(**dict(zip(names, row, strict=True))) for row in rows]


def _effects_by_state(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        "SELECT status, count(*) FROM effect WHERE status IN ('waiting', 'leased', 'unknown')"
        " GROUP BY status"
        " UNION ALL SELECT 'parked', count(*) FROM effect WHERE status = 'parked'"
    )
    return {str(status): int(number) for status, number in rows}
