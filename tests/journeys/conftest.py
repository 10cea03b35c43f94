"""One whole Kontor per journey, or one that the journeys of a module share: each of those takes
customers of its own. Every journey ends with the proofs."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import Settings
from jobs.embedded import POSTGRES_SETTINGS, Postgres
from jobs.guard import Guard
from tests.conftest import clone_of
from tests.journeys.proofs import prove
from tests.journeys.town import Town, built_town
from tests.journeys.world import World, running_world
from tests.servers import Servers, sandbox_settings


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    with running_world(settings) as world:
        yield world
        prove(world)


@pytest.fixture(scope="session")
def template_database(prepared_database: str) -> str:
    """Screens need their tables."""
    return prepared_database


@pytest.fixture(scope="module")
def _town(
    request: pytest.FixtureRequest,
    servers: Servers,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    with clone_of(servers, template_database) as database_url:
        settings = sandbox_settings(servers, database_url, tmp_path_factory.mktemp("town"))
        with built_town(settings, request.module.PEOPLE) as town:
            yield town
            prove(town.world)


@pytest.fixture
def town(_town: Town) -> Iterator[Town]:
    """The module's Kontor, on 12 January: premiums are collected, refunds are possible."""
    _town.world.faults()
    yield _town
    _town.world.faults()
    prove(_town.world, documents=False)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A cluster of this test's own, to kill or to restore into."""
    folder = Path(tempfile.mkdtemp(prefix="kontor-o-"))
    folder.chmod(0o711)
    guard = Guard()
    postgres = Postgres(
        folder=folder / "postgres",
        sockets=folder / "s",
        guard=guard,
        settings={**POSTGRES_SETTINGS, "fsync": "off"},
    )
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.stop()
        guard.close()
        shutil.rmtree(folder, ignore_errors=True)
