"""`python -m jobs.worker effects|documents`: one RQ worker on one queue. RQ is only the doorbell;
what a ring does, its lease and its result are decided in jobs.effects and PostgreSQL."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, SimpleWorker, Worker

from config import Settings
from jobs.deathsig import die_with_parent

log = logging.getLogger("kontor.worker")

# RQ blocks for WORKER_TTL - 15 s at a time; an answer lost on the way costs no longer.
WORKER_TTL = 60
RECONNECT_SECONDS = 0.5
# The supervisor may need a moment for Valkey; after this it should start us afresh.
VALKEY_PATIENCE_SECONDS = 60.0


class _Stoppable(BaseWorker):
    """An RQ worker that comes back fast and can say whether it was told to stop."""

    max_connection_wait_time = 2.0

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


def _preload_documents() -> None:
    importlib.import_module("jobs.documents.render").preload()


# queue -> its worker and what it loads before the first ring.
WORKERS: dict[str, tuple[type[_Stoppable], Callable[[], None]]] = {
    "effects": (EffectsWorker, lambda: None),
    "documents": (DocumentsWorker, _preload_documents),
}


def _not_the_connection(record: logging.LogRecord) -> bool:
    """RQ prints a stack for every lost connection; `serve` says it in one line."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, RedisError)


def serve(queue_name: str, redis_url: str) -> int:
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
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for chatty in ("weasyprint", "weasyprint.progress", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    importlib.import_module("jobs.effects")  # Not at the first ring: horses inherit it loaded.
    return serve(queue_name, Settings.from_env().redis_url)


if __name__ == "__main__":
    sys.exit(main())
