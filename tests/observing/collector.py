"""Traces of the test's own process, sent to a collector on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.collector import Collected, receiving
from domain.observing import traces

__all__ = ["Collected", "collecting"]


@contextmanager
def collecting(process: str = "test") -> Iterator[Collected]:
    """Traces are on in this process until the end of the block."""
    with receiving() as collected:
        undo = traces.use(None)
        traces.set_up(process, collected.url)
        try:
            yield collected
        finally:
            traces.flush()
            undo()
