"""./run as a process: order, restart, clean stop, and what kill -9 leaves behind. The programs
are small, the servers, sockets, signals and granian are real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from config import ROOT, Settings
from jobs.cli import as_typed
from jobs.guard import Session, alive
from jobs.instance import SERVERS, AlreadyRunning, Instance
from tests.servers import Servers, free_ports

PATIENCE_SECONDS = 60


class Kontor:
    """One `./run` in a data folder of its own, with a blank in its path."""

    def __init__(self, folder: Path) -> None:
        self.var = folder / "data folder"
        self.port = free_ports()
        self.extra: dict[str, str] = {}
        self.processes: list[subprocess.Popen[str]] = []
        self.logs: list[Path] = []

    @property
    def environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if n not in ("DATABASE_URL", "REDIS_URL")}
        return {**kept, "KONTOR_VAR": str(self.var), "PORT": str(self.port), **self.extra}

    def start(self, table: str = "ok") -> subprocess.Popen[str]:
        self.var.mkdir(parents=True, exist_ok=True)
        self.logs.append(self.var.parent / f"log {len(self.logs)}")
        with self.logs[-1].open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.small_kontor", table],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def ready(self, table: str = "ok") -> subprocess.Popen[str]:
        process = self.start(table)
        eventually(lambda: "(ready in" in self.said or process.poll() is not None)
        assert process.poll() is None, self.said
        return process

    def ask(self, part: str) -> str:
        asked = [sys.executable, "-m", "tests.jobs.small_kontor", part]
        return subprocess.run(
            asked, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    @property
    def said(self) -> str:
        return self.logs[-1].read_text()

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.var / "run.json").read_text())
        return found

    @property
    def sessions(self) -> list[Session]:
        return [Session(**one) for one in self.record["sessions"]]

    def answering_pid(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}", timeout=2) as answer:
            return int(answer.read())

    def port_is_free(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)


def everything_of(sessions: list[Session]) -> list[int]:
    """With PostgreSQL's backends, which lead sessions of their own."""
    members = {pid for session in sessions for pid in session.members()}
    for pid in list(members):
        members |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return sorted(members)


def guard_of(pid: int) -> psutil.Process:
    return next(c for c in psutil.Process(pid).children() if "jobs.guard" in c.cmdline())


@pytest.fixture
def kontor(open_folder: Path) -> Iterator[Kontor]:
    one = Kontor(open_folder)
    yield one
    for process in one.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def test_it_starts_in_order_says_where_and_stops_cleanly(kontor: Kontor) -> None:
    process = kontor.ready()
    started = everything_of(kontor.sessions)
    assert kontor.said.index("once upon a time") < kontor.said.index("(ready in")
    assert f"http://127.0.0.1:{kontor.port}" in kontor.said
    assert len(started) > 8  # PostgreSQL with backends, Valkey, granian with two, forks with one
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert [pid for pid in started if alive(pid)] == []
    assert kontor.port_is_free()
    assert not (kontor.var / "run.json").exists()
    assert "Traceback" not in kontor.said


def test_a_second_start_says_where_the_first_one_runs(kontor: Kontor) -> None:
    first = kontor.ready()
    second = kontor.start()
    assert second.wait(PATIENCE_SECONDS) == 3
    assert kontor.said == f"already running: pid {first.pid} http://127.0.0.1:{kontor.port}\n"
    assert kontor.answering_pid()


def test_a_start_beside_a_command_with_its_own_servers_says_which(tmp_path: Path) -> None:
    settings = Settings.from_env({"KONTOR_VAR": str(tmp_path / "var")})
    checking = Instance(settings, SERVERS, as_typed(["jobs.check"]))
    try:
        with pytest.raises(AlreadyRunning) as caught:
            Instance(settings)
    finally:
        checking.close()
    assert str(caught.value) == (
        f"./run check (pid {os.getpid()}) works in this data folder: wait until it has ended"
    )
    assert as_typed(["jobs.backup", "restore", "/mnt"]) == "./run restore"


def test_kill_9_of_the_supervisor_leaves_no_process_and_the_next_start_recovers(
    kontor: Kontor,
) -> None:
    first = kontor.ready()
    started = everything_of(kontor.sessions)
    database = kontor.record["environment"]["DATABASE_URL"]
    with psycopg.connect(database) as connection:
        connection.execute("create table kept as select 42 as answer")
    first.kill()
    eventually(lambda: not any(map(alive, started)))
    assert kontor.port_is_free()
    kontor.ready()
    with psycopg.connect(database) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_kill_9_of_guard_and_supervisor_is_cleaned_up_by_the_next_start(kontor: Kontor) -> None:
    first = kontor.ready()
    started = everything_of(kontor.sessions)
    guard = guard_of(first.pid)
    os.kill(first.pid, signal.SIGSTOP)  # or it would replace its guard
    guard.kill()
    first.kill()
    first.wait()
    time.sleep(0.3)
    assert any(map(alive, started)), "the guard is what ends them"
    kontor.ready()
    assert not any(map(alive, started))


