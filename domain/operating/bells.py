"""How many rings wait in Valkey. A ring is only a doorbell: the work stands in PostgreSQL."""

import logging
from collections.abc import Sequence

from redis.exceptions import RedisError

from domain.stream import wake

log = logging.getLogger("kontor.bells")

_PREFIX = "rq:queue:"


def rings(
    redis_url: str, queues: Sequence[str] = ("effects", "documents")
) -> dict[str, int] | None:
    """By queue, the named ones always; None when Valkey is away: slower, nothing else."""
    redis = wake.open_redis(redis_url)
    try:
        found = {
            str(name, "utf-8") for name in redis.smembers("rq:queues") if isinstance(name, bytes)
        }
        known = {name.removeprefix(_PREFIX) for name in found}
        names = sorted({*queues, *known})
        pipe = redis.pipeline(transaction=False)
        for name in names:
            pipe.llen(_PREFIX + name)
        return dict(zip(names, map(int, pipe.execute()), strict=True))
    except RedisError as error:
        log.debug("no answer from Valkey: %s", error)
        return None
    finally:
        redis.close()
