"""Counts refused notifications where a restart does not forget them, and tells those of the last
days. Bodies are not kept: whoever is refused may have sent anything."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Date, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from webapp.models import NOW, HookRefusal, db

DAYS: Final = 7
# Hooks come by wall time, also in the sandbox: the Clock does not count them.
TODAY: Final = cast(func.timezone("Europe/Berlin", NOW), Date)


class Refusals(NamedTuple):
    """How often one reason refused notifications of one provider."""

    provider: str
    reason: str
    times: int
    last_at: datetime


def count(provider: str, reason: str) -> None:
    """One row per provider, reason and day, however many come."""
    first = insert(HookRefusal).values(provider=provider, reason=reason, day=TODAY, times=1)
    db.session.execute(
        first.on_conflict_do_update(
            index_elements=["provider", "reason", "day"],
            set_={"times": HookRefusal.times + 1, "last_at": NOW},
        )
    )
    db.session.commit()


def recent() -> list[Refusals]:
    """Of today and the six days before, the most frequent first."""
    times = func.sum(HookRefusal.times).label("times")
    rows = db.session.execute(
        select(HookRefusal.provider, HookRefusal.reason, times, func.max(HookRefusal.last_at))
        .where(HookRefusal.day > TODAY - DAYS)
        .group_by(HookRefusal.provider, HookRefusal.reason)
        .order_by(times.desc(), HookRefusal.provider, HookRefusal.reason)
    )
    return [Refusals(provider, reason, int(sum_), at) for provider, reason, sum_, at in rows]
