"""One app and one database for the many tests that look at pages: emptied before each of them, as
a new one would be, for a tenth of the price. No test lives here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from flask import Flask
from psycopg import sql
from psycopg.rows import TupleRow

from config import Settings
from tests.servers import Servers, administer, sandbox_settings
from webapp import create_app
from webapp.cli import add_demo_staff
from webapp.models import db

NAME = "kontor_stand"
KEPT = "stand"
"""A schema with a copy of every row that an untouched database has."""
OPTIONS = "-c lock_timeout=10000 -c default_transaction_read_only=off"
_TABLES = """
SELECT n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)'
 ORDER BY (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = c.oid), 1, 2
"""
_SHAPE = """
SELECT md5(string_agg(concat(c.oid, c.xmin), ' ' ORDER BY c.oid)),
       (SELECT array_agg(setconfig) FROM pg_db_role_setting
          JOIN pg_database d ON d.oid = setdatabase
         WHERE datname = current_database())
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^(pg_|information_schema)'
"""
"""Another value after any change of the schema or of the database's settings."""
_COLUMNS = """
SELECT attname FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
 ORDER BY attnum
"""
_SEQUENCES = "SELECT schemaname, sequencename, start_value, last_value FROM pg_sequences"
_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
Table = tuple[str, str]
Session = psycopg.Connection[TupleRow]


@dataclass(kw_only=True)
class Stand:
    app: Flask
    settings: Settings
    servers: Servers
    name: sql.Identifier
    template: sql.Identifier
    shape: TupleRow | None = None
    restore: sql.Composed | None = None

    def build(self) -> None:
        """A new copy of the template with the demo staff: what every test begins with."""
        copy = sql.SQL("create database {} template {} strategy file_copy")
        administer(self.servers, copy.format(self.name, self.template))
        with self.app.app_context():
            add_demo_staff()
        with self._session() as session:
            tables = [(row[0], row[1]) for row in session.execute(_TABLES)]
            session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(KEPT)))
            # Those that nobody refers to come first.
            acts = [sql.SQL("DELETE FROM {}").format(sql.Identifier(*one)) for one in tables]
            acts += [act for one in tables for act in _kept(session, one)]
            acts += _sequences(session)
            self.restore = sql.SQL(";\n").join(acts)
            self.shape = session.execute(_SHAPE).fetchone()

    def empty(self) -> None:
        """Nobody is connected, and no row is left of the test before. One that changed the schema
        costs the next one a new database."""
        self.disconnect()
        with self._session() as session:
            same = session.execute(_SHAPE).fetchone() == self.shape
            if same:
                session.execute(_OTHERS)
                session.execute(self.restore or "")
        if not same:
            self.drop()
            self.build()

    def disconnect(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self.app.extensions["kontor"].database.close()

    def drop(self) -> None:
        administer(self.servers, sql.SQL("drop database {} with (force)").format(self.name))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Its commands are done together or not at all."""
        with psycopg.connect(self.settings.database_url, options=OPTIONS) as session:
            yield session


def _kept(session: Session, table: Table) -> list[sql.Composed]:
    source, copy = sql.Identifier(*table), sql.Identifier(KEPT, ".".join(table))
    if not session.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(source)).fetchone():
        return []
    session.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(copy, source))
    names = session.execute(_COLUMNS, (source.as_string(),)).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in names)
    back = sql.SQL("INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {}")
    return [back.format(source, copy, columns=columns)]


def _sequences(session: Session) -> list[sql.Composed]:
    back = sql.SQL("SELECT setval({}, {}, {})")
    return [
        back.format(sql.Identifier(schema, name).as_string(), last or start, last is not None)
        for schema, name, start, last in session.execute(_SEQUENCES)
    ]


@contextmanager
def open_stand(servers: Servers, template: str, folder: Path) -> Iterator[Stand]:
    settings = sandbox_settings(servers, servers.database(NAME), folder)
    app = create_app(settings)
    app.config["TESTING"] = True
    name, source = sql.Identifier(NAME), sql.Identifier(template)
    stand = Stand(app=app, settings=settings, servers=servers, name=name, template=source)
    stand.build()
    try:
        yield stand
    finally:
        stand.disconnect()
        stand.drop()
