"""The servers a test session shares, and the Settings and environment that point at them."""

from __future__ import annotations

import os
import random
import socket
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from config import SIMULATOR_CONTROL, Settings
from jobs.embedded import Postgres, Valkey

PORTS = (20_000, 32_000)
"""Below the ports that Linux gives to outgoing connections: those would take ours meanwhile."""


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
    """The first of so many neighbouring ports that nobody uses. Below the range from which the
    system takes the near ends of connections: those come and go, and would be in the way."""
    for first in random.sample(range(10_000, 32_000), 100):
        if all(_free(first + n) for n in range(count)):
            return first
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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
