"""Nothing outlives the process that started it: a guard, in its own session, holds one end of a
pipe and ends every watched session when the other end closes, kill -9 included. It covers
grandchildren in groups of their own (granian's workers, RQ's horses) and needs no Linux feature.
It does not restart anything; that is the supervisor's."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_ROOT = Path(__file__).resolve().parent.parent
_PROC = Path("/proc")
_POLL_SECONDS = 0.02
# A guard with nothing to do must not end by the Ctrl-C or the hang-up that its parent handles.
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A started child that leads its own session. `born` tells it from a later process that got
    the same number."""

    pid: int
    born: float
    stop: int
    grace: float

    @staticmethod
    def of(pid: int, stop: int = signal.SIGKILL, grace: float = 0) -> Session:
        """As the guard ends it: our own processes at once, they survive kill -9 by design."""
        return Session(pid=pid, born=_born(pid), stop=stop, grace=grace)

    def members(self) -> list[int]:
        """Everything that still runs in this session, zombies aside. A number that was given to
        a new process cannot lead our session: while members live, the kernel keeps it taken."""
        if _born(self.pid) not in (0.0, self.born):
            return []
        return [pid for pid in psutil.pids() if _session_of(pid) == self.pid and alive(pid)]

    def send(self, what: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if _born(self.pid) == self.born:
                os.kill(self.pid, what)

    def ask(self) -> None:
        """Every member, politely."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def end(self) -> None:
        """Ask the leader, wait for everybody, then do not ask."""
        self.send(self.stop)
        deadline = time.monotonic() + self.grace
        while self.members() and alive(self.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.kill()

    def kill(self, rounds: int = 250) -> None:
        """Until none is left: a member may fork while we look at the list."""
        for _ in range(rounds):
            members = self.members()
            if not members:
                return
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"session {self.pid} does not end: {self.members()}")


class Guard:
    """The parent's side. `watch` after each start; `close` (or death) ends what is left."""

    def __init__(self) -> None:
        self.sessions: dict[int, Session] = {}
        self._process = self._start()

    def watch(self, session: Session) -> None:
        self.sessions[session.pid] = session
        self._tell({"watch": asdict(session)})

    def forget(self, pid: int) -> None:
        if self.sessions.pop(pid, None):
            self._tell({"forget": pid})

    def close(self) -> None:
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(60)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "jobs.guard"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def tend(self) -> None:
        """A guard that somebody killed is replaced, and told everything again."""
        if self._process.poll() is not None:
            self._process = self._start()
            for session in self.sessions.values():
                self._tell({"watch": asdict(session)})

    def _tell(self, message: dict[str, object]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._process.wait()
            self.tend()


def end_all(sessions: Iterable[Session]) -> None:
    """Newest first: what was started last leans on what was started before."""
    for session in reversed(list(sessions)):
        session.end()


def main() -> None:
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, Session] = {}
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "forget" in message:
            watched.pop(message["forget"], None)
        else:
            session = Session(**message["watch"])
            watched[session.pid] = session
    end_all(watched.values())


def _born(pid: int) -> float:
    """When a process started; 0 if there is none. On Linux in ticks since boot: psutil's figure
    would move with the wall clock."""
    try:
        if _PROC.exists():
            return float((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19])
        return float(psutil.Process(pid).create_time())
    except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
        return 0.0


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0


if __name__ == "__main__":
    main()
