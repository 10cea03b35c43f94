"""One app with something of every kind in it, for tests of this folder that only look, and its map.
Its follower and what is patched end with the folder: no other test may meet them.
Tests that write take the app of `tests.pages`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from bench.atlas import Atlas, walked
from bench.browser import EVERYBODY
from bench.hostile import MARKUP
from tests.conftest import clone_of
from tests.pages import anonymous, app, as_role, database_url, settings
from tests.readmodels.kit import Following
from tests.security.hostile_house import (
    people_act,
    simulator_that_says,
    something_of_everything,
    told_everywhere,
)
from tests.security.markup import HOSTILE
from tests.servers import Servers, sandbox_settings
from webapp import create_app, simulator
from webapp.blueprints import statements
from webapp.cli import add_demo_staff
from webapp.models import Staff, db

__all__ = ["anonymous", "app", "as_role", "database_url", "settings"]


@pytest.fixture(scope="session")
def template_database(prepared_database: str) -> str:
    """Screens need their tables."""
    return prepared_database


@pytest.fixture(scope="package")
def house(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    with clone_of(servers, template_database) as url:
        made = create_app(sandbox_settings(servers, url, tmp_path_factory.mktemp("house")))
        with made.app_context():
            add_demo_staff()
        with Following(made.extensions["kontor"]) as kit, pytest.MonkeyPatch.context() as patch:
            something_of_everything(kit)
            people_act(made)
            patch.setattr(simulator, "ask", simulator_that_says("succeeded"))
            # Nobody reads an upload here: waiting for it would be all that is measured.
            patch.setattr(statements, "PATIENCE_S", 0.0)
            yield made
        with made.app_context():
            db.session.remove()
            db.engine.dispose()
        made.extensions["kontor"].database.close()


@pytest.fixture(scope="package")
def atlas(house: Flask) -> Atlas:
    return walked(house, EVERYBODY)


@pytest.fixture(scope="package")
def infested(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """An app where nothing that is stored is friendly."""
    with clone_of(servers, template_database) as url:
        app = create_app(sandbox_settings(servers, url, tmp_path_factory.mktemp("infested")))
        with app.app_context():
            add_demo_staff()
            for number, staff in enumerate(db.session.query(Staff).order_by(Staff.id)):
                staff.name = " | ".join(MARKUP[number::6])
            db.session.commit()
        with Following(app.extensions["kontor"]) as kit, pytest.MonkeyPatch.context() as patch:
            told_everywhere(kit, *HOSTILE)
            patch.setattr(simulator, "ask", simulator_that_says(HOSTILE[0]))
            yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        app.extensions["kontor"].database.close()


@pytest.fixture
def another(house: Flask) -> Flask:
    """Another app over the same database, for views that only one test needs."""
    return create_app(house.extensions["kontor.settings"])
