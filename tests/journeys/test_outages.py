"""PostgreSQL is killed again and again while money is on its way."""

import time
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path

import psycopg
import psycopg_pool
import pytest

from config import Settings
from domain.kernel.time import berlin
from domain.payments.events import Reason
from domain.payments.refund import Status
from domain.stream import failpoints
from jobs.embedded import Postgres, ServerFailed
from jobs.migrate import migrate
from tests.journeys.acts import request
from tests.journeys.people import insure
from tests.journeys.proofs import prove
from tests.journeys.town import FIRST_REFUND_ON, START
from tests.journeys.world import running_world
from tests.servers import Servers, free_ports

AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout)
KILLED_AT = ("number-allocated", "answer-to-commit", "mid-projection")
"""Failpoints serve as places here: it is PostgreSQL that dies there, not we."""


def test_postgresql_is_killed_in_the_middle(
    own_postgres: Postgres, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.from_env(
        {
            "KONTOR_VAR": str(tmp_path / "var"),
            "PORT": str(free_ports()),
            "DATABASE_URL": own_postgres.url,
            "REDIS_URL": servers.valkey.url,
        }
    )
    migrate(settings)
    with running_world(settings, START) as world:
        insured = insure(world, first_due=date(2027, 1, 1))
        world.until(berlin(FIRST_REFUND_ON, 9))
        asked = [request(insured, 10_00, Reason.PREMIUM_REDUCTION) for _ in KILLED_AT]
        for command, place in zip(asked, KILLED_AT, strict=True):
            world.send(command)
            deaths: list[str] = []
            dies = partial(_die_once_at, place, own_postgres, deaths)
            monkeypatch.setattr(failpoints, "reach", dies)
            with suppress(*AWAY):
                world.settle()
            assert deaths == [place]
            world.rows("UPDATE effect SET lease_until = now() WHERE status = 'leased' RETURNING 1")
            world.settle()
        world.until(berlin(date(2027, 1, 13), 12))
        for command in asked:
            assert world.state(command.refund_id).status is Status.CONFIRMED
        prove(world)


def _die_once_at(place: str, postgres: Postgres, deaths: list[str], reached: str) -> None:
    if reached == place and not deaths:
        deaths.append(place)
        _kill_and_start(postgres)


def _kill_and_start(postgres: Postgres) -> None:
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    for _ in range(50):
        try:
            postgres.start()
            return
        except ServerFailed:
            # Backends outlive a killed postmaster for a moment, and keep the next one out.
            time.sleep(0.1)
    postgres.start()