def test_a_killed_guard_is_replaced(kontor: Kontor) -> None:
    first = kontor.ready()
    started = everything_of(kontor.sessions)
    killed = guard_of(first.pid)
    killed.kill()
    eventually(
        lambda: any(
            c.pid != killed.pid and "jobs.guard" in c.cmdline()
            for c in psutil.Process(first.pid).children()
            if alive(c.pid)
        )
    )
    time.sleep(0.3)  # it is told what to watch right after its start
    first.kill()
    eventually(lambda: not any(map(alive, started)))


def test_kill_9_of_granians_main_process_leaves_no_orphan_on_the_port(kontor: Kontor) -> None:
    kontor.ready()
    worker = kontor.answering_pid()
    main = psutil.Process(worker).parent()
    assert main is not None
    family = [main.pid, *(child.pid for child in main.children())]
    assert worker in family
    main.kill()
    eventually(lambda: not any(map(alive, family)))

    def served_by_another() -> bool:
        try:
            return kontor.answering_pid() not in family
        except (urllib.error.URLError, OSError):
            return False

    eventually(served_by_another)
    assert "web       | ended (exit -9): restart 1" in kontor.said


def test_a_killed_postgresql_comes_back(kontor: Kontor) -> None:
    kontor.ready()
    database = kontor.record["environment"]["DATABASE_URL"]
    pid = kontor.sessions[0].pid
    assert psutil.Process(pid).name().startswith("postgres")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: kontor.sessions[-1].pid != pid and "starting it again" in kontor.said)

    def lives() -> bool:
        try:
            with psycopg.connect(database) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    eventually(lives)


def test_a_program_that_never_stays_up_ends_everything(kontor: Kontor) -> None:
    process = kontor.start("crashing")
    assert process.wait(PATIENCE_SECONDS) == 1
    assert kontor.said.count("crashes   | ended (exit 7)") == 4
    assert "crashes keeps failing (exit 7): giving up" in kontor.said
    assert kontor.port_is_free()


def test_nothing_starts_when_the_first_step_fails(kontor: Kontor) -> None:
    assert kontor.start("refusing").wait(PATIENCE_SECONDS) == 1
    assert "first failed (exit 4)" in kontor.said
    assert "web" not in kontor.said


def test_the_demo_is_loaded_only_once_and_kontor_runs_without_it(kontor: Kontor) -> None:
    first = kontor.ready("demo")
    assert "demo      | failed (exit 4): Kontor runs without it" in kontor.said
    assert "accounts  | support mia" in kontor.said
    first.send_signal(signal.SIGTERM)
    first.wait(PATIENCE_SECONDS)
    kontor.extra = {"MADE": "yes"}
    kontor.ready("demo")
    assert "demo      |" not in kontor.said
    assert "accounts  |" not in kontor.said
    eventually(lambda: "kontor    | support mia" in kontor.said)


def test_a_program_that_does_not_listen_is_killed_after_its_grace(kontor: Kontor) -> None:
    process = kontor.ready("stubborn")
    eventually(lambda: "I stay" in kontor.said)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert "did not stop in 0.3 s: killed" in kontor.said


def test_a_taken_port_is_told_before_anything_starts(kontor: Kontor) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", kontor.port))
        other.listen()
        assert kontor.start().wait(PATIENCE_SECONDS) == 1
    assert f"port {kontor.port} is in use by another program: set PORT" in kontor.said
    assert "postgres" not in kontor.said


def test_given_servers_are_used_and_not_started(kontor: Kontor, servers: Servers) -> None:
    kontor.extra = {"DATABASE_URL": servers.postgres.url, "REDIS_URL": servers.valkey.url}
    kontor.ready()
    assert not (kontor.var / "postgres").exists()
    assert not (kontor.var / "valkey").exists()
    assert len(kontor.sessions) == 2  # web and forks


def test_production_without_its_values_refuses_and_names_them(kontor: Kontor) -> None:
    kontor.extra = {"KONTOR_MODE": "production"}
    assert kontor.start().wait(PATIENCE_SECONDS) == 2
    assert "KONTOR_KEK is missing" in kontor.said
    assert "Traceback" not in kontor.said


def test_other_commands_use_the_running_servers_or_start_their_own(kontor: Kontor) -> None:
    alone = kontor.ask("attach")
    assert not (kontor.var / "run.json").exists()
    kontor.ready()
    assert kontor.ask("attach") == alone
    assert kontor.record["kind"] == "kontor"
