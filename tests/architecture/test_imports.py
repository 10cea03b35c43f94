"""Who may import whom (pyproject.toml, import-linter), and that breaking it is caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from tests.architecture.source import files, imports, name


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_are_kept() -> None:
    linted = lint(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "domain/payments/refund.py",
            "from domain.invoices import receivable",
            "Services do not know each other",
        ),
        ("domain/work/case.py", "import psycopg", "Decisions are pure"),
    ],
)
def test_a_broken_contract_is_caught(tmp_path: Path, module: str, line: str, contract: str) -> None:
    for folder in ("domain", "jobs", "webapp"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=_only_python)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as source:
        source.write(f"\n{line}\n")
    linted = lint(tmp_path)
    assert linted.returncode == 1
    (broken,) = [said for said in linted.stdout.splitlines() if said.endswith(" BROKEN")]
    assert broken.startswith(contract)


def _only_python(folder: str, names: list[str]) -> set[str]:
    return {one for one in names if not (Path(folder) / one).is_dir() and not one.endswith(".py")}


def test_the_domain_knows_no_settings() -> None:
    """`config` is a single file, which import-linter cannot look at."""
    assert [name(path) for path in files("domain") if "config" in imports(path)] == []
