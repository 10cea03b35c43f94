"""Wake-ups and rings: quick with Redis, slower without, and never the truth."""

from __future__ import annotations

import time
from threading import Timer
from uuid import uuid4

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from domain.stream.wake import APPENDED, SEQUENCED, Listener, open_redis, publish
from jobs.ring import ring

NOBODY = "unix:///nonexistent/valkey.sock"


def test_a_listener_is_woken_before_its_poll(redis_url: str) -> None:
    redis = open_redis(redis_url)
    listener = Listener(redis, (APPENDED, SEQUENCED), poll_s=30)
    assert listener.wait()  # the first look comes at once
    Timer(0.1, lambda: [publish(redis, SEQUENCED) for _ in range(5)]).start()
    assert listener.wait()
    listener.close()


def test_many_wake_ups_are_one_look(redis_url: str) -> None:
    redis = open_redis(redis_url)
    listener = Listener(redis, (APPENDED,), poll_s=0.2)
    listener.wait()
    for _ in range(20):
        assert publish(redis, APPENDED)
    time.sleep(0.05)
    assert listener.wait()
    assert not listener.wait()
    listener.close()


def test_without_redis_it_polls() -> None:
    redis = open_redis(NOBODY)
    assert not publish(redis, APPENDED)
    assert not ring(redis, "effects", uuid4())
    listener = Listener(redis, (APPENDED,), poll_s=0.05)
    started = time.monotonic()
    assert [listener.wait() for _ in range(3)] == [False] * 3
    assert time.monotonic() - started >= 0.15


def test_a_full_or_hanging_valkey_costs_the_wake_up_only(redis_url: str) -> None:
    """Half a second per try, then whoever has just committed goes on."""
    redis = open_redis(redis_url)
    with Redis.from_url(redis_url) as admin:
        admin.config_set("maxmemory", 1)
        try:
            assert not ring(redis, "effects", uuid4())
        finally:
            admin.config_set("maxmemory", 0)
        admin.client_pause(20_000, all=False)
        try:
            assert not ring(redis, "effects", uuid4())
            assert not publish(redis, APPENDED)
        finally:
            admin.client_unpause()
        assert ring(redis, "effects", uuid4())


def test_when_redis_comes_back_it_listens_again(redis_url: str) -> None:
    redis = open_redis(redis_url)
    listener = Listener(redis, (APPENDED,), poll_s=0.2)
    listener.wait()
    with Redis.from_url(redis_url) as admin:
        admin.client_kill_filter(_type="pubsub")
    assert listener.wait() in (False, True)  # lost, or reconnected by the client itself
    listener.wait()
    Timer(0.02, lambda: publish(redis, APPENDED)).start()
    assert listener.wait()


def test_a_ring_is_a_throw_away_job(redis_url: str) -> None:
    redis, effect_id = open_redis(redis_url), uuid4()
    assert ring(redis, "effects", effect_id)
    assert ring(redis, "effects", effect_id)
    jobs = Queue("effects", connection=redis, serializer=JSONSerializer).jobs
    assert len({job.id for job in jobs}) == 2
    for job in jobs:
        assert (job.func_name, job.args) == ("jobs.effects.run", [str(effect_id)])
        assert (job.ttl, job.result_ttl, job.failure_ttl) == (60, 0, 60)
