"""`./run backup FOLDER` and `./run restore FOLDER`: data and personal keys as two files of one
snapshot. The key-encryption key is in neither: it is kept, and backed up, elsewhere."""

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

from config import Settings
from domain.deciding import CODEC
from domain.readmodels.model import LIVE, REBUILD_BATCH
from domain.readmodels.registry import READMODELS
from domain.stream import effects, keys, observed, sequencer, subscription
from domain.stream.database import Connection, connect, libpq_url
from jobs.effects import MONEY
from jobs.instance import with_servers
from jobs.places import pginstall, unprivileged_user

DATA, KEYS = "data.dump", "keys.dump"
KEY_TABLE = "public.subject_key"


class RestoreRefused(Exception):
    """The database to restore into is not empty, or the folder holds no backup."""


def backup(settings: Settings, folder: Path) -> None:
    """Both files show the same moment. Read models are left out: they are rebuilt."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with connect(settings.database_url, settings.kek) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        snapshot = f"--snapshot={row[0] if row else ''}"
        _dump(
            settings,
            folder / DATA,
            snapshot,
            f"--exclude-schema={LIVE}",
            f"--exclude-table-data={KEY_TABLE}",
            # Files of a day, with names in them, that anybody may ask for again.
            "--exclude-table-data=public.export*",
        )
        _dump(settings, folder / KEYS, snapshot, "--data-only", f"--table={KEY_TABLE}")
    size = sum((folder / name).stat().st_size for name in (DATA, KEYS))
    with connect(settings.database_url, settings.kek) as connection:
        observed.observe(connection, observed.BACKUP, {"bytes": size})


def restore(settings: Settings, folder: Path) -> None:
    """Into an empty database. What was waiting for a provider may have been sent since the backup
    was made, so it is asked about first. Raises RestoreRefused."""
    for name in (DATA, KEYS):
        if not (folder / name).exists():
            raise RestoreRefused(f"{folder} holds no {name}")
    with connect(settings.database_url, settings.kek) as connection:
        if connection.execute("SELECT to_regclass('public.event')").fetchone() != (None,):
            raise RestoreRefused("the database is not empty; nothing was restored")
    for name in (DATA, KEYS):
        _pg(settings, "pg_restore", "--no-owner", "--exit-on-error", str(folder / name))
    with connect(settings.database_url, settings.kek) as connection:
        try:
            keys.prove(connection)
        except keys.CannotOpen as error:
            raise RestoreRefused(
                "the data is there, but KONTOR_KEK does not open its keys. Empty the database,"
                " set the key-encryption key of the backup and restore again"
            ) from error
        distrust(connection)


def distrust(connection: Connection) -> None:
    """Provider effects become unknown; the screens are built again from the first event."""
    effects.doubt(connection, MONEY)
    names = [model.name for model in READMODELS]
    connection.execute("DELETE FROM consumer WHERE name = ANY(%s)", (names,))
    connection.execute("DELETE FROM parked WHERE consumer = ANY(%s)", (names,))
    while sequencer.tick(connection):
        pass
    for model in READMODELS:
        subscription.prepare(connection, model, model.create_tables)
        while subscription.advance(connection, CODEC, model, REBUILD_BATCH):
            pass


def _dump(settings: Settings, file: Path, *options: str) -> None:
    _pg(settings, "pg_dump", "--format=custom", "--no-owner", f"--file={file}", *options)
    file.chmod(0o600)


def _pg(settings: Settings, program: str, *options: str) -> None:
    """PostgreSQL's own tools, from the embedded server's folder."""
    command = [str(pginstall(unprivileged_user()) / "bin" / program)]
    url = libpq_url(settings.database_url)
    subprocess.run([*command, f"--dbname={url}", *options], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run", description=__doc__)
    parser.add_argument("act", choices=("backup", "restore"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--test", action="store_true", help="restore it elsewhere and check it")
    chosen = parser.parse_args()
    with with_servers(migrated=chosen.act == "backup"):
        try:
            act = backup if chosen.act == "backup" else restore
            act(Settings.from_env(), chosen.folder.resolve())
            if chosen.test and chosen.act == "backup":
                # Not above: it asks the checks, and those the supervisor.
                rehearse = importlib.import_module("jobs.rehearsal").rehearse
                if broken := rehearse(Settings.from_env(), chosen.folder.resolve()):
                    print("\n".join(["the restored copy is broken:", *broken]), file=sys.stderr)
                    return 1
        except (RestoreRefused, subprocess.CalledProcessError) as error:
            print(f"{chosen.act}: {error}", file=sys.stderr)
            return 1
    print(f"{chosen.act}: done ({chosen.folder}); the key-encryption key is not part of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
