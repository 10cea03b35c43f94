"""The processes say that they live, and every line they print is JSON when it is asked for; the
supervisor's own lines, too. The settings for logs, metrics and traces are checked at the start."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from config import ROOT, ConfigError, Settings
from jobs import supervisor
from tests.servers import environment
from tests.test_config import GOOD

PROGRAMS = (("jobs.follow",), ("jobs.worker", "effects"), ("jobs.ticker",))
BEATS = {"follower", "worker:effects", "ticker"}
PATIENCE_S = 60


def test_processes_beat_and_print_json_only(settings: Settings, tmp_path: Path) -> None:
    given = {**environment(settings), "KONTOR_LOG": "json"}
    (settings.var / "bank").mkdir(parents=True, exist_ok=True)
    running = []
    for program in PROGRAMS:
        with (tmp_path / program[-1]).open("wb") as out:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", *program],
                    cwd=ROOT,
                    env=given,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            )
    try:
        give_up = time.monotonic() + PATIENCE_S
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            while True:
                rows = connection.execute("SELECT name FROM heartbeat").fetchall()
                if {name for (name,) in rows} >= BEATS:
                    break
                assert time.monotonic() < give_up, rows
                time.sleep(0.1)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(PATIENCE_S)
    lines = [line for file in tmp_path.iterdir() if file.is_file() for line in _lines(file)]
    told = [json.loads(line) for line in lines]
    assert {"follower", "ticker"} <= {one["process"] for one in told}
    assert any(one["message"] == "following" for one in told)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


@pytest.mark.parametrize(
    ("line", "process", "message"),
    [
        ('{"process": "web", "message": "GET /work 200"}\n', "web", "GET /work 200"),
        ("Traceback \x1b[31mof a crash\n", "ticker", "Traceback \\x1b[31mof a crash"),
    ],
)
def test_the_supervisor_passes_json_on_and_wraps_the_rest(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    process: str,
    message: str,
) -> None:
    monkeypatch.setattr(supervisor, "_style", ["json"])
    supervisor.say("ticker", line)
    told = json.loads(capsys.readouterr().out)
    assert (told["process"], told["message"]) == (process, message)


def test_a_sandbox_has_a_token_and_writes_text(tmp_path: Path) -> None:
    made = Settings.from_env({"KONTOR_VAR": str(tmp_path)})
    assert len(made.metrics_token) >= 32
    assert (made.log, made.otel_endpoint) == ("text", "")
    assert made.metrics_token not in repr(made)


def test_production_writes_json_and_shows_no_metrics_without_a_token(tmp_path: Path) -> None:
    made = Settings.from_env({**GOOD, "KONTOR_VAR": str(tmp_path)})
    assert (made.log, made.metrics_token, made.otel_endpoint) == ("json", "", "")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("KONTOR_METRICS_TOKEN", "short", "is not a secret"),
        ("KONTOR_METRICS_TOKEN", "changeme" * 5, "is a default value"),
        ("KONTOR_OTEL_ENDPOINT", "collector:4318", "is no URL of a collector"),
        ("KONTOR_OTEL_ENDPOINT", "http://me:pass@collector", "is no URL of a collector"),
        ("KONTOR_LOG", "xml", "is neither text nor json"),
    ],
)
def test_bad_values_are_refused_by_name(tmp_path: Path, name: str, value: str, reason: str) -> None:
    for base in ({}, GOOD):
        with pytest.raises(ConfigError) as caught:
            Settings.from_env({**base, "KONTOR_VAR": str(tmp_path), name: value})
        (said,) = caught.value.reasons
        assert said.startswith(f"{name} {reason}")
        assert value not in said


def test_the_sandboxes_token_is_not_for_production(tmp_path: Path) -> None:
    token = Settings.from_env({"KONTOR_VAR": str(tmp_path)}).metrics_token
    with pytest.raises(ConfigError, match="KONTOR_METRICS_TOKEN is the sandbox's value"):
        Settings.from_env({**GOOD, "KONTOR_VAR": str(tmp_path), "KONTOR_METRICS_TOKEN": token})
