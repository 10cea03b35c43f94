"""One app with one story for all tests of a module: for those that only read, or that clear away
what they leave. No test lives here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from config import Settings
from domain.dispatch import Dispatcher
from tests.conftest import clone_of
from tests.pages import PageClient, log_in_as
from tests.readmodels.kit import Following, Story
from tests.servers import Servers, sandbox_settings
from webapp import create_app
from webapp.access.permissions import Role
from webapp.cli import DEMO_STAFF, add_demo_staff
from webapp.models import db


@dataclass(frozen=True, kw_only=True)
class House:
    app: Flask
    settings: Settings
    story: Story

    @property
    def kontor(self) -> Dispatcher:
        found: Dispatcher = self.app.extensions["kontor"]
        return found

    def as_role(self, role: Role | str) -> PageClient:
        """A new session of the demo person with that role."""
        login = next(demo.login for demo in DEMO_STAFF if demo.role == role)
        return log_in_as(self.app, login)

    def sql(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self.kontor.read() as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def open_house(servers: Servers, template: str, folder: Path) -> Iterator[House]:
    with clone_of(servers, template) as url:
        settings = sandbox_settings(servers, url, folder)
        app = create_app(settings)
        app.config["TESTING"] = True
        with app.app_context():
            add_demo_staff()
        kontor: Dispatcher = app.extensions["kontor"]
        with Following(kontor) as following:
            story = Story(following)
            yield House(app=app, settings=settings, story=story)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        kontor.database.close()
