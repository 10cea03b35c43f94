"""What a worker under test is rung for, instead of effects. Every job leaves a line in a file."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from config import HAFENLICHT
from jobs.documents.limits import MEMORY_BYTES, RenderFailed, limited, render_limited
from jobs.documents.render import to_pdf
from tests.jobs.documents.samples import invoice


def note(file: str, word: str) -> None:
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(f"{word}\n")


def heard(file: str) -> None:
    note(file, "heard")


def render(file: str) -> None:
    loaded = "weasyprint" in sys.modules
    pdf = render_limited("invoice", invoice(), HAFENLICHT)
    note(file, f"{pdf[:4].decode()} preloaded={loaded}")


def bomb(file: str) -> None:
    try:
        limited(lambda: to_pdf("<table><td colspan=1000000>x</table>"), 1, MEMORY_BYTES)
    except RenderFailed as failed:
        note(file, failed.reason)


def killed(file: str) -> None:
    note(file, "killed")
    os.kill(os.getpid(), 9)


def hang(file: str) -> None:
    """Tells the pids of the horse and of its renderer, then stays."""

    def stay() -> bytes:
        note(file, f"{os.getppid()} {os.getpid()}")
        time.sleep(60)
        return b""

    limited(stay, 60, MEMORY_BYTES)
