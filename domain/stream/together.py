"""Group commit: what several threads want to write at the same moment goes into one statement. Each
of them goes on only when its own row is committed, or with the error that kept it out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 64
"""More rows than threads ever wait in one process; a statement stays short."""
AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""The database itself, not a row, is what is wrong: nobody is tried again alone."""


class _Place(Generic[T, R]):
    """Somebody in line. `turn` is released when there is a result, or when it is theirs to write
    for the others."""

    __slots__ = ("done", "error", "item", "result", "turn")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.result: R | None = None
        self.error: BaseException | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Together(Generic[T, R]):
    """`write` stores all of them or none, and answers in their order."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._line: list[_Place[T, R]] = []
        self._writing = False

    def add(self, item: T) -> R | None:
        """Returns after the commit. Raises what `write` raised for this item."""
        mine: _Place[T, R] = _Place(item)
        with self._lock:
            self._line.append(mine)
            first = not self._writing
            self._writing = True
        if not first:
            mine.turn.acquire()
        if not mine.done:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _lead(self) -> None:
        """Writes who is in line, and hands over to who came meanwhile."""
        with self._lock:
            batch, self._line = self._line[:AT_ONCE], self._line[AT_ONCE:]
        try:
            self._store(batch)
        finally:
            with self._lock:
                following = self._line[0] if self._line else None
                self._writing = following is not None
            if following is not None:
                following.turn.release()
            for place in batch[1:]:  # the first one is us
                place.turn.release()

    def _store(self, batch: Sequence[_Place[T, R]]) -> None:
        try:
            results = self._write([place.item for place in batch])
        except Exception as error:  # noqa: BLE001  # each of them is told, below or by being alone
            if len(batch) > 1 and not isinstance(error, AWAY):
                for place in batch:
                    self._store([place])
                return
            for place in batch:
                place.error, place.done = error, True
            return
        for place, result in zip(batch, results, strict=True):
            place.result, place.done = result, True
