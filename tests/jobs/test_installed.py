"""Every process refuses a database that is not ours, also under another supervisor than `./run`,
which migrates first; the web process answers machines while the database is merely away."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from config import ROOT, Settings
from domain.stream.database import connect
from domain.stream.installation import InstallationRefused
from domain.stream.keys import house_key
from jobs.context import open_context
from tests.servers import environment
from webapp import create_app

PROGRAMS = (
    ("-m", "jobs.follow"),
    ("-m", "jobs.ticker"),
    ("-m", "jobs.worker", "effects"),
    ("-c", "import wsgi"),
)
PATIENCE_S = 60


@pytest.fixture
def other_key(settings: Settings) -> Settings:
    """The database has keys; the settings have another key-encryption key."""
    with connect(settings.database_url, settings.kek) as connection:
        house_key(connection)
    return replace(settings, kek=os.urandom(32))


def test_every_program_ends_with_the_sentence(other_key: Settings) -> None:
    given = environment(other_key) | {"KONTOR_KEK": base64.b64encode(other_key.kek).decode()}
    running = [
        subprocess.Popen(
            [sys.executable, *program],
            cwd=ROOT,
            env=given,
            stderr=subprocess.PIPE,
            text=True,
        )
        for program in PROGRAMS
    ]
    try:
        for process in running:
            _, said = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 1
            assert said.splitlines()[-1].startswith("KONTOR_KEK does not open the keys"), said
    finally:
        for process in running:
            process.kill()


def test_nothing_is_lent_of_a_database_of_another_mode(settings: Settings) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        connection.execute("UPDATE installation SET mode = 'production', clock = NULL")
    context = open_context(settings)
    with pytest.raises(InstallationRefused, match="production database in sandbox mode"):
        context.dispatcher.now()
    context.dispatcher.database.close()


def test_the_web_app_refuses_every_page_and_says_why_at_readyz(other_key: Settings) -> None:
    client = create_app(other_key).test_client()
    host = {"Host": other_key.allowed_hosts[0]}
    assert client.get("/livez", headers=host).status_code == 200
    ready = client.get("/readyz", headers=host)
    assert ready.status_code == 503
    assert ready.get_json()["checks"]["installation"].startswith("KONTOR_KEK does not open")
    page = client.get("/login", headers=host)
    assert page.status_code == 503
    assert "belongs to another Kontor" in page.get_data(as_text=True)
    assert client.get("/static/app.css", headers=host).status_code == 200
