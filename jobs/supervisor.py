"""./run: one process that starts Kontor in order, watches it, restarts what falls and stops it
cleanly. What it starts is a table in jobs.programs; what it leaves behind when killed, nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from config import ConfigError, LogStyle, Settings
from domain.observing import logs
from jobs.embedded import ServerFailed
from jobs.instance import AlreadyRunning, Instance
from jobs.instance import with_servers as with_servers  # where other commands look for it
from jobs.places import PlaceRefused
from jobs.programs import (
    ACCOUNTS,
    QUICK_FAILURES_MAX,
    QUICK_SECONDS,
    Child,
    Program,
    answers,
    kontor,
)

STOPPED, FAILED, REFUSED, RUNNING = 0, 1, 2, 3
READY_SECONDS = 60
POLL_SECONDS = 0.1
METRICS = "metrics"  # the folder of webapp.observing.metrics
HARD_STOP_AT = 3  # the third Ctrl-C does not wait any more
COLOURS = (36, 33, 32, 35, 34, 31)
_style: list[LogStyle] = ["text"]
"""How this supervisor writes; `run` takes it from the settings."""


class Broken(Exception):
    """Something does not start or does not stay up; the text says what."""


class Supervisor:
    """Runs the given programs on the given instance until told to stop."""

    def __init__(self, instance: Instance, programs: Sequence[Program]) -> None:
        self.instance = instance
        self.stopping = threading.Event()
        self.programs = programs
        self.children: list[Child] = []
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self._fallen: dict[str, list[float]] = {}

    def start(self) -> None:
        """Servers, then stage by stage; returns when the last one is ready or a stop was asked
        for."""
        # What web processes counted until they were stopped: a counter may begin again at 0.
        shutil.rmtree(self.instance.var / METRICS, ignore_errors=True)
        self.instance.start_servers()
        self.environment |= self.instance.environment()
        for name in self.instance.servers:
            say(name, "ready")
        for stage in sorted({program.stage for program in self.programs}):
            programs = [program for program in self.programs if program.stage == stage]
            for program in programs:
                if not program.once:
                    self.children.append(Child(program, say))
                    self._launch(self.children[-1])
            for program in programs:
                if program.once and not self.stopping.is_set():
                    self._once(program)
            self._wait_ready([program for program in programs if program.ready])

    def _wait_ready(self, programs: list[Program]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while programs and not self.stopping.wait(0.03):
            self.tend()
            programs = [program for program in programs if not answers(program.ready)]
            if programs and time.monotonic() > deadline:
                raise Broken(f"{programs[0].name} is not ready after {READY_SECONDS} s")

    def _once(self, program: Program) -> None:
        """A Ctrl-C meanwhile ends it early."""
        kept = not program.keep or (self.instance.var / program.keep).exists()
        if program.fresh and kept and has_events(self.environment["DATABASE_URL"]):
            return
        child = Child(program, say)
        self._launch(child)
        while (status := child.ended()) is None:
            self.tend()
            if self.stopping.wait(0.02):
                child.ask_to_stop()
                child.stop()
        if child.session:
            self.instance.guard.forget(child.session.pid)
        if program.keep and not status:
            keep_private(self.instance.var / program.keep, "".join(child.printed))
        if status and not self.stopping.is_set():
            if not program.fresh:
                raise Broken(f"{program.name} failed (exit {status})")
            say(program.name, f"failed (exit {status}): Kontor runs without it")

    def watch(self) -> None:
        while not self.stopping.wait(POLL_SECONDS):
            self.tend()

    def tend(self) -> None:
        """Restart what has ended. Servers first: the programs cannot live without them."""
        self.instance.guard.tend()
        for name, server in self.instance.servers.items():
            if server.process and server.process.poll() is not None:
                self._count_fall(name)
                say(name, f"ended (exit {server.process.returncode}): starting it again")
                server.stop()
                server.start()
                self.instance.write()
        for child in self.children:
            status = child.ended()
            if status is not None:
                self._fell(child, status)
            if child.due:
                self._launch(child)

    def _count_fall(self, name: str) -> None:
        now = time.monotonic()
        recent = [at for at in self._fallen.get(name, []) if now - at < QUICK_SECONDS]
        self._fallen[name] = [*recent, now]
        if len(self._fallen[name]) >= QUICK_FAILURES_MAX:
            raise Broken(f"{name} keeps failing: giving up")

    def stop(self) -> None:
        """Last stage first; inside a stage all at once."""
        for stage in sorted({child.program.stage for child in self.children}, reverse=True):
            children = [child for child in self.children if child.program.stage == stage]
            for child in children:
                child.ask_to_stop()
            for child in children:
                child.stop()

    def _launch(self, child: Child) -> None:
        self.instance.guard.watch(child.start(self.environment))
        self.instance.write()

    def _fell(self, child: Child, status: int) -> None:
        if child.session:
            self.instance.guard.forget(child.session.pid)
        child.failed()
        name = child.program.name
        if child.hopeless:
            raise Broken(f"{name} keeps failing (exit {status}): giving up")
        say(name, f"ended (exit {status}): restart {child.failures}")


def run(settings: Settings, programs: Sequence[Program]) -> int:
    began = time.monotonic()
    _style[:] = [settings.log]
    try:
        instance = Instance(settings)
    except AlreadyRunning as reason:
        print(reason, file=sys.stderr)
        return RUNNING
    supervisor = Supervisor(instance, programs)
    _on_signals(supervisor.stopping)
    try:
        _ports_are_free(settings, programs)
        supervisor.start()
        if not supervisor.stopping.is_set():
            _announce(settings, time.monotonic() - began)
        supervisor.watch()
        status = STOPPED
    except (Broken, ServerFailed, PlaceRefused) as reason:
        say("kontor", str(reason))
        status = FAILED
    finally:
        ending = time.monotonic()
        say("kontor", "stopping")
        supervisor.stop()
        instance.close()
        say("kontor", f"stopped in {time.monotonic() - ending:.1f} s")
    return status


def has_events(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        return connection.execute("SELECT 1 FROM event LIMIT 1").fetchone() is not None


def keep_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def say(name: str, line: str) -> None:
    """One write per line: threads of several children share the terminal."""
    if _style[0] == "json":
        _write(_as_json(name, line.rstrip()))
        return
    tag = f"{name:<9} |"
    if sys.stdout.isatty():
        tag = f"\033[{COLOURS[sum(name.encode()) % len(COLOURS)]}m{tag}\033[0m"
    _write(f"{time.strftime('%H:%M:%S')} {tag} {line.rstrip()}")


def _as_json(name: str, line: str) -> str:
    """A child's line is JSON already; what a server or a crash printed becomes a message."""
    if line.startswith("{"):
        return line
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    told = {"at": at, "level": "info", "process": name, "logger": "supervisor"}
    return json.dumps({**told, "message": logs.clean(line)})


