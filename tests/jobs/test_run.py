"""The front door: what `./run` offers, what CI calls, and which skips CI refuses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT

COMMANDS = ("up", "test", "check", "bench", "staff", "backup", "restore", "demo", "docs", "texts")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "run", *arguments], cwd="/", check=False, capture_output=True, text=True
    )


def test_help_has_one_line_for_every_command_and_installs_nothing() -> None:
    told = run("--help")
    assert told.returncode == 0
    listed = re.findall(r"^  (\w+) .*\S$", told.stdout, re.MULTILINE)
    assert tuple(listed) == COMMANDS
    assert told.stderr == ""


def test_every_listed_command_is_dispatched() -> None:
    cases = set(re.findall(r"^  (\w+)\) +set -- ", (ROOT / "run").read_text(), re.MULTILINE))
    assert cases == set(COMMANDS)


def test_an_unknown_command_is_refused() -> None:
    told = run("fly")
    assert told.returncode == 2
    assert "there is no command 'fly'" in told.stderr


def test_it_is_a_plain_posix_script() -> None:
    first = (ROOT / "run").read_text().splitlines()[0]
    assert first == "#!/bin/sh"
    subprocess.run(["sh", "-n", ROOT / "run"], check=True)


def test_ci_runs_all_tests_and_refuses_skips() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "KONTOR_SKIPS=fail ./run test"


@pytest.mark.parametrize(
    ("reason", "skips", "status"),
    [
        ("../shared/specs is absent", "fail", 1),
        ("chromium is absent", "fail", 1),
        ("chromium is absent", "", 0),
        ("only root drops to another user", "fail", 0),
    ],
)
def test_a_skip_is_listed_and_may_fail_the_run(
    tmp_path: Path, reason: str, skips: str, status: int
) -> None:
    test = f"import pytest\ndef test_one(): pytest.skip({reason!r})\ndef test_two(): pass\n"
    (tmp_path / "test_some.py").write_text(test)
    ours = ("-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"))
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *ours, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "KONTOR_SKIPS": skips},
        check=False,
        capture_output=True,
        text=True,
    )
    assert told.returncode == status, told.stdout
    assert f"test_some.py::test_one: {reason}" in told.stdout
