"""A whole Kontor for one measurement: embedded servers, the demo insurer and real processes in a
folder of its own, gone afterwards. It measures nothing itself."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config import ROOT, SIMULATOR_CONTROL, Settings
from jobs.guard import Session
from jobs.instance import Instance
from jobs.programs import Program, answers, kontor

READY_S = 60.0
LOOPBACK = "127.0.0.1"


class House:
    """Starts and kills the programs of jobs.programs; one may run several times."""

    def __init__(self, settings: Settings, instance: Instance) -> None:
        self.settings = settings
        self._instance = instance
        self._programs = {program.name: program for program in kontor(settings)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = environment(settings)

    def give(self, **variables: str) -> None:
        """To the programs that are started from now on, in their environment."""
        self._environment |= variables

    def run(self, name: str) -> float:
        """One that ends by itself; says how many seconds it took."""
        started = time.perf_counter()
        self.start(name)
        if status := self._running.pop(name).wait():
            raise RuntimeError(f"{name} ended with {status}: {self._log(name).read_text()[-2000:]}")
        return time.perf_counter() - started

    def start(self, program: str, name: str = "") -> None:
        """Under its own name, or another when it runs more than once."""
        name = name or program
        with self._log(name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *self._programs[program].argv],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running[name] = process
        self._instance.guard.watch(Session.of(process.pid))
        self._wait_ready(self._programs[program])

    def kill(self, name: str) -> None:
        """kill -9 of it and of whatever it forked."""
        process = self._running.pop(name)
        Session.of(process.pid).kill()
        process.wait()
        self._instance.guard.forget(process.pid)

    def stop(self) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for name in [*self._running]:
            self.kill(name)

    def said(self, words: str) -> int:
        """In how many lines of all that its programs wrote."""
        logs = (path.read_text(errors="replace") for path in self.settings.var.glob("*.log"))
        return sum(words in line for text in logs for line in text.splitlines())

    def _wait_ready(self, program: Program) -> None:
        give_up = time.monotonic() + READY_S
        while program.ready and not answers(program.ready):
            if time.monotonic() > give_up:
                raise RuntimeError(f"{program.name} is not ready after {READY_S:g} s")
            time.sleep(0.05)

    def _log(self, name: str) -> Path:
        return self.settings.var / f"{name}.log"


@contextmanager
def opened(*programs: str) -> Iterator[House]:
    """With the demo insurer's history, and then these programs running."""
    folder = Path(tempfile.mkdtemp(prefix="kontor-bench-"))
    folder.chmod(0o711)
    settings = Settings.from_env({"KONTOR_VAR": str(folder / "var"), "PORT": str(free_ports())})
    instance = Instance(settings, kind="bench")
    try:
        instance.start_servers()
        urls = instance.environment()
        house = House(
            replace(
                settings,
                database_url=urls["DATABASE_URL"],
                redis_url=urls["REDIS_URL"],
            ),
            instance,
        )
        try:
            house.run("migrate")
            house.start("simulator")
            house.run("accounts")
            house.run("demo")
            for name in programs:
                house.start(name)
            yield house
        finally:
            house.stop()
    finally:
        instance.close()
        shutil.rmtree(folder, ignore_errors=True)


def environment(settings: Settings) -> dict[str, str]:
    """Of a process that works with exactly these Settings."""
    return {
        **os.environ,
        "KONTOR_MODE": settings.mode,
        "KONTOR_VAR": str(settings.var),
        "PORT": str(settings.port),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PYTHONUNBUFFERED": "1",
    }


def free_ports() -> int:
    """The first of as many neighbouring ports as a sandbox uses."""
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            first = int(probe.getsockname()[1])
        if first + SIMULATOR_CONTROL <= 65535 and all(
            _is_free(first + n) for n in range(SIMULATOR_CONTROL + 1)
        ):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0
