"""Connections to the test's own database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.stream.database import Connection, connect
from tests.stream.things import KEK


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, KEK) as opened:
        yield opened


@pytest.fixture
def other(database_url: str) -> Iterator[Connection]:
    """A second session on the same database."""
    with connect(database_url, KEK) as opened:
        yield opened