def _write(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # nobody reads any more; the children's pipes must still be emptied


def _announce(settings: Settings, seconds: float) -> None:
    say("kontor", f"{settings.url}  (ready in {seconds:.1f} s; Ctrl-C stops)")
    accounts = settings.var / ACCOUNTS
    if settings.sandbox and accounts.exists():
        for line in ("Demo accounts on the login page:", *accounts.read_text().splitlines()):
            say("kontor", line)


def _ports_are_free(settings: Settings, programs: Sequence[Program]) -> None:
    """Told before anything starts, not by the fifth failure of a child."""
    urls = [settings.url, *(program.ready for program in programs if program.ready)]
    if settings.sandbox:
        urls.append(settings.stripe_api_base)
    for host, port in sorted({(u.hostname or "", u.port or 0) for u in map(urlsplit, urls)}):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if probe.connect_ex((host, port)) == 0:
                raise Broken(f"port {port} is in use by another program: set PORT")


def _on_signals(stopping: threading.Event) -> None:
    hits = 0

    def handle(_number: int, _frame: object) -> None:
        nonlocal hits
        hits += 1
        stopping.set()
        if hits >= HARD_STOP_AT:
            os._exit(130)  # the guard ends what is left

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)


def main(programs: Callable[[Settings], Sequence[Program]] = kontor) -> int:
    try:
        settings = Settings.from_env()
    except ConfigError as reason:
        print(reason, file=sys.stderr)
        return REFUSED
    return run(settings, programs(settings))


if __name__ == "__main__":
    sys.exit(main())
