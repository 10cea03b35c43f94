"""A backup restored into a new cluster: the feed goes on gapless, and what had been sent since the
backup is asked about before it is sent again."""

import subprocess
from base64 import b64encode
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from config import Settings
from domain.kernel.time import berlin
from domain.payments.commands import RequestRefund
from domain.payments.events import Reason
from domain.stream import clock, effects
from domain.stream.inbox import TRANSLATE
from domain.stream.installation import InstallationRefused
from jobs.backup import DATA, KEYS, RestoreRefused, backup, restore
from jobs.check.__main__ import run_checks
from jobs.effects import carry_out
from jobs.embedded import Postgres
from jobs.migrate import migrate
from jobs.places import pginstall, unprivileged_user
from tests.journeys.people import insure
from tests.journeys.proofs import prove
from tests.journeys.town import FIRST_REFUND_ON, START
from tests.journeys.world import World, new_id, running_world


def test_a_restored_backup_goes_on_and_pays_nothing_twice(
    settings: Settings, own_postgres: Postgres, tmp_path: Path
) -> None:
    with running_world(settings, START) as world:
        insured = insure(world)
        world.until(berlin(FIRST_REFUND_ON, 9))
        refund = new_id("rf", insured.payment())
        wish = RequestRefund(
            by="staff:mia",
            refund_id=refund,
            payment_id=insured.payment(),
            amount=40_00,
            reason=Reason.GOODWILL,
            note="Wartezeit",
        )
        world.send(wish)
        backup(settings, tmp_path / "backup")
        world.settle()
        assert "refund-accepted" in world.told(refund)

        restored = replace(settings, database_url=own_postgres.url)
        restore(restored, tmp_path / "backup")
        again = World(restored)
        again.polling = True  # Webhooks go to the lost database.
        again.follower.prepare()
        assert "refund-submitted" not in again.told(refund)
        _hears_of_it_before_a_worker_asked(again)
        again.until(berlin(date(2027, 1, 13), 12))
        assert "refund-confirmed" in again.told(refund)
        moved = [one for one in again.book()["movements"] if one["operation_id"] == refund]
        assert [one["amount"] for one in moved] == [-40_00]
        prove(again)
        again.kontor.database.close()


def _hears_of_it_before_a_worker_asked(world: World) -> None:
    """News about an order that the backup does not remember to have sent waits for the worker: it
    is nothing for a person."""
    world.control.set_clock(berlin(date(2027, 1, 13), 11))
    with world.kontor.read() as connection:
        clock.move(connection, berlin(date(2027, 1, 13), 11))
    assert world.poll(world.context) > 0
    with world.kontor.read() as connection:
        hints = effects.due_of(connection, TRANSLATE, clock.now(connection), 100)
    for one in hints:
        assert carry_out(world.context, one.effect_id)
    assert world.rows("SELECT FROM inbox WHERE state = 'quarantined'") == []
    assert world.rows("SELECT FROM inbox WHERE state = 'waiting'") != []


def test_the_keys_lie_apart_and_the_master_key_nowhere(settings: Settings, tmp_path: Path) -> None:
    with running_world(settings) as world:
        insure(world, name="Nadia Unverwechselbar")
    backup(settings, tmp_path)
    data, keys = (tmp_path / DATA).read_bytes(), (tmp_path / KEYS).read_bytes()
    for secret in (settings.kek, settings.kek.hex().encode(), b64encode(settings.kek)):
        assert secret not in data + keys
    listed = subprocess.run(
        [
            str(pginstall(unprivileged_user()) / "bin" / "pg_restore"),
            "-f",
            "-",
            str(tmp_path / DATA),
        ],
        capture_output=True,
        check=True,
    ).stdout
    assert b"Unverwechselbar" not in listed


def test_only_an_empty_database_is_restored_into(settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path)
    with pytest.raises(RestoreRefused, match="not empty"):
        restore(settings, tmp_path)
    with pytest.raises(RestoreRefused, match="holds no"):
        restore(settings, tmp_path / "nowhere")


def test_another_master_key_is_refused_at_restore_and_at_start(
    settings: Settings, own_postgres: Postgres, tmp_path: Path
) -> None:
    with running_world(settings) as world:
        insure(world)
    backup(settings, tmp_path)
    wrong = replace(settings, kek=bytes(32))
    with pytest.raises(InstallationRefused, match="KONTOR_KEK"):
        migrate(wrong)
    with pytest.raises(RestoreRefused, match="KONTOR_KEK"):
        restore(replace(wrong, database_url=own_postgres.url), tmp_path)


def test_every_promise_holds_right_after_a_restore(
    settings: Settings, own_postgres: Postgres, tmp_path: Path
) -> None:
    with running_world(settings) as world:
        insure(world)
        backup(settings, tmp_path)
    restored = replace(settings, database_url=own_postgres.url)
    restore(restored, tmp_path)
    assert [one for _, _, broken, _ in run_checks(restored) for one in broken] == []
