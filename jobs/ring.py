"""Ringing a worker: a throw-away RQ job that only names an effect. Losing it costs the time until
the next sweep; ringing twice is harmless, because the claim decides."""

from __future__ import annotations

import logging
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

FUNCTION = "jobs.effects.run"
# A ring nobody heard for a minute is stale: the sweep has rung again by then.
TTL_S = 60

log = logging.getLogger(__name__)


def ring(redis: Redis, queue: str, effect_id: UUID) -> bool:
    """False when Redis is away. The job has no id of ours: with one, a killed worker would leave
    it "started", and every later ring would be refused."""
    try:
        Queue(queue, connection=redis, serializer=JSONSerializer).enqueue(
            FUNCTION, str(effect_id), ttl=TTL_S, result_ttl=0, failure_ttl=TTL_S
        )
    except RedisError as error:
        log.warning("effect %s was not rung: %s", effect_id, error)
        return False
    return True
