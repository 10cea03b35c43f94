"""A small real Kontor for the supervisor's tests: granian with two workers, a program that forks
into a group of its own, and one that never stays up. `python -m tests.jobs.small_kontor TABLE`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

import psycopg

from config import Settings
from jobs.instance import with_servers
from jobs.programs import ACCOUNTS, Program, web
from jobs.supervisor import main

ME = ("-m", "tests.jobs.small_kontor")


def app(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def forks() -> None:
    """Like RQ's worker: the child leaves our process group, and would outlive us."""
    code = "import os, time; os.setpgrp(); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", code])
    time.sleep(600)


def stubborn() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("I stay", flush=True)
    time.sleep(600)


def events() -> None:
    """The table that tells a fresh sandbox; MADE gives it its first event."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("create table if not exists event ()")
        if os.environ.get("MADE"):
            connection.execute("insert into event default values")


def attached() -> None:
    """Says which servers `with_servers` found."""
    with with_servers(migrated=False) as settings:
        print(settings.database_url, settings.redis_url, flush=True)


def _web(settings: Settings) -> Program:
    return web(settings, f"{ME[1]}:app", "/")


def ok(settings: Settings) -> list[Program]:
    return [
        Program(name="first", argv=("-c", "print('once upon a time')"), stage=0, once=True),
        _web(settings),
        Program(name="forks", argv=(*ME, "do-fork")),
    ]


TABLES: dict[str, Callable[[Settings], list[Program]]] = {
    "ok": ok,
    "crashing": lambda settings: [
        _web(settings),
        Program(name="crashes", argv=("-c", "raise SystemExit(7)")),
    ],
    "refusing": lambda settings: [
        Program(name="first", argv=("-c", "raise SystemExit(4)"), stage=0, once=True),
        _web(settings),
    ],
    "demo": lambda settings: [
        *ok(settings),
        Program(name="events", argv=(*ME, "make-events"), stage=0, once=True),
        Program(
            name="accounts",
            argv=("-c", "print('support mia')"),
            stage=3,
            once=True,
            fresh=True,
            keep=ACCOUNTS,
        ),
        Program(name="demo", argv=("-c", "raise SystemExit(4)"), stage=3, once=True, fresh=True),
    ],
    "stubborn": lambda settings: [Program(name="stubborn", argv=(*ME, "do-not-stop"), grace=0.3)],
}
PARTS = {"make-events": events, "do-fork": forks, "do-not-stop": stubborn, "attach": attached}

if __name__ == "__main__":
    name = sys.argv[1]
    if name in PARTS:
        PARTS[name]()
    else:
        sys.exit(main(TABLES[name]))
