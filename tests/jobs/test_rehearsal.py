"""The rehearsal of a restore says whether a backup is worth something, and when it was tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config import Settings
from domain.dispatch import Dispatcher
from domain.stream.database import Database
from jobs.backup import backup
from jobs.rehearsal import rehearse
from tests.readmodels.kit import Following, Story


@pytest.fixture
def kontor(settings: Settings) -> Iterator[Dispatcher]:
    database = Database(settings.database_url, settings.kek)
    yield Dispatcher(database)
    database.close()


def observed(kontor: Dispatcher) -> dict[str, int]:
    with kontor.read() as connection:
        rows = connection.execute("SELECT kind, value FROM observation").fetchall()
    return {str(kind): int(value) for kind, value in rows}


def test_a_backup_is_restored_elsewhere_and_checked(
    settings: Settings, kontor: Dispatcher, open_folder: Path
) -> None:
    Story(Following(kontor))
    backup(settings, open_folder / "good")
    assert observed(kontor)["backup"] > 1_000
    assert rehearse(settings, open_folder / "good") == []
    assert observed(kontor)["restore-test"] == 0
    with kontor.read() as connection:
        connection.execute("UPDATE number_series SET last = last + 1")
    backup(settings, open_folder / "bad")
    (found,) = rehearse(settings, open_folder / "bad")
    assert found.startswith("25:")
    assert observed(kontor)["restore-test"] == 1
