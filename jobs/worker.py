"""`python -m jobs.worker effects|documents|exports`: one RQ worker on one queue. RQ is only the
doorbell; what a ring does, its lease and its result are decided in jobs.effects, jobs.runs.export
and PostgreSQL."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

import psycopg
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, SimpleWorker, Worker

from config import Settings
from domain.observing import logs, traces
from domain.stream import clock
from domain.stream.database import connect
from jobs.deathsig import die_with_parent
from jobs.installed import end_unless_ours

log = logging.getLogger("kontor.worker")

# RQ blocks for WORKER_TTL - 15 s at a time; an answer lost on the way costs no longer.
WORKER_TTL = 60
RECONNECT_SECONDS = 0.5
# RQ's own heartbeat comes with every ring and at least each WORKER_TTL - 15 s.
BEAT_SECONDS = 10.0
# The supervisor may need a moment for Valkey; after this it should start us afresh.
VALKEY_PATIENCE_SECONDS = 60.0


class _Stoppable(BaseWorker):
    """An RQ worker that comes back fast and can say whether it was told to stop."""

    max_connection_wait_time = 2.0
    told_at = -BEAT_SECONDS
    # Notes in PostgreSQL that this worker lives.
    tell: Callable[[], None] | None = None

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        super().heartbeat(timeout, pipeline)
        if time.monotonic() - self.told_at >= BEAT_SECONDS:
            self.told_at = time.monotonic()
            if self.tell is not None:
                self.tell()

    def subscribe(self) -> None:
        """RQ's remote commands (stop a job, shut down) are not used. Their thread would outlive a
        lost connection, and a process without threads is a process that forks safely."""

    @property
    def told_to_stop(self) -> bool:
        # Not `_stop_requested`: RQ sets that only when the signal came in the middle of a job.
        return self._shutdown_requested_date is not None


class EffectsWorker(_Stoppable, SimpleWorker):
    """Provider calls: many and short, all limits are in the calls themselves."""


class DocumentsWorker(_Stoppable, Worker):
    """Renders: each in a fork that starts with WeasyPrint loaded and dies with this worker."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        # self.pid was taken in the parent, before the fork.
        die_with_parent(self.pid or os.getppid())
        super().main_work_horse(job, queue)


class ExportsWorker(_Stoppable, SimpleWorker):
    """Files of whole lists, one after the other; it reads and writes PostgreSQL only."""


def _preload_documents() -> None:
    importlib.import_module("jobs.documents.render").preload()


# queue -> its worker and what it loads before the first ring.
WORKERS: dict[str, tuple[type[_Stoppable], Callable[[], None]]] = {
    "effects": (EffectsWorker, lambda: None),
    "documents": (DocumentsWorker, _preload_documents),
    "exports": (ExportsWorker, lambda: None),
}
# queue -> the module whose function its rings name.
JOBS = {"effects": "jobs.effects", "documents": "jobs.effects", "exports": "jobs.runs.export"}


def _not_the_connection(record: logging.LogRecord) -> bool:
    """RQ prints a stack for every lost connection; `serve` says it in one line."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, RedisError)


def _beat(settings: Settings, process: str) -> None:
    """A connection of its own, closed again: a pool's threads must not meet a fork."""
    try:
        with connect(settings.database_url, settings.kek) as connection:
            clock.beat(connection, process)
    except psycopg.Error as error:
        log.warning("nobody was told that this worker lives: %s", error)


def serve(queue_name: str, redis_url: str, beat: Callable[[], None] = lambda: None) -> int:
    """Works until it is told to stop (0) or Valkey stays away (1)."""
    worker_class, preload = WORKERS[queue_name]
    preload()
    logging.getLogger("rq.worker").addFilter(_not_the_connection)
    while True:
        _end_on_signals()
        if not _answers(redis_url):
            log.error("Valkey did not answer for %g s", VALKEY_PATIENCE_SECONDS)
            return 1
        # RQ would lengthen the time-out only for connections that it opens later.
        connection = Redis.from_url(redis_url, socket_timeout=WORKER_TTL)
        try:
            worker = worker_class(
                [queue_name],
                connection=connection,
                serializer=JSONSerializer,
                worker_ttl=WORKER_TTL,
            )
            worker.tell = beat
            worker.work(logging_level="WARNING")
        except RedisError as error:  # Lost outside RQ's own retry: start again with a new worker.
            log.warning("lost Valkey (%s)", type(error).__name__)
            continue
        finally:
            connection.close()
        if worker.told_to_stop:
            return 0
        log.warning("RQ gave up; starting again")


def _end_on_signals() -> None:
    """Until RQ takes the signals over (again), there is no job to finish."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _answers(redis_url: str) -> bool:
    """Whether Valkey answers within the patience."""
    give_up = time.monotonic() + VALKEY_PATIENCE_SECONDS
    while time.monotonic() < give_up:
        try:
            with Redis.from_url(redis_url, socket_timeout=RECONNECT_SECONDS) as probe:
                return bool(probe.ping())
        except RedisError:
            time.sleep(RECONNECT_SECONDS)
    return False


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m jobs.worker", description=__doc__)
    parser.add_argument("queue", choices=sorted(WORKERS))
    queue_name = parser.parse_args(argv).queue
    settings = Settings.from_env()
    process = f"worker:{queue_name}"
    logs.set_up(process, settings.log)
    traces.set_up(process, settings.otel_endpoint)
    end_unless_ours(settings)
    # Not at the first ring: horses inherit it loaded.
    importlib.import_module(JOBS[queue_name])
    return serve(queue_name, settings.redis_url, partial(_beat, settings, process))


if __name__ == "__main__":
    sys.exit(main())
