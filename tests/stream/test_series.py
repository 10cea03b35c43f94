"""Number series: gap-free with many issuers, conflicts and rollbacks."""

from __future__ import annotations

from random import Random

import pytest

from domain.stream.database import Connection, connect
from domain.stream.series import take
from tests.stream.test_effects import at_once
from tests.stream.things import KEK

ISSUERS, EACH = 16, 12


class Changed(Exception):
    """The issuer thinks better of it."""


def test_sixteen_issuers_leave_no_gap(connection: Connection, database_url: str) -> None:
    def issue(n: int) -> list[int]:
        issued, random = list[int](), Random(n)
        with connect(database_url, KEK) as own:
            while len(issued) < EACH:
                try:
                    with own.transaction():
                        number = take(own, "B2C-2026")
                        if random.random() < 0.4:
                            raise Changed
                    issued.append(number)
                except Changed:
                    continue
        return issued

    numbers = sorted(number for issued in at_once(ISSUERS, issue) for number in issued)
    assert numbers == list(range(1, ISSUERS * EACH + 1))


def test_series_count_apart(connection: Connection) -> None:
    with connection.transaction():
        assert [take(connection, s) for s in ("B2C-2026", "KOR-2026", "B2C-2026")] == [1, 1, 2]


def test_a_number_alone_would_leave_a_gap(connection: Connection) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        take(connection, "B2C-2026")
