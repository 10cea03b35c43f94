"""Which Kontor works in a data folder: the lock that only one holds, the file that says where it
runs and what it started, and the embedded servers of whoever needs some. Starts no program."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from config import ROOT, Settings
from jobs import places
from jobs.embedded import Postgres, Valkey
from jobs.guard import Guard, Session, alive, end_all

WAIT_SECONDS = 60
# What works in the data folder: all of Kontor, or a command that needed servers for itself.
KONTOR, SERVERS = "kontor", "servers"


class AlreadyRunning(Exception):
    """Another process holds the data folder; the text says which and where."""


class Instance:
    """This process as the one that works in `settings.var`. Whatever a killed predecessor left
    running is ended first."""

    def __init__(self, settings: Settings, kind: str = KONTOR, command: str = "./run") -> None:
        self.kind, self.command, self.url = kind, command, settings.url
        self.var = settings.var
        self.record = self.var / "run.json"
        self._lock = _lock(settings.var)
        end_all(Session(**one) for one in _read(self.record).get("sessions", []))
        self.guard = Guard()
        self.servers: dict[str, Postgres | Valkey] = {}
        if not settings.database_url:
            folder, sockets = settings.var / "postgres", places.socket_folder(settings.var)
            self.servers["postgres"] = Postgres(folder=folder, sockets=sockets, guard=self.guard)
        if not settings.redis_url:
            folder, sockets = settings.var / "valkey", places.socket_folder(settings.var)
            self.servers["valkey"] = Valkey(folder=folder, sockets=sockets, guard=self.guard)
        self._given = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
        self.write()

    def start_servers(self) -> None:
        for server in self.servers.values():
            server.start()
            self.write()

    def environment(self) -> dict[str, str]:
        """The two URLs, for us and for every program we start."""
        names = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
        started = {names[n]: s.url for n, s in self.servers.items() if s.process}
        return self._given | started

    def write(self) -> None:
        """Kept true at every start, so that the next Kontor can end what this one had to leave."""
        draft = self.record.with_suffix(".draft")
        draft.touch(mode=0o600)
        content = {
            "pid": os.getpid(),
            "kind": self.kind,
            "command": self.command,
            "url": self.url,
            "environment": {n: v for n, v in self.environment().items() if v},
            "sessions": [asdict(session) for session in self.guard.sessions.values()],
        }
        draft.write_text(json.dumps(content, indent=1))
        draft.replace(self.record)

    def close(self) -> None:
        for server in reversed(self.servers.values()):
            server.stop()
        self.guard.close()
        self.record.unlink(missing_ok=True)
        self._lock.close()


@contextmanager
def with_servers(*, migrated: bool = True, command: str = "a command") -> Iterator[Settings]:
    """Settings whose PostgreSQL and Valkey answer: those of the running Kontor, or the ones the
    environment names, or embedded ones of our own until the end of the block. `command` is who
    holds the data folder meanwhile."""
    settings = Settings.from_env()
    if settings.database_url and settings.redis_url:
        yield settings
        return
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        running = _read(settings.var / "run.json")
        if running.get("kind") == KONTOR and alive(running["pid"]):
            if set(running["environment"]) == {"DATABASE_URL", "REDIS_URL"}:
                yield _settings(running["environment"])
                return
        else:
            try:
                instance = Instance(settings, SERVERS, command)
                break
            except AlreadyRunning:
                if time.monotonic() > deadline:
                    raise
        if time.monotonic() > deadline:
            raise AlreadyRunning(_says(running))
        time.sleep(0.2)
    try:
        instance.start_servers()
        environment = instance.environment()
        if migrated:
            migrate(environment)
        yield _settings(environment)
    finally:
        instance.close()


def migrate(environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "jobs.migrate"],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
    )


def _settings(environment: dict[str, str]) -> Settings:
    """Also for the processes that the caller may start. What the user has set holds."""
    for name, value in environment.items():
        if not os.environ.get(name):
            os.environ[name] = value
    return Settings.from_env()


def _lock(var: Path) -> IO[str]:
    var.mkdir(parents=True, exist_ok=True, mode=0o711)
    lock = (var / "run.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyRunning(_says(_read(var / "run.json"))) from None
    return lock


def _says(running: dict[str, Any]) -> str:
    pid = running.get("pid", "?")
    if running.get("kind") == SERVERS:
        who = running.get("command", "a command")
        return f"{who} (pid {pid}) works in this data folder: wait until it has ended"
    return f"already running: pid {pid} {running.get('url', '')}".rstrip()


def _read(record: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(record.read_text())
    except FileNotFoundError:
        return {}
    return found
