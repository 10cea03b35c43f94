"""mypy --strict over everything that runs, and no `Any` in what decides."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from config import ROOT
from tests.architecture.source import DECIDING, files, name, tree


def test_types_are_strict_and_right() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_decisions_hold_no_any() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path in files(*(f"domain/{folder}" for folder in DECIDING))
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.Attribute) and node.attr == "Any")
        or (isinstance(node, ast.alias) and node.name == "Any")
    ]
    assert found == []


REASONLESS = re.compile(r"# (type: ignore(\[[\w, -]*\])?|noqa)\s*(#\s*)?$")


def test_whatever_is_ignored_says_what_and_why() -> None:
    """A bare ignore hides the next mistake, too; one without a reason is never taken out again."""
    found = [
        f"{name(path)}:{number}"
        for path in files("domain", "jobs", "webapp", "config.py", "wsgi.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if REASONLESS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_silent"),
    [
        ("x = 1  # type: ignore", True),
        ("x = 1  # type: ignore[arg-type]", True),
        ("x = 1  # type: ignore[arg-type, misc]  #", True),
        ("x = 1  # noqa", True),
        ("x = 1  # type: ignore[misc]  # weasyprint has no types", False),
    ],
)
def test_an_ignore_without_a_reason_is_seen(line: str, is_silent: bool) -> None:
    assert bool(REASONLESS.search(line)) is is_silent
