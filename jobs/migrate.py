"""Brings the database to the newest schema and stamps it with its mode: `python -m jobs.migrate`.
Safe to run from every process at every start. It creates no read model; the follower does."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

import psycopg

from config import ROOT, ConfigError, Settings
from domain.kernel.time import berlin
from domain.stream.database import Connection, ServerTooOld, connect
from domain.stream.installation import (
    InstallationRefused,
    prove_key,
    prove_mode,
    stamped_mode,
)

FOLDER = ROOT / "migrations"
SANDBOX_CLOCK = berlin(date(2026, 9, 1), 6)
"""Before the demo's first event, so that its history is made in the order of the Clock."""
_LOCK = 4712


def migrate(settings: Settings) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        if _ready(connection, settings.mode):
            prove_key(connection)
            return
        # The lock ends with the connection. Whoever waited finds the work done.
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        if not _ready(connection, settings.mode):
            _upgrade(settings)
            _stamp(connection, settings.mode)
        prove_key(connection)


def newest_revision(folder: Path = FOLDER) -> str:
    """By file name, because importing Alembic takes longer than everything else here."""
    names = (re.match(r"(\d{4})_\w+\.py$", path.name) for path in (folder / "versions").iterdir())
    return max(found[1] for found in names if found)


def _ready(connection: Connection, mode: str) -> bool:
    """Nothing is left to do. Raises InstallationRefused."""
    revision = _value(connection, "alembic_version", "SELECT version_num FROM alembic_version")
    stamped = stamped_mode(connection)
    if stamped is not None:
        prove_mode(stamped, mode)
    if revision is not None and revision > newest_revision():
        raise InstallationRefused(
            f"The database has revision {revision}, this program knows {newest_revision()}."
            " Nothing was changed. Start the newer program."
        )
    return revision == newest_revision() and stamped is not None


def _value(connection: Connection, table: str, query: str) -> str | None:
    there = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    if there is None or there[0] is None:
        return None
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else str(row[0])


def _upgrade(settings: Settings) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["url"] = settings.sqlalchemy_url
    command.upgrade(config, "head")


def _stamp(connection: Connection, mode: str) -> None:
    clock = SANDBOX_CLOCK if mode == "sandbox" else None
    connection.execute(
        "INSERT INTO installation (mode, clock) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (mode, clock),
    )


def main() -> int:
    try:
        migrate(Settings.from_env())
    except (ConfigError, InstallationRefused, ServerTooOld) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except psycopg.OperationalError as error:
        print(f"PostgreSQL cannot be reached: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
