"""Migrations: from nothing to the newest schema once, stamped with a mode, compared with the models
and with schema.sql."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine

from config import ROOT, Settings
from domain.stream.database import Connection, ServerTooOld, connect, refuse_old_server
from domain.stream.installation import InstallationRefused
from jobs import schema
from jobs.migrate import migrate, newest_revision
from tests.servers import Servers, administer, environment, sandbox_settings
from tests.stream.test_effects import at_once
from webapp.models import db

_numbers = count(1)


@pytest.fixture
def empty(servers: Servers, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a sandbox whose database holds nothing."""
    name = f"empty_{next(_numbers)}"
    administer(servers, sql.SQL("create database {}").format(sql.Identifier(name)))
    yield sandbox_settings(servers, servers.database(name), tmp_path)
    administer(servers, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_many_processes_may_migrate_at_once(empty: Settings) -> None:
    at_once(4, lambda _: migrate(empty))
    with connect(empty.database_url, empty.kek) as connection:
        row = connection.execute("SELECT version_num, mode FROM alembic_version, installation")
        assert row.fetchall() == [(newest_revision(), "sandbox")]


def test_when_there_is_nothing_to_do_alembic_is_not_even_imported(settings: Settings) -> None:
    code = (
        "import sys; from jobs.migrate import main; assert main() == 0;"
        "sys.exit('alembic' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(settings), cwd=ROOT)
    assert done.returncode == 0


def test_the_refusal_is_one_sentence_for_the_supervisor(
    settings: Settings, connection: Connection
) -> None:
    connection.execute("UPDATE installation SET mode = 'production', clock = NULL")
    done = subprocess.run(
        [sys.executable, "-m", "jobs.migrate"],
        env=environment(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("production database in sandbox mode")
    assert "Traceback" not in done.stderr


def test_a_sandbox_database_in_production_mode_is_refused(settings: Settings) -> None:
    with pytest.raises(InstallationRefused, match="sandbox database in production mode"):
        migrate(replace(settings, mode="production"))


def test_a_production_database_in_sandbox_mode_is_refused(empty: Settings) -> None:
    migrate(replace(empty, mode="production"))
    with pytest.raises(InstallationRefused, match="production database in sandbox mode"):
        migrate(empty)


def test_a_database_of_a_newer_program_is_refused(
    settings: Settings, connection: Connection
) -> None:
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(InstallationRefused, match="revision 9999"):
        migrate(settings)


def test_an_older_postgresql_is_refused_with_a_sentence() -> None:
    with pytest.raises(ServerTooOld, match="points to PostgreSQL 15; Kontor needs PostgreSQL 16"):
        refuse_old_server(150018)
    refuse_old_server(160000)


def test_the_models_are_what_the_migrations_make(settings: Settings) -> None:
    ours = set(db.metadata.tables)
    engine = create_engine(settings.sqlalchemy_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": False,
                "include_name": lambda name, kind, _parents: kind != "table" or name in ours,
            },
        )
        assert compare_metadata(context, db.metadata) == []
    engine.dispose()


def test_schema_sql_is_what_the_migrations_make(settings: Settings) -> None:
    assert schema.FILE.read_text() == schema.of_database(settings.database_url), (
        "write it anew: python -m jobs.schema"
    )
