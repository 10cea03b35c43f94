"""The map of faults against the source: what docs/FAULTS.md names is there, and nothing that wakes
somebody is without a fault."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
import yaml

from config import ROOT
from domain.work.events import CaseType
from jobs.check.__main__ import CHECKS
from webapp.observing import metrics
from webapp.observing.gauges import GAUGES

FAULTS = (ROOT / "docs" / "FAULTS.md").read_text()
NUMBERS = 50
ROW = re.compile(r"^\| (\d+)[a-z]? \|(.*)\|$", re.MULTILINE)
CELLS = 4
CASE = re.compile(r"cases? ((?:`[a-z-]+`(?:, )?)+)")


def rows() -> list[tuple[int, list[str]]]:
    return [(int(n), [cell.strip() for cell in rest.split("|")]) for n, rest in ROW.findall(FAULTS)]


def alerts() -> set[str]:
    rules = yaml.safe_load((ROOT / "docs" / "monitoring" / "alerts.yml").read_text())
    return {str(rule["alert"]) for group in rules["groups"] for rule in group["rules"]}


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def missing(page: str) -> list[str]:
    """Everything the page names that is not there."""
    wrong = []
    for path, _, name in (one.partition("::") for one in re.findall(r"`(tests/[^`]+)`", page)):
        if not (ROOT / path).is_file() or (name and name not in named_in(path)):
            wrong.append(f"{path}::{name}")
    known = {gauge.name for gauge in GAUGES} | set(metrics.HISTOGRAMS)
    wrong += set(re.findall(r"`(kontor_\w+)", page)) - known
    wrong += set(re.findall(r"`(Kontor[A-Z]\w+)`", page)) - alerts()
    cases = [case for found in CASE.findall(page) for case in re.findall(r"`([a-z-]+)`", found)]
    wrong += set(cases) - set(CaseType)
    numbers = {number for number, _says, _check in CHECKS}
    spans = [[int(end) for end in span.split("-")] for span in numbers if span != "-"]
    asked = {n for span in spans for n in range(span[0], span[-1] + 1)}
    wrong += [f"check {n}" for n in re.findall(r"check (\d+)", page) if int(n) not in asked]
    measured = re.findall(r"run bench (\w+)", page)
    wrong += [f"bench {one}" for one in measured if not (ROOT / "bench" / f"{one}.py").is_file()]
    return wrong


def test_everything_it_names_is_there() -> None:
    assert missing(FAULTS) == []


def test_every_fault_has_its_row_and_every_row_an_answer() -> None:
    assert {number for number, _cells in rows()} == set(range(1, NUMBERS + 1))
    for number, cells in rows():
        assert len(cells) == CELLS, number
        _fault, prevented, shown, proved = cells
        assert prevented, number
        later = prevented.startswith("**Later**")
        assert later or ("`tests/" in proved and ("`" in shown or "check" in shown)), number


def test_no_alert_is_without_a_fault_and_no_case_unknown() -> None:
    named = set(re.findall(r"`(Kontor[A-Z]\w+)`", FAULTS))
    assert named == alerts()


@pytest.mark.parametrize(
    "lie",
    [
        "`tests/observing/test_faults.py::test_nothing`",
        "`tests/observing/test_nothing.py`",
        "`kontor_nothing_seconds`",
        "`KontorNothing`",
        "case `nothing-special`",
        "cases `recovery`, `nothing-special`",
        "check 3",
        "`./run bench nothing`",
    ],
)
def test_what_is_not_there_is_seen(lie: str) -> None:
    assert len(missing(lie)) == 1
