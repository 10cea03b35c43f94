"""Whether this Kontor can work: PostgreSQL takes writes, the migrations are those of this code, the
read models exist. Valkey away only makes it slower. It answers reasons, never addresses or keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from domain.dispatch import InstallationRefused
from domain.operating import bells
from domain.readmodels.registry import READMODELS
from webapp.access import security
from webapp.kontor import kontor
from webapp.models import db
from webapp.observing import build

OK: Final = "ok"
AWAY: Final = "away: slower, nothing is lost"
STATEMENT_MS: Final = 2_000
"""A database that takes longer for one row is not ready."""
# What PostgreSQL's own words for a state mean here.
_STATES: Final = {
    "42P01": "not migrated",
    "3F000": "not migrated",
    "25006": "read-only",
    "53100": "its disk is full",
    "57014": "too slow",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """`checks`: what was looked at and "ok", or why not."""

    checks: dict[str, str]

    @property
    def ready(self) -> bool:
        return all(said == OK for name, said in self.checks.items() if name != "redis")

    @property
    def word(self) -> str:
        if not self.ready:
            return "not ready"
        return "ready" if self.checks["redis"] == OK else "degraded"


def readiness() -> Readiness:
    checks = database() | _ours()
    away = bells.rings(security.settings().redis_url) is None
    return Readiness(checks | {"redis": AWAY if away else OK})


def database() -> dict[str, str]:
    """A write that is taken back, and what the tables say about themselves."""
    try:
        db.session.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_MS}"))
        found = db.session.execute(
            text(
                "SELECT (SELECT version_num FROM alembic_version),"
                " coalesce((SELECT jsonb_object_agg(name, version) FROM consumer), '{}')"
            )
        ).one()
        db.session.execute(
            text(
                "INSERT INTO heartbeat (name, at) VALUES ('readyz', clock_timestamp())"
                " ON CONFLICT (name) DO UPDATE SET at = excluded.at"
            )
        )
    except SQLAlchemyError as error:
        return {"database": _why(error)}
    finally:
        db.session.rollback()
    return {"database": OK, "migration": _migration(found[0]), "read_models": _models(found[1])}


def _ours() -> dict[str, str]:
    """Told only when it is wrong: a database of another mode, or of another key."""
    try:
        kontor().database.proved()
    except InstallationRefused as refused:
        return {"installation": str(refused)}
    return {}


def _why(error: SQLAlchemyError) -> str:
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if state is None or state.startswith("08"):
        return "does not answer"
    return _STATES.get(state, f"refuses to write ({state})")


def _migration(stands_at: str) -> str:
    head = build.migration_head()
    return OK if stands_at == head else f"stands at {stands_at}, this code needs {head}"


def _models(versions: dict[str, int]) -> str:
    missing = [model.name for model in READMODELS if versions.get(model.name) != model.version]
    return f"the follower has not built: {', '.join(missing)}" if missing else OK
