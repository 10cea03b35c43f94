"""Runs migrations for `python -m jobs.migrate`, which names the database, and for `flask db`,
which takes it from the environment and compares with the models."""

from alembic import context
from sqlalchemy import create_engine, pool

url = context.config.attributes.get("url")
metadata = None
if url is None:
    from config import Settings
    from webapp.models import db

    url, metadata = Settings.from_env().sqlalchemy_url, db.metadata

if context.is_offline_mode():
    raise SystemExit("Migrations run against a database; there is no SQL script mode.")

engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    # All or nothing: a failed migration leaves the database as it was.
    with context.begin_transaction():
        context.run_migrations()
