"""Writes domain/stream/schema.sql from a freshly migrated database: `python -m jobs.schema`. The
file is for readers; the migrations make the tables, and a test compares the two."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config import ROOT, Settings
from jobs import places
from jobs.embedded import Postgres
from jobs.guard import Guard
from jobs.migrate import migrate

FILE = ROOT / "domain" / "stream" / "schema.sql"
# Not the stream's: Alembic's own, the web app's, and read models, which rebuild themselves.
ACCESS = ("half_login", "recovery_code", "reset_link", "staff_change")
VIEWS = ("saved_view", "default_view")
WEB = ("staff", "staff_session", "login_throttle", "audit", "hook_refusal", *ACCESS, *VIEWS)
OTHERS = ("alembic_version", *WEB, "advance", "export*", "rm_*")
HEAD = "-- Generated from the migrations by `python -m jobs.schema`. Nothing runs it.\n"
# What a dump says about its session and its time rather than about the tables.
_NOISE = re.compile(r"^(--|SET |SELECT pg_catalog\.set_config|\\).*\n", re.MULTILINE)


def of_database(url: str) -> str:
    """The stream's tables as pg_dump sees them, without what differs from run to run."""
    program = places.pginstall(places.unprivileged_user()) / "bin" / "pg_dump"
    args = [str(program), "--schema-only", "--no-owner", "--no-privileges", f"--dbname={url}"]
    args += [f"--exclude-table={table}" for table in OTHERS]
    dump = subprocess.run(args, check=True, capture_output=True, text=True).stdout
    return HEAD + re.sub(r"\n{2,}", "\n\n", _NOISE.sub("", dump)).strip().join(("\n", "\n"))


@contextmanager
def fresh_database() -> Iterator[str]:
    """A migrated database in a cluster of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kontor-fresh-"))
    folder.chmod(0o711)
    guard = Guard()
    postgres = Postgres(folder=folder / "postgres", sockets=folder / "s", guard=guard)
    try:
        postgres.start()
        settings = Settings.from_env({"KONTOR_VAR": str(folder / "var")})
        migrate(replace(settings, database_url=postgres.url))
        yield postgres.url
    finally:
        postgres.stop()
        guard.close()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    with fresh_database() as url:
        FILE.write_text(of_database(url))
    print(f"wrote {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
