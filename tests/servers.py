"""The servers a test session shares, and the Settings and environment that point at them."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from config import SIMULATOR_CONTROL, Settings
from jobs.embedded import Postgres, Valkey


@dataclass(kw_only=True)
class Servers:
    """The session's PostgreSQL and Valkey; `database(name)` is the URL of one database."""

    postgres: Postgres
    valkey: Valkey

    def database(self, name: str) -> str:
        return self.postgres.url.replace("@/kontor?", f"@/{name}?")


def environment(settings: Settings) -> dict[str, str]:
    """What a process needs to run with exactly these Settings."""
    return {
        **os.environ,
        "KONTOR_MODE": settings.mode,
        "KONTOR_VAR": str(settings.var),
        "PORT": str(settings.port),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }


def free_ports(count: int = SIMULATOR_CONTROL + 1) -> int:
    """The first of so many neighbouring ports that nobody listens on."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + count < 65535 and all(_free(first + n) for n in range(count)):
            return first
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def sandbox_settings(servers: Servers, database_url: str, folder: Path) -> Settings:
    return Settings.from_env(
        {
            "KONTOR_VAR": str(folder / "var"),
            "PORT": str(free_ports()),
            "DATABASE_URL": database_url,
            "REDIS_URL": servers.valkey.url,
        }
    )


def administer(servers: Servers, statement: sql.Composed) -> None:
    with psycopg.connect(servers.database("postgres"), autocommit=True) as connection:
        connection.execute(statement)
