"""/livez, /readyz and /metrics: who is answered what, with the parts there and away."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from config import ROOT, Settings
from domain.stream import clock, observed
from domain.stream.database import connect
from jobs.ticker import POLLED
from tests.pages import AsRole, PageClient
from tests.readmodels.aside import parked_effect, quarantined
from tests.readmodels.kit import Following, Story
from tests.webapp.queries import asked
from webapp import create_app
from webapp.observing import build
from webapp.observing.gauges import GAUGES

PEOPLE = re.compile(r"Brandt|[A-Z]{2}\d{20}|@|\b[a-z]{2,5}_[0-9a-z]{26}\b")
LABEL_VALUES_MAX = 60


@pytest.fixture
def kit(app: Flask) -> Following:
    return Following(app.extensions["kontor"])


def scrape(app: Flask, token: str | None = None) -> dict[str, dict[tuple[str, ...], float]]:
    """Metric -> label values -> value."""
    settings: Settings = app.extensions["kontor.settings"]
    sent = {"Authorization": f"Bearer {settings.metrics_token if token is None else token}"}
    answer = app.test_client().get("/metrics", headers=sent)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.get_data(as_text=True)):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def ready(app: Flask) -> tuple[int, str, dict[str, str]]:
    answer = app.test_client().get("/readyz")
    told = answer.get_json()
    return answer.status_code, told["status"], told["checks"]


def execute(settings: Settings, statement: str) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        connection.execute(statement.encode())


def test_alive_is_this_process_alone(settings: Settings) -> None:
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    client = create_app(away).test_client()
    assert client.get("/livez").data == b"alive\n"
    code, word, checks = ready(client.application)
    assert (code, word, checks["database"]) == (503, "not ready", "does not answer")


def test_without_the_screens_it_is_not_ready_and_pages_say_so(
    app: Flask, settings: Settings, as_role: AsRole
) -> None:
    execute(settings, "DROP SCHEMA read CASCADE")
    execute(settings, "DELETE FROM consumer")
    code, word, checks = ready(app)
    assert (code, word, checks["database"], checks["migration"]) == (503, "not ready", "ok", "ok")
    assert "payments" in checks["read_models"]
    page = as_role("operations").get("/payments", status=503)
    assert page.h1 == "Kontor is still getting ready"


def test_with_the_screens_it_is_ready(app: Flask, kit: Following) -> None:
    Story(kit)
    assert ready(app) == (
        200,
        "ready",
        {"database": "ok", "migration": "ok", "read_models": "ok", "redis": "ok"},
    )
    with kit.kontor.read() as connection:
        row = connection.execute("SELECT count(*) FROM heartbeat WHERE name = 'readyz'").fetchone()
    assert row == (0,), "the proof that it can write was not taken back"


def test_without_valkey_it_is_degraded(settings: Settings, kit: Following) -> None:
    Story(kit)
    lame = create_app(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    code, word, checks = ready(lame)
    assert (code, word) == (200, "degraded")
    assert checks["redis"].startswith("away")


@pytest.mark.parametrize(
    ("statement", "check", "says"),
    [
        ("UPDATE alembic_version SET version_num = '0001'", "migration", "stands at 0001"),
        ("DROP TABLE heartbeat", "database", "not migrated"),
        ("UPDATE consumer SET version = version + 1 WHERE name = 'work'", "read_models", "work"),
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "database", "read-only"),
    ],
)
def test_every_reason_not_to_be_ready_is_said(
    settings: Settings, kit: Following, statement: str, check: str, says: str
) -> None:
    Story(kit)
    name = settings.database_url.partition("@/")[2].partition("?")[0]
    execute(settings, statement.format(name))
    code, word, checks = ready(create_app(settings))
    assert (code, word) == (503, "not ready")
    assert says in checks[check]


def test_the_newest_migration_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    assert build.migration_head() == ScriptDirectory.from_config(config).get_current_head()


@pytest.mark.parametrize("sent", [None, "", "Bearer", "Bearer wrong", "Basic {}", "Bearer {}x"])
def test_metrics_are_not_public(app: Flask, settings: Settings, sent: str | None) -> None:
    headers = {} if sent is None else {"Authorization": sent.format(settings.metrics_token)}
    answer = app.test_client().get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert b"kontor_" not in answer.data


def test_without_a_token_there_are_no_metrics(settings: Settings) -> None:
    shut = create_app(dataclasses.replace(settings, metrics_token=""))
    for sent in ({}, {"Authorization": "Bearer "}):
        assert shut.test_client().get("/metrics", headers=sent).status_code == 404


def test_metrics_tell_what_happened(app: Flask, kit: Following, as_role: AsRole) -> None:
    Story(kit).confirmed()
    parked_effect(kit.kontor, "render")
    quarantined(kit.kontor)
    before = scrape(app).get("kontor_http_request_seconds_count", {})
    as_role("operations").get("/payments")
    found = scrape(app)
    assert found["kontor_ready"] == {(): 1}
    (labels,) = found["kontor_build_info"]
    assert set(labels) == {build.version(), build.commit(), "sandbox"}
    assert found["kontor_clearing_balance_cents"][("stripe", "confirmed")] > 0
    assert found["kontor_jobs_parked"][("effects",)] == 1
    assert found["kontor_jobs_parked"][("notifications",)] == 1
    assert found["kontor_breaker_state"] == {("stripe",): 0}
    assert found["kontor_unknown_intents"][("over_24h", "stripe")] == 0
    assert set(found["kontor_projection_lag_seconds"].values()) == {0}
    assert found["kontor_backup_age_seconds"] == {(): float("inf")}
    after = found["kontor_http_request_seconds_count"]
    seen = {labels: n - before.get(labels, 0) for labels, n in after.items()}
    assert seen[("payments", "2xx")] == 1


def test_a_reader_that_stands_still_has_a_lag(
    app: Flask, settings: Settings, kit: Following
) -> None:
    Story(kit)
    execute(settings, "UPDATE consumer SET cursor = 0 WHERE name = 'work'")
    execute(settings, "UPDATE event SET recorded_at = recorded_at - interval '1 hour'")
    found = scrape(app)
    assert found["kontor_projection_lag_seconds"][("work",)] >= 3600
    assert found["kontor_projection_lag_seconds"][("payments",)] == 0
    assert found["kontor_projection_behind_events"][("work",)] > 0


def test_a_dead_follower_is_a_lag_of_everybody(app: Flask, kit: Following) -> None:
    """Events without a position make no reader late by count: the age tells."""
    Story(kit)
    with kit.kontor.read() as connection:
        connection.execute(
            "INSERT INTO event (shard, stream_id, version, event_id, command_id, actor, type,"
            " schema_v, data, recorded_at) SELECT shard, stream_id, 999, gen_random_uuid(),"
            " gen_random_uuid(), actor, type, schema_v, data, now() - interval '10 minutes'"
            " FROM event WHERE sealed IS NULL LIMIT 1"
        )
    lags = scrape(app)["kontor_projection_lag_seconds"]
    assert min(lags.values()) >= 600


def test_a_provider_that_is_not_polled_has_an_age(app: Flask, kit: Following) -> None:
    assert scrape(app)["kontor_poll_age_seconds"] == {("stripe",): float("inf")}
    with kit.kontor.read() as connection:
        asked = clock.now(connection) - timedelta(hours=1)
        clock.beat(connection, POLLED, asked)
    assert scrape(app)["kontor_poll_age_seconds"][("stripe",)] >= 3600


def test_checks_and_backups_have_an_age(app: Flask, settings: Settings) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        observed.observe(connection, observed.CHECK, {"numbers have no gaps": 2, "other": 0})
        observed.observe(connection, observed.CHECK, {"numbers have no gaps": 1})
        observed.observe(connection, observed.BACKUP, {"bytes": 10})
        connection.execute("UPDATE observation SET at = at - interval '2 days'")
    found = scrape(app)
    assert found["kontor_invariant_violations"] == {("numbers have no gaps",): 1}
    for name in ("check", "backup"):
        assert found[f"kontor_{name}_age_seconds"][()] >= 2 * 24 * 3600


def test_metrics_know_that_the_database_is_away(settings: Settings) -> None:
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    found = scrape(create_app(away))
    assert found["kontor_database_up"] == {(): 0}
    assert found["kontor_ready"] == {(): 0}
    assert "kontor_effects" not in found


def test_labels_are_few_and_nobodys(app: Flask, kit: Following, anonymous: PageClient) -> None:
    Story(kit).confirmed()
    parked_effect(kit.kontor, "render")
    anonymous.get("/nothing-Brandt@example.org", status=404)
    found = scrape(app)
    for name, samples in found.items():
        assert name.startswith("kontor_")
        # Requests are counted by part of the app and kind of answer, since this process began.
        requests = 5 * (len(app.blueprints) + 1)
        most = requests if name.startswith("kontor_http_request") else LABEL_VALUES_MAX
        assert len(samples) <= most or name.endswith("_bucket")
        for labels in samples:
            assert not PEOPLE.search(" ".join(labels)), (name, labels)


def test_a_scrape_asks_a_handful_of_queries(app: Flask, kit: Following) -> None:
    Story(kit).confirmed()
    with asked() as sent:
        scrape(app)
    assert len(sent) <= 6, sent


def test_every_gauge_is_one_row_and_named_with_its_unit() -> None:
    names = [gauge.name for gauge in GAUGES]
    assert len(set(names)) == len(names)
    for gauge in GAUGES:
        assert gauge.name.startswith("kontor_")
        if "age" in gauge.name or "lag" in gauge.name:
            assert gauge.name.endswith("_seconds"), gauge.name


def test_the_answer_carries_the_id_of_the_request(anonymous: PageClient) -> None:
    one, two = (anonymous.get("/login").response.headers["X-Request-Id"] for _ in range(2))
    assert re.fullmatch(r"[0-9a-f]{8}", one)
    assert one != two
