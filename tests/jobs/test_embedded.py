"""The embedded PostgreSQL and Valkey: who gets in, where they live, and that acknowledged data
survives kill -9."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from jobs import places
from jobs.embedded import POSTGRES_SETTINGS, Postgres, ServerFailed, Valkey
from jobs.guard import Guard

Make = Callable[..., Postgres]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


@pytest.fixture
def folder(open_folder: Path) -> Path:
    return open_folder


@pytest.fixture
def guard() -> Iterator[Guard]:
    one = Guard()
    yield one
    one.close()


@pytest.fixture
def make(folder: Path, guard: Guard) -> Iterator[Make]:
    made: list[Postgres] = []

    def build(var: Path = folder, **settings: str) -> Postgres:
        postgres = Postgres(
            folder=var / "postgres",
            sockets=places.socket_folder(var),
            guard=guard,
            settings={**POSTGRES_SETTINGS, **settings},
        )
        made.append(postgres)
        return postgres

    yield build
    for postgres in made:
        postgres.stop()


@pytest.fixture
def valkey(folder: Path, guard: Guard) -> Iterator[Valkey]:
    one = Valkey(folder=folder / "valkey", sockets=folder / "s", guard=guard)
    one.start()
    yield one
    one.stop()


def test_only_who_has_the_password_gets_in(make: Make) -> None:
    postgres = make()
    postgres.start()
    assert stat.S_IMODE((postgres.folder / "passwords").stat().st_mode) == 0o600
    with psycopg.connect(postgres.url) as connection:
        role = "select rolsuper from pg_roles where rolname = current_user"
        assert connection.execute(role).fetchone() == (False,)
        assert connection.execute("show listen_addresses").fetchone() == ("",)
    for user in ("postgres", "kontor"):
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(
                    host=str(postgres.host), user=user, password=password, dbname="kontor"
                )


@root_only
def test_under_root_postgresql_runs_as_somebody_else(make: Make) -> None:
    postgres = make()
    postgres.start()
    assert postgres.process is not None
    assert psutil.Process(postgres.process.pid).uids().effective != 0
    assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700


@root_only
def test_in_a_private_folder_the_data_lies_where_its_user_can_reach_it(
    make: Make, folder: Path
) -> None:
    var = folder / "private" / "var"
    var.parent.mkdir(mode=0o700)
    clusters = []
    try:
        for _ in range(2):
            var.mkdir()
            postgres = make(var)
            clusters.append(postgres.folder)
            postgres.start()
            with psycopg.connect(postgres.url) as connection:
                connection.execute("create table mine ()")  # fails if an old cluster comes back
            postgres.stop()
            assert make(var).folder == postgres.folder
            shutil.rmtree(var)
        assert clusters[0] != clusters[1]
        assert not clusters[0].is_relative_to(folder)
    finally:
        for cluster in clusters:
            shutil.rmtree(cluster, ignore_errors=True)


def test_what_was_committed_survives_kill_9(make: Make) -> None:
    postgres = make()
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as n")
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    again = make()
    again.start()
    with psycopg.connect(again.url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (1000,)


def test_a_half_made_cluster_is_made_again(make: Make, folder: Path) -> None:
    (folder / "postgres" / "draft-1234" / "base").mkdir(parents=True)
    postgres = make()
    postgres.start()
    assert not list(postgres.folder.glob("draft-*"))


def test_a_lost_password_is_told_and_nothing_is_overwritten(make: Make) -> None:
    postgres = make()
    postgres.start()
    postgres.stop()
    (postgres.folder / "passwords").unlink()
    with pytest.raises(ServerFailed, match="nobody can log in"):
        make().start()
    assert not (postgres.folder / "passwords").exists()


def test_a_server_that_does_not_start_shows_its_last_words(make: Make) -> None:
    with pytest.raises(ServerFailed, match="shared_bufferz"):
        make(shared_bufferz="1").start()


def test_the_log_holds_no_values(make: Make) -> None:
    postgres = make(log_min_duration_statement="0")
    postgres.start()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create table person (name text primary key)")
        for _ in range(2):
            with suppress(psycopg.errors.UniqueViolation):
                connection.execute("insert into person values (%s)", ("Nadia Brandt",))
    log = postgres.log.read_text()
    assert "duplicate key value" in log
    assert "insert into person" in log
    assert "Brandt" not in log


@pytest.mark.parametrize("name", ["a blank, a comma", "Zürich", "long" * 30])
def test_odd_and_long_paths_work(make: Make, folder: Path, name: str) -> None:
    postgres = make(folder / name)
    assert not postgres.sockets.is_relative_to(folder)
    postgres.start()
    psycopg.connect(postgres.url).close()
    postgres.stop()
    assert not postgres.sockets.exists()


def test_a_socket_folder_of_somebody_else_is_refused(make: Make, folder: Path) -> None:
    postgres = make(folder / "a b")
    mine = folder / "mine"
    mine.mkdir()
    postgres.sockets.symlink_to(mine)
    try:
        with pytest.raises(places.PlaceRefused):
            postgres.start()
    finally:
        postgres.sockets.unlink()


def test_valkey_listens_on_a_private_socket_only(valkey: Valkey) -> None:
    assert stat.S_IMODE(valkey.socket.stat().st_mode) == 0o600
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        settings = client.config_get("port", "maxmemory-policy", "appendfsync")
    assert settings == {"port": "0", "maxmemory-policy": "noeviction", "appendfsync": "everysec"}


def test_valkey_keeps_what_is_older_than_a_second(valkey: Valkey) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("kept", "yes")
        time.sleep(1.5)
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()
    valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("kept") == b"yes"
