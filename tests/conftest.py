"""What every test may ask for: one real PostgreSQL and Valkey per session, a fresh database per
test cloned from a migrated template, Settings of a sandbox, one browser. And the list of skips at
the end."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql

from config import ROOT, Settings
from jobs.embedded import POSTGRES_SETTINGS, VALKEY_SETTINGS, Postgres, Valkey
from jobs.guard import Guard
from tests.servers import Servers, administer, sandbox_settings

if TYPE_CHECKING:
    from tests.stand import Stand

SHARED = ROOT.parent / "shared"
# Skips that hide a missing part of the machine, not a missing feature: .ci/run refuses them.
REFUSED_SKIPS = ("../shared", "chromium", "promtool")
FAST_POSTGRES = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    # Its workers belong to the superuser: dropping a database could not end one.
    "autovacuum": "off",
}
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONG = ("journeys", "ui", "faults", "security", "webapp/access")
LOG_TAIL_CHARS = 4000
_numbers = itertools.count(1)
_started: list[Servers] = []
_log_sizes: dict[Path, int] = {}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="kontor-t-"))
    folder.chmod(0o711)
    guard = Guard()
    postgres = Postgres(
        folder=folder / "postgres",
        sockets=folder / "s",
        guard=guard,
        settings={**POSTGRES_SETTINGS, **FAST_POSTGRES, "max_connections": "200"},
    )
    valkey = Valkey(
        folder=folder / "valkey",
        sockets=folder / "s",
        guard=guard,
        settings={**VALKEY_SETTINGS, "appendonly": "no"},
    )
    try:
        postgres.start()
        valkey.start()
        _started.append(Servers(postgres=postgres, valkey=valkey))
        yield _started[0]
    finally:
        _started.clear()
        valkey.stop()
        postgres.stop()
        guard.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is absent")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def migrated_database(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database that nobody connects to afterwards."""
    from jobs.migrate import migrate

    name = "kontor_template"
    administer(servers, sql.SQL("create database {}").format(sql.Identifier(name)))
    migrate(sandbox_settings(servers, servers.database(name), tmp_path_factory.mktemp("template")))
    return name


@pytest.fixture(scope="session")
def template_database(migrated_database: str) -> str:
    """What a test's own database is a copy of; where pages are looked at it is the prepared one."""
    return migrated_database


@pytest.fixture(scope="session")
def prepared_database(
    servers: Servers, migrated_database: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The same with the empty tables of every read model, for those that need screens at once."""
    from domain.dispatch import open_dispatcher
    from jobs.follow import Follower

    name = "kontor_prepared"
    copy = sql.SQL("create database {} template {}")
    administer(servers, copy.format(sql.Identifier(name), sql.Identifier(migrated_database)))
    folder = tmp_path_factory.mktemp("prepared")
    settings = sandbox_settings(servers, servers.database(name), folder)
    dispatcher = open_dispatcher(settings.database_url, settings.kek, settings.redis_url)
    Follower(dispatcher).prepare()
    dispatcher.database.close()
    return name


@pytest.fixture(scope="session")
def stand(
    servers: Servers, prepared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    from tests.stand import open_stand

    with open_stand(servers, prepared_database, tmp_path_factory.mktemp("stand")) as opened:
        yield opened


@contextmanager
def clone_of(servers: Servers, template: str) -> Iterator[str]:
    """The URL of a new copy of the template, which is dropped in the end."""
    name = sql.Identifier(f"test_{next(_numbers)}")
    source = sql.Identifier(template)
    clone = sql.SQL("create database {} template {} strategy file_copy").format(name, source)
    administer(servers, clone)
    try:
        yield servers.database(name.as_string().strip('"'))
    finally:
        administer(servers, sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def database_url(servers: Servers, template_database: str) -> Iterator[str]:
    """A database of this test's own, migrated and empty."""
    with clone_of(servers, template_database) as url:
        yield url


@pytest.fixture
def redis_url(servers: Servers) -> str:
    with redis.Redis.from_url(servers.valkey.url) as client:
        client.flushall()
    return servers.valkey.url


@pytest.fixture
def settings(servers: Servers, database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """A sandbox with its own data folder, secrets, ports and database."""
    return sandbox_settings(servers, database_url, tmp_path)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Like tmp_path, but an unprivileged PostgreSQL may pass through (pytest's own is private)."""
    folder = Path(tempfile.mkdtemp(prefix="kontor-t-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shared() -> Path:
    """The reference material beside the checkout (provider specifications, schemas, samples)."""
    if not SHARED.exists():
        pytest.skip("../shared is absent")
    return SHARED


def _logs() -> dict[str, Path]:
    found = {}
    for servers in _started:
        found = {"PostgreSQL": servers.postgres.log, "Valkey": servers.valkey.log}
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders whose files take long come first: at the end a long file would run alone."""
    ranks = {ROOT / "tests" / folder: rank for rank, folder in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path.parent, len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    _log_sizes.update({log: log.stat().st_size for log in _logs().values() if log.exists()})
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the servers said meanwhile."""
    report = yield
    if report.failed:
        for name, log in _logs().items():
            said = log.read_bytes()[_log_sizes.get(log, 0) :].decode(errors="replace")
            if said:
                report.sections.append((f"{name} said", said[-LOG_TAIL_CHARS:]))
    return report


def _skips(config: pytest.Config) -> list[tuple[str, str]]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return []
    return sorted(
        (report.nodeid, report.longrepr[2].removeprefix("Skipped: "))
        for report in reporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )


def _refused(config: pytest.Config) -> list[tuple[str, str]]:
    if os.environ.get("KONTOR_SKIPS") != "fail":
        return []
    return [skip for skip in _skips(config) if any(word in skip[1] for word in REFUSED_SKIPS)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _refused(session.config) and session.exitstatus in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    skips = _skips(config)
    terminalreporter.section("skipped" if skips else "nothing skipped")
    for test, reason in skips:
        terminalreporter.line(f"{test}: {reason}")
    if refused := _refused(config):
        terminalreporter.line(f"KONTOR_SKIPS=fail: {len(refused)} skips hide a check", red=True)
