"""PostgreSQL and Valkey from wheels: foreground children on unix sockets, each in its own session.
They belong to whoever starts them and end with it (jobs.guard). Not used when DATABASE_URL or
REDIS_URL names a server of the house; not for Windows, which has no unix sockets here."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString, cast

import psycopg
from psycopg import sql

from jobs import places
from jobs.guard import Guard, Session, alive

DATABASE = ROLE = "kontor"
POSTGRES_PORT = 5432  # only names the socket file: nothing listens on TCP
START_SECONDS = 30
POSTGRES_GRACE, VALKEY_GRACE = 15.0, 10.0
POSTGRES_SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_duration_statement": "500",
    # Values are personal data: the log keeps statements, never parameters or offending rows.
    "log_parameter_max_length": "0",
    "log_error_verbosity": "terse",
}
VALKEY_SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
}


class ServerFailed(Exception):
    """An embedded server did not start; the text ends with its own last words."""


@dataclass(kw_only=True)
class Postgres:
    """One cluster in `folder`; `url` is good once `start` has returned."""

    folder: Path
    sockets: Path
    guard: Guard
    settings: Mapping[str, str] = field(default_factory=lambda: POSTGRES_SETTINGS)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.user = places.unprivileged_user()
        self.folder = places.reachable_folder(self.folder, self.user)
        self.host = self.sockets / "pg"  # of its own: the server's user owns it
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.bin = places.pginstall(self.user) / "bin"

    @property
    def url(self) -> str:
        secret = self._passwords()[ROLE]
        return f"postgresql://{ROLE}:{secret}@/{DATABASE}?host={self.host}&port={POSTGRES_PORT}"

    def start(self) -> None:
        places.own_folder(self.folder, 0o711)
        places.own_folder(self.sockets, 0o711)
        places.own_folder(self.host, 0o711, owner=self.user)
        if not (self.data / "PG_VERSION").exists():
            self._init()
        self._wait_for_previous()
        args = [str(self.bin / "postgres"), "-D", str(self.data), "-h", ""]
        args += ["-k", str(self.host), "-p", str(POSTGRES_PORT)]
        for name, value in self.settings.items():
            args += ["-c", f"{name}={value}"]
        self.process = _spawn(args, self.log, _server_env(), places.identity(self.user))
        self.guard.watch(Session.of(self.process.pid, signal.SIGINT, POSTGRES_GRACE))
        _wait_ready("PostgreSQL", self.process, self.log, self._answers)
        self._make_database()

    def stop(self) -> None:
        """Fast shutdown: roll back, checkpoint, exit; then an immediate one, which recovers."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if _stopped(self.process, number, POSTGRES_GRACE):
                break
        if self.process:
            self.guard.forget(self.process.pid)
        places.drop_folders(self.host, self.sockets)

    def _init(self) -> None:
        """A crash half-way leaves a folder without PG_VERSION's siblings: build aside, rename."""
        user, group, groups = places.identity(self.user)
        draft = self.folder / f"draft-{secrets.token_hex(4)}"
        for stale in self.folder.glob("draft-*"):
            shutil.rmtree(stale)
        places.own_folder(draft, 0o700, owner=self.user)
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as password:
            password.write(self._passwords()["postgres"])
            password.flush()
            if self.user:
                os.chown(password.name, self.user.pw_uid, self.user.pw_gid)
            args = ["-D", str(draft), "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"]
            args += [f"--pwfile={password.name}", "--no-instructions", "--no-sync"]
            # The built-in provider sorts and folds alike on every system.
            args += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST"]
            done = subprocess.run(
                [self.bin / "initdb", *args],
                env=_server_env(),
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                user=user,
                group=group,
                extra_groups=groups,
            )
        if done.returncode:
            raise ServerFailed(f"initdb failed: {done.stderr[-2000:]}")
        draft.rename(self.data)

    def _passwords(self) -> dict[str, str]:
        path = self.folder / "passwords"
        if not path.exists():
            if self.data.exists():
                raise ServerFailed(f"{path} is gone, so nobody can log in to {self.data}")
            path.touch(mode=0o600)
            path.write_text(json.dumps({r: secrets.token_hex(24) for r in ("postgres", ROLE)}))
        return cast("dict[str, str]", json.loads(path.read_text()))

    def _wait_for_previous(self) -> None:
        """A killed supervisor's postmaster may still be shutting down. A living second
        supervisor is excluded earlier, by the lock on the data folder."""
        deadline = time.monotonic() + START_SECONDS
        while (pid := _postmaster_pid(self.data)) and alive(pid):
            if time.monotonic() > deadline:
                raise ServerFailed(f"another PostgreSQL (pid {pid}) works in {self.data}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        args = [str(self.bin / "pg_isready"), "-q", "-t", "1", "-d", "postgres"]
        args += ["-h", str(self.host), "-p", str(POSTGRES_PORT)]
        return subprocess.run(args, env=_server_env(), check=False).returncode == 0

    def _make_database(self) -> None:
        words = self._passwords()
        admin = psycopg.connect(
            host=str(self.host),
            port=POSTGRES_PORT,
            user="postgres",
            password=words["postgres"],
            dbname="postgres",
            autocommit=True,
        )
        with admin:
            if not _exists(admin, "select 1 from pg_roles where rolname = %s", ROLE):
                statement = "create role {} login createdb password {}"
                admin.execute(sql.SQL(statement).format(sql.Identifier(ROLE), words[ROLE]))
            if not _exists(admin, "select 1 from pg_database where datname = %s", DATABASE):
                name = sql.Identifier(DATABASE)
                admin.execute(sql.SQL("create database {} owner {}").format(name, name))


@dataclass(kw_only=True)
class Valkey:
    """One Valkey in `folder`, append-only file on, nothing evicted."""

    folder: Path
    sockets: Path
    guard: Guard
    settings: Mapping[str, str] = field(default_factory=lambda: VALKEY_SETTINGS)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.log = self.folder / "server.log"
        self.socket = self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        places.own_folder(self.folder, 0o700)
        places.own_folder(self.sockets, 0o711)
        args = [str(places.valkey_binary()), "--port", "0", "--daemonize", "no"]
        args += ["--unixsocket", str(self.socket), "--unixsocketperm", "600"]
        args += ["--dir", str(self.folder)]
        for name, value in self.settings.items():
            args += [f"--{name}", value]
        self.process = _spawn(args, self.log, env=dict(os.environ))
        self.guard.watch(Session.of(self.process.pid, signal.SIGTERM, VALKEY_GRACE))
        _wait_ready("Valkey", self.process, self.log, self._answers)

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if _stopped(self.process, number, VALKEY_GRACE):
                break
        if self.process:
            self.guard.forget(self.process.pid)
        places.drop_folders(self.sockets)

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _spawn(
    args: list[str],
    log: Path,
    env: Mapping[str, str],
    identity: tuple[int | None, int | None, list[int] | None] = (None, None, None),
) -> subprocess.Popen[bytes]:
    """In the foreground, in its own session: a Ctrl-C reaches only whoever watches."""
    user, group, groups = identity
    log.touch(mode=0o600)
    with log.open("ab") as out:
        return subprocess.Popen(
            args,
            env=env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=groups,
        )


def _wait_ready(
    name: str, process: subprocess.Popen[bytes], log: Path, answers: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None:
            raise ServerFailed(f"{name} ended ({process.returncode}): {tail(log)}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"{name} is not ready after {START_SECONDS} s: {tail(log)}")
        time.sleep(0.02)


def _stopped(process: subprocess.Popen[bytes] | None, number: int, grace: float) -> bool:
    if process is None or process.poll() is not None:
        return True
    process.send_signal(number)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        return False
    return True


def tail(log: Path, chars: int = 2000) -> str:
    return log.read_text(errors="replace")[-chars:] if log.exists() else "(no log)"


def _postmaster_pid(data: Path) -> int:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return 0


def _exists(admin: psycopg.Connection[tuple[object, ...]], query: LiteralString, key: str) -> bool:
    return admin.execute(query, (key,)).fetchone() is not None


def _server_env() -> dict[str, str]:
    """PGDATA, PGHOST and their kind name another cluster than ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
