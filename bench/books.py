"""Refunds asked for at a steady rate, and what the provider's own book says of them afterwards
against what we believe. It measures nothing itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import psycopg

from config import Settings
from domain.dispatch import Dispatcher, TooManyConflicts, open_dispatcher
from domain.kernel.ids import read_id, shard_of
from domain.operating.advancing import next_banking_day
from domain.payments.commands import RequestRefund
from domain.stream import clock, wake
from domain.stream.database import Connection, connect
from domain.work.commands import case_id
from domain.work.events import CaseType
from jobs.control import Control

AT_PROVIDER = ("refund-accepted", "refund-confirmed", "refund-failed")
ENDED = ("refund-confirmed", "refund-failed")

_TOLD = """
SELECT count(DISTINCT stream_id) FROM event
 WHERE (shard, stream_id) IN (SELECT * FROM unnest(%s::smallint[], %s::uuid[]))
   AND type = ANY(%s)
"""
_TYPES = """
SELECT stream_id, type, data::json ->> 'why' FROM event
 WHERE (shard, stream_id) IN (SELECT * FROM unnest(%s::smallint[], %s::uuid[]))
"""
_CALLS = "SELECT sum(attempts) FROM effect WHERE kind = 'submit_refund' AND stream = ANY(%s)"
_OPENED = "SELECT count(*) FROM read.work_case WHERE case_id = ANY(%s)"


def connected(settings: Settings) -> Connection:
    return connect(settings.database_url, settings.kek)


def number(connection: Connection, query: str, *values: object) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    return int(row[0] or 0) if row else 0


def ask_for(settings: Settings, wishes: Sequence[RequestRefund], per_s: float) -> None:
    """At a steady rate, as people do: a form that failed is sent again with the same command id."""
    dispatcher = open_dispatcher(settings.database_url, settings.kek, settings.redis_url)
    begin = time.monotonic()
    with ThreadPoolExecutor(4) as clients:
        for n, one in enumerate(wishes):
            time.sleep(max(0.0, begin + n / per_s - time.monotonic()))
            clients.submit(_insist, dispatcher, one)
    dispatcher.database.close()


def _insist(dispatcher: Dispatcher, command: RequestRefund) -> None:
    command_id = uuid4()
    while True:
        with suppress(TooManyConflicts, psycopg.OperationalError):
            dispatcher.dispatch(command, command_id)
            return


def until(
    connection: Connection, wishes: Sequence[RequestRefund], types: Sequence[str], give_up: float
) -> bool:
    """Whether one of these events stands in every refund before the patience ends."""
    while without(connection, wishes, types):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.2)
    return True


def without(
    connection: Connection, wishes: Sequence[RequestRefund], types: Sequence[str] = ENDED
) -> int:
    """How many of them have none of these events."""
    ids = [read_id(one.refund_id) for one in wishes]
    spots = ([shard_of(id_) for id_ in ids], ids, list(types))
    return len(ids) - number(connection, _TOLD, *spots)


def next_day(settings: Settings, connection: Connection, control: Control) -> None:
    """The provider confirms refunds, and late failures come, on the banking days that follow."""
    moment = next_banking_day(clock.now(connection)).replace(hour=12)
    clock.move(connection, moment)
    control.set_clock(moment)
    with wake.open_redis(settings.redis_url) as redis:
        wake.publish(redis, wake.APPENDED)


def count(
    connection: Connection, control: Control, wishes: Sequence[RequestRefund]
) -> dict[str, float]:
    """The provider's book against what was asked and what we believe."""
    asked = {one.refund_id: one.amount for one in wishes}
    ids = {read_id(refund): refund for refund in asked}
    told: dict[str, list[str]] = {refund: [] for refund in asked}
    unknown = Counter[str]()
    spots = ([shard_of(id_) for id_ in ids], list(ids))
    for stream_id, wire, why in connection.execute(_TYPES.encode(), spots):
        told[ids[UUID(str(stream_id))]].append(wire)
        unknown[why] += wire == "refund-outcome-unknown"
    objects, moved = Counter[str](), Counter[tuple[str, int]]()
    book: dict[str, Any] = control.ask("GET", "/book")
    for refund in book["refund"]:
        objects[refund["metadata"].get("operation_id", "")] += 1
    for one in book["movements"]:
        if one["category"] == "refund":
            moved[one["operation_id"], -one["amount"]] += 1
    confirmed = [refund for refund, wires in told.items() if "refund-confirmed" in wires]
    failed = [refund for refund, wires in told.items() if "refund-failed" in wires]
    cases = [case_id(CaseType.REFUND_FAILED, refund) for refund in failed]
    return {
        "lost": sum(moved[refund, asked[refund]] == 0 for refund in confirmed),
        "doubled": sum(objects[refund] > 1 for refund in asked)
        + sum(times > 1 for (refund, _), times in moved.items() if refund in asked),
        "moved_but_not_confirmed": sum(
            times
            for (refund, _), times in moved.items()
            if refund in asked and refund not in confirmed
        ),
        "confirmed": len(confirmed),
        "failed": len(failed),
        "failed_without_case": len(cases) - number(connection, _OPENED, cases),
        "unknown_met": sum(unknown.values()),
        "unknown_by_dead_worker": sum(n for why, n in unknown.items() if "worker" in (why or "")),
        "attempts": number(connection, _CALLS, list(asked)),
    }
