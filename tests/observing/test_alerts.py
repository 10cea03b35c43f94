"""The alert rules: promtool's own check, each alert once firing and once silent, no metric that
/metrics does not have, no alert and no case type without its section in the runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from config import ROOT
from domain.work.events import CaseType
from webapp.observing import metrics
from webapp.observing.gauges import GAUGES

FOLDER = ROOT / "docs" / "monitoring"
TESTS = ("alerts_test.yml", "alerts_slow_test.yml")
RUNBOOK = (ROOT / "docs" / "OPERATIONS.md").read_text()
SECTION = re.compile(r"^### ([^\n]+)\n\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
FOREIGN = {"up"}
"""Prometheus makes it itself."""


def promtool(*arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    found = ROOT / ".venv" / "bin" / "promtool"
    program = str(found) if found.exists() else shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is absent: ./run test fetches it where there is apt-get")
    return subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def rules() -> list[dict[str, object]]:
    found = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


def cases() -> list[tuple[str, bool]]:
    """(alert, fires) of every case in the test files."""
    return [
        (case["alertname"], bool(case["exp_alerts"]))
        for name in TESTS
        for test in yaml.safe_load((FOLDER / name).read_text())["tests"]
        for case in test["alert_rule_test"]
    ]


def test_promtool_reads_the_rules() -> None:
    answer = promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    config = promtool("check", "config", "--syntax-only", "prometheus.yml")
    assert config.returncode == 0, config.stdout + config.stderr


def test_every_alert_fires_and_is_silent_as_promised() -> None:
    answer = promtool("test", "rules", *TESTS)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_no_alert_is_untested() -> None:
    names = {str(rule["alert"]) for rule in rules()}
    assert set(cases()) == {(name, fires) for name in names for fires in (True, False)}


def test_a_rule_that_changed_is_caught(tmp_path: Path) -> None:
    """The tests can fail: with one threshold moved, exactly that alert turns red."""
    for name in ("alerts.yml", *TESTS):
        shutil.copy(FOLDER / name, tmp_path)
    changed = tmp_path / "alerts.yml"
    text = changed.read_text()
    assert "kontor_inbox_oldest_age_seconds > 300" in text
    changed.write_text(text.replace("oldest_age_seconds > 300", "oldest_age_seconds > 30000"))
    answer = promtool("test", "rules", TESTS[0], folder=tmp_path)
    assert answer.returncode == 1
    assert set(re.findall(r"alertname: (\w+)", answer.stdout + answer.stderr)) == {
        "KontorInboxLate"
    }


def test_rules_ask_only_for_what_is_there() -> None:
    exposed = {gauge.name for gauge in GAUGES}
    for histogram in metrics.HISTOGRAMS:
        exposed |= {f"{histogram}_{part}" for part in ("bucket", "sum", "count")}
    for rule in rules():
        wanted = set(re.findall(r"\bkontor_\w+", str(rule["expr"])))
        assert wanted or "up{" in str(rule["expr"]), rule
        assert wanted <= exposed, (rule["alert"], wanted - exposed)


def test_every_metric_is_in_the_docs() -> None:
    told = set(re.findall(r"`(kontor_\w+)", RUNBOOK))
    assert {gauge.name for gauge in GAUGES} | set(metrics.HISTOGRAMS) == told


def test_every_alert_says_who_wakes_up_and_where_to_read() -> None:
    for rule in rules():
        labels, notes = rule["labels"], rule["annotations"]
        assert isinstance(labels, dict)
        assert isinstance(notes, dict)
        assert labels["severity"] in ("page", "ticket")
        assert notes["summary"]
        assert notes["runbook"] == f"docs/OPERATIONS.md#{str(rule['alert']).lower()}"


@pytest.mark.parametrize("name", [*(str(rule["alert"]) for rule in rules()), *CaseType])
def test_the_runbook_has_a_section(name: str) -> None:
    sections = dict(SECTION.findall(RUNBOOK))
    assert name in sections
    happened, _, acts = sections[name].partition("\n\n")
    assert happened.strip()
    for part in ("- **See**: ", "- **Do**: ", "- **Escalate**: "):
        assert part in acts
