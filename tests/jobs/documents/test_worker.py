"""The RQ workers: they survive what their jobs do, leave nothing behind, and come back when
Valkey was away or flushed. Real processes, a Valkey of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from rq import Queue
from rq.serializers import DefaultSerializer, JSONSerializer

from config import ROOT
from jobs.embedded import VALKEY_SETTINGS, Valkey
from jobs.guard import Guard
from tests.jobs.documents.processes import gone_within

SERVE = "import sys; from jobs.worker import serve; sys.exit(serve(*sys.argv[1:]))"


@dataclass(kw_only=True)
class Bench:
    """One Valkey that may die, one worker on it, and the file its jobs write to."""

    valkey: Valkey
    said: Path
    queue: str
    worker: subprocess.Popen[bytes]

    def ring(self, job: str) -> None:
        with redis.Redis.from_url(self.valkey.url) as client:
            Queue(self.queue, connection=client, serializer=JSONSerializer).enqueue(
                f"tests.jobs.documents.rings.{job}",
                str(self.said),
                ttl=60,
                result_ttl=0,
                failure_ttl=60,
            )

    def lines(self) -> list[str]:
        return self.said.read_text(encoding="utf-8").splitlines() if self.said.exists() else []

    def wait_for_lines(self, count: int, seconds: float = 20) -> list[str]:
        until = time.monotonic() + seconds
        while len(self.lines()) < count and time.monotonic() < until:
            assert self.worker.poll() is None, "the worker ended"
            time.sleep(0.02)
        assert len(self.lines()) >= count, f"nothing after {seconds} s: {self.lines()}"
        return self.lines()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    folder = Path(tempfile.mkdtemp(prefix="kontor-w-"))
    guard = Guard()
    valkey = Valkey(
        folder=folder / "valkey", sockets=folder / "s", guard=guard, settings=VALKEY_SETTINGS
    )
    workers: list[subprocess.Popen[bytes]] = []

    def started(queue: str) -> Bench:
        argv = [sys.executable, "-c", SERVE, queue, valkey.url]
        workers.append(subprocess.Popen(argv, cwd=ROOT))
        return Bench(valkey=valkey, said=tmp_path / "said", queue=queue, worker=workers[-1])

    valkey.start()
    try:
        yield started
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        valkey.stop()
        guard.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_worker_outlives_bombs_and_killed_horses(start: Callable[[str], Bench]) -> None:
    bench = start("documents")
    for job in ("bomb", "killed", "render"):
        bench.ring(job)
    assert bench.wait_for_lines(3) == ["took longer than 1 s", "killed", "%PDF preloaded=True"]


class Poison:
    """What happens to whoever unpickles it."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (str(self.proof),)


def test_a_pickled_job_is_never_loaded(start: Callable[[str], Bench], tmp_path: Path) -> None:
    """It is put aside, and the next ring is heard."""
    bench, proof = start("effects"), tmp_path / "unpickled"
    with redis.Redis.from_url(bench.valkey.url) as client:
        queue = Queue(bench.queue, connection=client, serializer=DefaultSerializer)
        job = queue.enqueue("tests.jobs.documents.rings.heard", Poison(proof))
        bench.ring("heard")
        bench.wait_for_lines(1)
        assert not proof.exists()
    DefaultSerializer.loads(job.data)  # RQ's own way of reading it does what the poison says
    assert proof.exists()


def test_kill_9_of_the_worker_leaves_neither_horse_nor_renderer(
    start: Callable[[str], Bench],
) -> None:
    bench = start("documents")
    bench.ring("hang")
    horse, renderer = (int(pid) for pid in bench.wait_for_lines(1)[0].split())
    bench.worker.kill()
    bench.worker.wait()
    gone_within(horse, 2)
    gone_within(renderer, 2)


@pytest.mark.parametrize("queue", ["effects", "documents"])
def test_a_worker_comes_back_after_valkey_and_ends_when_told(
    queue: str, start: Callable[[str], Bench]
) -> None:
    bench = start(queue)
    bench.ring("render")
    bench.wait_for_lines(1)
    assert bench.valkey.process is not None
    bench.valkey.process.kill()
    bench.valkey.process.wait()
    time.sleep(0.5)
    bench.valkey.start()
    bench.ring("render")
    bench.wait_for_lines(2, seconds=10)
    with redis.Redis.from_url(bench.valkey.url) as client:
        client.flushall()
    bench.ring("render")
    bench.wait_for_lines(3, seconds=10)
    bench.worker.send_signal(signal.SIGTERM)
    assert bench.worker.wait(10) == 0


def test_a_worker_started_before_valkey_waits_for_it(start: Callable[[str], Bench]) -> None:
    first = start("effects")
    first.valkey.stop()
    bench = start("effects")
    time.sleep(1)
    first.valkey.start()
    bench.ring("render")
    bench.wait_for_lines(1, seconds=15)
