"""The rehearsal of a restore: a backup goes into a throw-away cluster and every invariant is asked
there. A backup that was never restored is a hope."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config import Settings
from domain.stream import observed
from domain.stream.database import connect
from jobs.backup import restore
from jobs.check.__main__ import run_checks
from jobs.embedded import Postgres
from jobs.guard import Guard


def rehearse(settings: Settings, folder: Path) -> list[str]:
    """What the checks found in the restored copy. Notes in the live database that it was tried."""
    with _empty_database() as url:
        copy = replace(settings, database_url=url)
        restore(copy, folder)
        found = [
            f"{one.invariant}: {one.subject}: {one.what}"
            for _, _, broken, _ in run_checks(copy)
            for one in broken
        ]
    with connect(settings.database_url, settings.kek) as connection:
        observed.observe(connection, observed.RESTORE_TEST, {"violations": len(found)})
    return found


@contextmanager
def _empty_database() -> Iterator[str]:
    """A cluster of its own beside the live one, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kontor-rehearsal-"))
    folder.chmod(0o711)
    guard = Guard()
    postgres = Postgres(folder=folder / "postgres", sockets=folder / "s", guard=guard)
    try:
        postgres.start()
        yield postgres.url
    finally:
        postgres.stop()
        guard.close()
        shutil.rmtree(folder, ignore_errors=True)
