"""The page client for every test of the web app, and an app without a database for those that look
at formats and templates only."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.architecture.routes import sandbox_app
from tests.pages import PageClient, anonymous, app, as_role, database_url, settings

__all__ = ["anonymous", "app", "as_role", "database_url", "settings"]


@pytest.fixture(scope="session")
def template_database(prepared_database: str) -> str:
    """Screens need their tables."""
    return prepared_database


@pytest.fixture(scope="session")
def bare_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return sandbox_app(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def bare(bare_app: Flask) -> PageClient:
    """A stranger's browser; the login page asks no database."""
    return PageClient(bare_app, bare_app.test_client())
