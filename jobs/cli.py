"""`python -m jobs.cli [--empty] MODULE [ARGUMENTS]`: one command of `./run`, with PostgreSQL and
Valkey that answer: the running Kontor's, the ones the environment names, or embedded ones for as
long as the command takes. `--empty` leaves a new database without tables (a restore brings its)."""

from __future__ import annotations

import subprocess
import sys

from config import ROOT, ConfigError
from jobs.embedded import ServerFailed
from jobs.instance import AlreadyRunning, with_servers
from jobs.places import PlaceRefused
from jobs.supervisor import FAILED, REFUSED, RUNNING

_STATUS: dict[type[Exception], int] = {
    ConfigError: REFUSED,
    AlreadyRunning: RUNNING,
    ServerFailed: FAILED,
    PlaceRefused: FAILED,
    subprocess.CalledProcessError: FAILED,  # the migration; it has said why
}


def as_typed(command: list[str]) -> str:
    """What a person calls it: `./run check` for jobs.check."""
    module, *arguments = command
    acts = arguments[:1] if module == "jobs.backup" else [module.removeprefix("jobs.")]
    return " ".join(["./run", *acts])


def main(arguments: list[str]) -> int:
    migrated = arguments[:1] != ["--empty"]
    command = arguments if migrated else arguments[1:]
    try:
        with with_servers(migrated=migrated, command=as_typed(command)):
            return subprocess.run(
                [sys.executable, "-m", *command], cwd=ROOT, check=False
            ).returncode
    except tuple(_STATUS) as reason:
        print(reason, file=sys.stderr)
        return _STATUS[type(reason)]
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
