"""A render in a child process with a limit on memory and wall time, so that a bad document costs
one child and never the worker. Works by fork: call it from the thread that lives longest."""

from __future__ import annotations

import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from config import House
from jobs.deathsig import die_with_parent
from jobs.documents.content import Content, RenderRefused, check

# One page takes 0.15 s, the longest document allowed 6 s; the rest is for a busy machine.
SECONDS = 20
# What a render may add to the address space it is born with. The longest document adds 175 MB;
# with the 100 MB a worker holds already, no render ever holds 512 MB.
MEMORY_BYTES = 384 << 20
PDF_BYTES_MAX = 32 << 20  # 500 lines make 0.3 MB. Without an end a child could fill the worker.

_PDF, _REFUSED, _FAILED = b"P", b"R", b"F"
# Verdict and length come first: half an answer of a killed child must not pass for a document.
_HEAD = struct.Struct(">cQ")


class RenderFailed(Exception):
    """The renderer broke or ran into a limit. The reason carries no content of the document."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def render_limited(
    kind: str,
    content: Content,
    house: House,
    seconds: float = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> bytes:
    """The PDF, or RenderRefused (never will be), or RenderFailed (worth a second try)."""
    # Here, so that WeasyPrint is loaded only where documents are rendered.
    from jobs.documents.render import render

    check(content)
    return limited(lambda: render(kind, content, house), seconds, memory_bytes)


def limited(work: Callable[[], bytes], seconds: float, memory_bytes: int) -> bytes:
    """What `work` returns, done by a forked child that dies at either limit, or with us."""
    parent = os.getpid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_the_child(work, writing, memory_bytes, parent)
    os.close(writing)
    try:
        answer = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        # Either it is done and about to exit, or it must not go on.
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if answer is None:
        raise RenderFailed(f"took longer than {seconds:g} s")
    return _outcome(answer, status)


def _outcome(answer: bytes, status: int) -> bytes:
    head, rest = answer[: _HEAD.size], answer[_HEAD.size :]
    verdict, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0)
    if verdict and len(rest) == length:
        if verdict == _PDF:
            return rest
        if verdict == _REFUSED:
            raise RenderRefused(rest.decode())
        raise RenderFailed(rest.decode())
    died = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "an exit"
    raise RenderFailed(f"the renderer ended without a document ({died})")


def _read(reading: int, deadline: float) -> bytes | None:
    """All the child says until it closes the pipe; None when the time is over."""
    parts: list[bytes] = []
    while sum(map(len, parts)) <= PDF_BYTES_MAX:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        part = os.read(reading, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return _framed(_FAILED, f"the document is larger than {PDF_BYTES_MAX >> 20} MB".encode())


def _be_the_child(
    work: Callable[[], bytes], writing: int, memory_bytes: int, parent: int
) -> NoReturn:
    """Never returns and runs no clean-up of the parent's (os._exit)."""
    code = 1
    try:
        die_with_parent(parent)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _limit_memory(memory_bytes)
        _write_all(writing, _answer(work, memory_bytes))
        code = 0
    finally:
        os._exit(code)


def _limit_memory(memory_bytes: int) -> None:
    if not sys.platform.startswith("linux"):
        return  # macOS counts the shared cache as address space and refuses any useful limit.
    with open("/proc/self/statm", encoding="ascii") as statm:
        born_with = int(statm.read().split()[0]) * resource.getpagesize()
    limit = born_with + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _framed(verdict: bytes, rest: bytes) -> bytes:
    return _HEAD.pack(verdict, len(rest)) + rest


def _answer(work: Callable[[], bytes], memory_bytes: int) -> bytes:
    """Whatever goes wrong becomes a reason; the parent raises it as RenderFailed."""
    try:
        return _framed(_PDF, work())
    except RenderRefused as refused:
        return _framed(_REFUSED, str(refused).encode())
    except MemoryError:
        return _framed(_FAILED, f"needed more than {memory_bytes >> 20} MB".encode())
    except RecursionError:
        return _framed(_FAILED, b"is nested too deeply")
    except Exception as error:  # noqa: BLE001  # the boundary: the type crosses, the text may not
        return _framed(_FAILED, f"the renderer raised {type(error).__name__}".encode())


def _write_all(writing: int, answer: bytes) -> None:
    view = memoryview(answer)
    while view:
        view = view[os.write(writing, view) :]
