"""A bomb costs one child, never the process that asked; half an answer is no document."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from config import HAFENLICHT
from jobs.documents import limits
from jobs.documents.content import LINES_MAX, RenderRefused
from jobs.documents.limits import MEMORY_BYTES, SECONDS, RenderFailed, limited, render_limited
from jobs.documents.render import preload, render
from tests.jobs.documents import bombs
from tests.jobs.documents.bombs import BOMBS, Met
from tests.jobs.documents.processes import gone_within
from tests.jobs.documents.samples import GLASS, invoice

RSS_MAX_MB = 512


@pytest.fixture(scope="module", autouse=True)
def _preloaded() -> None:
    preload()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> set[str]:
    """Of this process; other tests may have servers running in it."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_within_the_limits_it_is_the_same_document() -> None:
    before = open_files()
    assert render_limited("invoice", invoice(), HAFENLICHT) == render(
        "invoice", invoice(), HAFENLICHT
    )
    assert open_files() == before


def test_the_longest_document_allowed_fits() -> None:
    longest = invoice(*[GLASS] * LINES_MAX)
    assert render_limited("invoice", longest, HAFENLICHT).startswith(b"%PDF")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_within_the_limits(name: str) -> None:
    """In a process of its own, as small as a worker: this one may hold servers, and had others."""
    ran = subprocess.run(  # our own module
        [sys.executable, "-m", "tests.jobs.documents.bombs", name],
        capture_output=True,
        check=True,
        timeout=60,
    )
    met = msgspec.json.decode(ran.stdout, type=Met)
    assert met.seconds < bombs.SECONDS + 2
    assert met.peak_mb <= RSS_MAX_MB, met
    # Most bombs run into a limit; a huge page is merely a strange document.
    assert ("bytes" in met.outcome) == (name == "page size"), met


def test_no_limit_is_above_what_security_demands() -> None:
    assert SECONDS <= 20
    assert MEMORY_BYTES < RSS_MAX_MB << 20


def _hog() -> bytes:
    return bytes(bytearray(MEMORY_BYTES + (64 << 20)))


def _die() -> bytes:
    os.kill(os.getpid(), signal.SIGUSR1)
    return b""


def _sleep() -> bytes:
    time.sleep(60)
    return b""


def _leave() -> bytes:
    os._exit(3)


def _raise() -> bytes:
    raise ValueError("Nadia Brandt, Größenstraße 7")


def _half() -> bytes:
    """Writes what looks like a document and dies before the end."""
    child = sys._getframe(2)
    assert child.f_code is limits._be_the_child.__code__
    os.write(child.f_locals["writing"], limits._framed(b"P", b"%PDF-1.7 and more to come")[:-4])
    os._exit(0)


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (_hog, "needed more than 384 MB"),
        (_sleep, "took longer than 1 s"),
        (_die, "the renderer ended without a document (SIGUSR1)"),
        (_leave, "the renderer ended without a document (an exit)"),
        (_half, "the renderer ended without a document (an exit)"),
        (_raise, "the renderer raised ValueError"),
        (lambda: b"x" * (limits.PDF_BYTES_MAX + 1), "the document is larger than 32 MB"),
    ],
    ids=["memory", "time", "signal", "exit", "half", "raises", "too large"],
)
def test_a_failure_says_why_and_nothing_else(work: Callable[[], bytes], reason: str) -> None:
    before = open_files(), children()
    with pytest.raises(RenderFailed) as failed:
        limited(work, 1 if work is _sleep else 60, MEMORY_BYTES)
    assert failed.value.reason == reason
    assert (open_files(), children()) == before


def test_what_cannot_be_printed_is_refused_without_a_child() -> None:
    with pytest.raises(RenderRefused):
        render_limited("invoice", invoice(*[GLASS] * 20_000), HAFENLICHT)


def test_a_refusal_inside_the_child_stays_a_refusal() -> None:
    def refuse() -> bytes:
        raise RenderRefused("the totals are not the sums of the lines")

    with pytest.raises(RenderRefused, match="not the sums"):
        limited(refuse, 5, MEMORY_BYTES)


def test_a_render_dies_with_the_process_that_asked() -> None:
    reading, writing = os.pipe()
    asker = os.fork()
    if asker == 0:

        def tell_and_wait() -> bytes:
            os.write(writing, str(os.getpid()).encode())
            time.sleep(60)
            return b""

        try:
            limited(tell_and_wait, 60, MEMORY_BYTES)
        finally:
            os._exit(1)
    renderer = int(os.read(reading, 16))
    os.kill(asker, signal.SIGKILL)
    os.waitpid(asker, 0)
    os.close(reading)
    os.close(writing)
    gone_within(renderer, 2)
