"""Rows of several threads in one statement: everybody is answered after the commit, one bad row
keeps nobody else out, and when the database is away all are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import psycopg
import pytest

from domain.stream.together import AT_ONCE, Together
from tests.stream.test_effects import at_once

THREADS = 40


class Store:
    """Takes a moment, like a commit; remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.error: Exception | None = None

    def write(self, items: Sequence[int]) -> list[str]:
        self.batches.append(list(items))
        time.sleep(0.005)
        if self.error is not None:
            raise self.error
        if -1 in items:
            raise ValueError("no such row")
        return [f"row {item}" for item in items]


def test_everybody_gets_their_own_answer_and_few_statements_are_needed() -> None:
    store = Store()
    line = Together(store.write)
    answers = at_once(THREADS, lambda n: (n, [line.add(n * 10 + k) for k in range(5)]))
    for n, told in answers:
        assert told == [f"row {n * 10 + k}" for k in range(5)]
    written = [item for batch in store.batches for item in batch]
    assert sorted(written) == sorted(n * 10 + k for n in range(THREADS) for k in range(5))
    assert len(store.batches) < len(written) / 2
    assert max(map(len, store.batches)) <= AT_ONCE


def test_nobody_is_answered_before_the_commit() -> None:
    committed, early = threading.Event(), list[int]()

    def write(items: Sequence[int]) -> list[int]:
        time.sleep(0.02)
        committed.set()
        return list(items)

    line = Together(write)

    def add(n: int) -> None:
        line.add(n)
        if not committed.is_set():
            early.append(n)

    at_once(10, add)
    assert early == []


def test_a_bad_row_keeps_nobody_else_out() -> None:
    store = Store()
    line = Together(store.write)

    def add(n: int) -> str | None:
        try:
            return line.add(-1 if n == 7 else n)
        except ValueError as error:
            return str(error)

    others = [f"row {n}" for n in range(20) if n != 7]
    assert sorted(map(str, at_once(20, add))) == sorted(["no such row", *others])


def test_a_database_that_is_away_is_not_asked_again_for_each_row() -> None:
    store = Store()
    store.error = psycopg.OperationalError("away")
    line = Together(store.write)

    def add(n: int) -> bool:
        with pytest.raises(psycopg.OperationalError):
            line.add(n)
        return True

    assert all(at_once(20, add))
    assert sum(map(len, store.batches)) == 20
    store.error = None
    assert line.add(3) == "row 3"
