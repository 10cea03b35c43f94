"""Ringing a worker: a throw-away RQ job that only names a row, mostly an effect. Losing it
costs the time until the next sweep; ringing twice is harmless, because the claim decides."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from domain.stream.effects import Due
from domain.stream.inbox import TRANSLATE

FUNCTION = "jobs.effects.run"
READ_ON = "jobs.effects.read_on"
# A ring nobody heard for a minute is stale: the sweep has rung again by then.
TTL_S = 60

log = logging.getLogger(__name__)


def ring(
    redis: Redis, queue: str, row_id: UUID, function: str = FUNCTION, timeout_s: int | None = None
) -> bool:
    """False when Redis is away. The job has no id of ours: with one, a killed worker would leave
    it "started", and every later ring would be refused. `timeout_s`: RQ's own is 180 s."""
    try:
        Queue(queue, connection=redis, serializer=JSONSerializer).enqueue(
            function, str(row_id), ttl=TTL_S, result_ttl=0, failure_ttl=TTL_S, job_timeout=timeout_s
        )
    except RedisError as error:
        log.warning("%s %s was not rung: %s", queue, row_id, error)
        return False
    return True


def ring_all(redis: Redis, due: Sequence[Due]) -> None:
    """One ring for each effect, and one for all notifications together: its worker reads on."""
    to_read = [one for one in due if one.kind == TRANSLATE]
    for one in due:
        if one.kind != TRANSLATE:
            ring(redis, one.queue, one.effect_id)
    for one in to_read[:1]:
        ring(redis, one.queue, one.effect_id, READ_ON)
