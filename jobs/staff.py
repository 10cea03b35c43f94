"""`./run staff add|list|disable`: hands over to the web app's own command line, because accounts
and their password rules belong to it. The database has to run already."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def staff(*arguments: str) -> int:
    """Runs one staff command to its end and returns its exit code."""
    return subprocess.run(_command(arguments), cwd=ROOT, check=False).returncode


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "wsgi", "staff", *arguments]


if __name__ == "__main__":
    os.chdir(ROOT)
    command = _command(sys.argv[1:] or ["--help"])
    environment = {**os.environ, "FLASK_SKIP_DOTENV": "1"}
    os.execve(command[0], command, environment)  # noqa: S606 - our own interpreter, no shell
