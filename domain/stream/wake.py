"""Wake-ups over Redis PUBLISH, sent after the commit. Nothing depends on them: without Redis a
listener polls, which is slower and otherwise the same."""

import logging
import time

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import RedisError
from redis.retry import Retry

APPENDED = "kontor:appended"
"""Something was recorded: the sequencer has work."""
SEQUENCED = "kontor:sequenced"
"""The feed grew, or a cursor moved: readers have work, waiting pages look again."""

# A Redis that hangs must not hold up whoever has just recorded something.
SOCKET_TIMEOUT_S = 0.5

log = logging.getLogger(__name__)


def open_redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )


def publish(redis: Redis, channel: str) -> bool:
    """False when Redis is away."""
    try:
        redis.publish(channel, b"")
    except RedisError as error:
        log.warning("no wake-up on %s: %s", channel, error)
        return False
    return True


class Listener:
    """Waits for a wake-up on its channels, at most `poll_s`. One per thread."""

    def __init__(self, redis: Redis, channels: tuple[str, ...], poll_s: float = 0.25) -> None:
        self._redis = redis
        self._channels = channels
        self._poll_s = poll_s
        self._subscription: PubSub | None = None

    def wait(self) -> bool:
        """True when it was woken, False after the poll time; both mean: look."""
        until = time.monotonic() + self._poll_s
        try:
            if self._subscription is None:
                self._subscribe()
                return True  # something may have happened before we listened
            woken = self._next(until)
            if woken:
                self._drain()
            return woken
        except RedisError as error:
            log.warning("no wake-ups from Redis, polling: %s", error)
            self.close()
            time.sleep(max(0.0, until - time.monotonic()))
            return False

    def close(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            try:
                subscription.close()
            except RedisError as error:
                log.debug("closing a lost subscription: %s", error)

    def _subscribe(self) -> None:
        subscription: PubSub = self._redis.pubsub(  # type: ignore[no-untyped-call]  # not typed
            ignore_subscribe_messages=True
        )
        subscription.subscribe(*self._channels)
        self._subscription = subscription

    def _next(self, until: float) -> bool:
        assert self._subscription is not None
        while (left := until - time.monotonic()) > 0:
            if self._subscription.get_message(timeout=left) is not None:
                return True
        return False

    def _drain(self) -> None:
        """Many wake-ups at once are one reason to look."""
        assert self._subscription is not None
        while self._subscription.get_message(timeout=0) is not None:
            pass
