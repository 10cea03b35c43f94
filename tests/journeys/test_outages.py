"""PostgreSQL is killed again and again while money is on its way."""

import threading
import time
from datetime import date
from pathlib import Path

import psycopg
import psycopg_pool

from config import Settings
from domain.kernel.time import berlin
from domain.payments.events import Reason
from domain.payments.refund import Status
from jobs.embedded import Postgres, ServerFailed
from jobs.migrate import migrate
from tests.journeys.acts import request
from tests.journeys.people import insure
from tests.journeys.proofs import prove
from tests.journeys.town import FIRST_REFUND_ON, START
from tests.journeys.world import World, running_world
from tests.servers import Servers, free_ports

AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout)
KILLS_AFTER_S = (0.02, 0.1, 0.3)
"""At the intent, around the call, and while the correction is made."""


def test_postgresql_is_killed_in_the_middle(
    own_postgres: Postgres, servers: Servers, tmp_path: Path
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
        asked = [request(insured, 10_00, Reason.PREMIUM_REDUCTION) for _ in KILLS_AFTER_S]
        died = 0
        for command, after_s in zip(asked, KILLS_AFTER_S, strict=True):
            world.send(command)
            died += _killed_meanwhile(world, own_postgres, after_s)
            world.rows("UPDATE effect SET lease_until = now() WHERE status = 'leased' RETURNING 1")
            world.settle()
        assert died, "no kill came while something was going on"
        world.until(berlin(date(2027, 1, 13), 12))
        for command in asked:
            assert world.state(command.refund_id).status is Status.CONFIRMED
        prove(world)


def _killed_meanwhile(world: World, postgres: Postgres, after_s: float) -> bool:
    """Whether the kill came before everything was at rest; PostgreSQL runs again afterwards."""
    killer = threading.Timer(after_s, _kill_and_start, [postgres])
    killer.start()
    try:
        world.settle()
        died = False
    except AWAY:
        died = True
    killer.join()
    return died


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
