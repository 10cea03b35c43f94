"""The programs that make up a running Kontor, as data, and one of them as a child process:
started in its own session, its lines prefixed, stopped with everything it started."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from config import ROOT, Settings
from jobs.guard import Session

# Most threads wait: for PostgreSQL, or for the commit that stores their notification with others.
# Fewer make smaller groups, and a provider's connections may all land in one process; what
# computes shares the interpreter anyway.
WEB_WORKERS, WEB_THREADS = 2, 32
WEB_BACKLOG = 256
ACCOUNTS = "accounts"  # the sandbox's demo accounts, told at every start
WEB_STOP_SECONDS = 4  # for the requests at hand
ASK_AGAIN_SECONDS = 0.3
QUICK_SECONDS = 60  # ending sooner than this counts as a failure to start
QUICK_FAILURES_MAX = 5
BACKOFF_SECONDS_MAX = 5.0
READY_TIMEOUT_SECONDS = 2
LAST_WORDS_SECONDS = 2  # to read what an ended program had still to say


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`argv` follows the Python interpreter. A stage starts when the `once` programs of the one
    before have ended well and its `ready` URLs answer with 200; it stops before it, too."""

    name: str
    argv: tuple[str, ...]
    stage: int = 1
    grace: float = 5
    ready: str = ""
    once: bool = False
    fresh: bool = False  # only while no event was ever recorded; Kontor runs without it too
    keep: str = ""  # of a `fresh` one: what it printed, in the data folder; missing: run again
    ask_again: bool = False  # a second SIGTERM is harmless (to RQ it means: drop the job)


def kontor(settings: Settings) -> tuple[Program, ...]:
    """Everything the supervisor runs, in the order it starts."""
    sandbox = (
        Program(
            name="simulator",
            argv=("-m", "jobs.providers.stripe.simulator"),
            stage=0,
            ready=f"{settings.simulator_control}/quiet",
        ),
        Program(
            name="accounts",
            argv=("-m", "jobs.staff", "demo"),
            stage=2,
            once=True,
            fresh=True,
            keep=ACCOUNTS,
        ),
        # Before anything acts on what is due: a history is being made.
        Program(name="demo", argv=("-m", "jobs.demo"), stage=2, once=True, fresh=True),
    )
    return (
        Program(name="migrate", argv=("-m", "jobs.migrate"), stage=0, once=True, grace=30),
        web(settings, "wsgi:app", "/livez"),
        # Ready when the screens exist, which the follower makes.
        Program(
            name="follower", argv=("-m", "jobs.follow"), stage=3, ready=f"{settings.url}/readyz"
        ),
        # A warm stop finishes the job at hand; a provider call may take its 23 seconds.
        Program(name="effects", argv=("-m", "jobs.worker", "effects"), stage=3, grace=30),
        Program(name="documents", argv=("-m", "jobs.worker", "documents"), stage=3, grace=30),
        # A file that is cut off is begun again: nobody waits long for the stop.
        Program(name="exports", argv=("-m", "jobs.worker", "exports"), stage=3),
        Program(name="ticker", argv=("-m", "jobs.ticker"), stage=3),
        *(sandbox if settings.sandbox else ()),
    )


def web(settings: Settings, app: str, ready: str) -> Program:
    """A granian worker that is told to stop while it is being forked forgets it: ask again."""
    options = {
        "--interface": "wsgi",
        "--host": settings.host,
        "--port": settings.port,
        "--workers": WEB_WORKERS,
        "--blocking-threads": WEB_THREADS,
        "--backlog": WEB_BACKLOG,
        "--workers-kill-timeout": WEB_STOP_SECONDS,
        # Its one warning is about the number of threads.
        "--log-level": "error",
    }
    flags = ("--no-ws", "--no-access-log", "--respawn-failed-workers")
    pairs = (text for name, value in options.items() for text in (name, str(value)))
    return Program(
        name="web",
        argv=("-m", "granian", *pairs, *flags, app),
        grace=2 * WEB_STOP_SECONDS,
        ready=f"{settings.url}{ready}",
        ask_again=True,
    )


class Child:
    """One program as a process, and how often it has failed in a row."""

    def __init__(self, program: Program, say: Callable[[str, str], None]) -> None:
        self.program = program
        self.failures = 0
        self.session: Session | None = None
        self.printed: list[str] = []
        self._say = say
        self._process: subprocess.Popen[str] | None = None
        self._started = 0.0
        self._next_start = 0.0

    def start(self, environment: Mapping[str, str]) -> Session:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, *self.program.argv],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.session = Session.of(self._process.pid)
        self._reader = threading.Thread(target=self._pump, args=(self._process,), daemon=True)
        self._reader.start()
        return self.session

    def ended(self) -> int | None:
        """The exit status once it has ended, with nothing of its session left behind: granian's
        workers would keep the port."""
        if self._process is None or self.session is None or self._process.poll() is None:
            return None
        self.session.kill()
        self._reader.join(LAST_WORDS_SECONDS)
        return self._process.returncode

    def failed(self) -> None:
        """Count it and say when to try again."""
        long_run = time.monotonic() - self._started > QUICK_SECONDS
        self.failures = 1 if long_run else self.failures + 1
        delay = min(BACKOFF_SECONDS_MAX, 0.1 * 2**self.failures)
        self._process, self.session = None, None
        self._next_start = time.monotonic() + delay

    @property
    def hopeless(self) -> bool:
        return self.failures >= QUICK_FAILURES_MAX

    @property
    def due(self) -> bool:
        """Has failed and may try again."""
        waiting = self.failures > 0 and self._process is None
        return waiting and time.monotonic() >= self._next_start

    def ask_to_stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Waits for what `ask_to_stop` began."""
        if self._process is None or self.session is None:
            return
        deadline = time.monotonic() + self.program.grace
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self._process.wait(min(ASK_AGAIN_SECONDS, self.program.grace))
            except subprocess.TimeoutExpired:
                if self.program.ask_again:
                    self.session.ask()
        if self._process.poll() is None:
            self._say(self.program.name, f"did not stop in {self.program.grace:g} s: killed")
        self.session.kill()
        self._process.wait()

    def _pump(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._say(self.program.name, line)
            if self.program.keep:
                self.printed.append(line)


def answers(url: str) -> bool:
    """Only 200 is ready; a refused connection, a time-out or a 503 is not yet."""
    try:
        with urllib.request.urlopen(url, timeout=READY_TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own loopback URL
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
