"""A Kontor whose follower and workers are real processes that a test can stop, arm with a failpoint
and start again. The ticker stays in the test's hands, so that the Clock moves when it says."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import ROOT, Settings
from domain.operating import raise_cases
from domain.stream.failpoints import VARIABLE
from jobs.ticker import fire_timers, sweep
from tests.journeys.world import START, World, running_world
from tests.servers import environment

PROGRAMS: dict[str, tuple[str, ...]] = {
    "follower": ("-m", "jobs.follow"),
    "effects": ("-m", "jobs.worker", "effects"),
    "documents": ("-m", "jobs.worker", "documents"),
}
PATIENCE_S = 60


class Processes(World):
    """`world.settle` and `until` wait for the processes instead of doing their work."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.logs: dict[str, Path] = {}

    def work(self) -> None:
        fire_timers(self.context)
        raise_cases(self.kontor)

    def sweep(self) -> None:
        sweep(self.context)

    def start(self, name: str, failpoint: str = "") -> subprocess.Popen[bytes]:
        """`failpoint` kills it at that place."""
        log = self.settings.var / f"{name}.log"
        with log.open("wb") as out:
            self.running[name] = subprocess.Popen(
                [sys.executable, *PROGRAMS[name]],
                cwd=ROOT,
                env={**environment(self.settings), VARIABLE: failpoint},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.logs[name] = log
        return self.running[name]

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        process = self.running.pop(name)
        process.send_signal(number)
        process.wait(PATIENCE_S)

    def expire_leases(self) -> None:
        """A minute later, without waiting for it: whoever held a lease lost it."""
        self.rows(
            "UPDATE effect SET lease_until = clock_timestamp() WHERE status = 'leased' RETURNING 1"
        )


@contextmanager
def running_processes(settings: Settings) -> Iterator[Processes]:
    with running_world(settings, START, Processes) as world:
        assert isinstance(world, Processes)
        try:
            for name in PROGRAMS:
                world.start(name)
            yield world
        finally:
            for name in list(world.running):
                world.stop(name)
