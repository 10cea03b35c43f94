"""`python -m tests.jobs.documents.bombs <name>`: renders one hostile document within the limits and
prints what happened. A process of its own, because the peak of memory is counted per process."""

from __future__ import annotations

import resource
import sys
import time

import msgspec

from jobs.documents.limits import MEMORY_BYTES, RenderFailed, limited
from jobs.documents.render import preload, to_pdf

BOMBS = {
    "colspan": "<table><tr><td colspan=1000000>x</table>",
    "rows": "<table>" + "<tr><td>x" * 20_000 + "</table>",
    "nested": "<div>" * 3_000 + "x",
    "page size": "<style>@page{size:1e8cm}</style>x",
    "words": "<p>" + "x " * 3_000_000,
}
SECONDS = 2


class Met(msgspec.Struct, frozen=True):
    """How it ended, how long it took, and the most memory a render held."""

    outcome: str
    seconds: float
    peak_mb: float


def meet(bomb: str) -> Met:
    preload()
    started = time.monotonic()
    try:
        outcome = f"{len(limited(lambda: to_pdf(bomb), SECONDS, MEMORY_BYTES))} bytes"
    except RenderFailed as failed:
        outcome = failed.reason
    seconds = time.monotonic() - started
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Met(outcome, seconds, peak_mb)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(meet(BOMBS[sys.argv[1]])))
