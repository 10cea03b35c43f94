"""mypy --strict over everything that runs, and no `Any` in what decides."""

from __future__ import annotations

import ast
import subprocess
import sys

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


def test_whatever_is_ignored_says_what() -> None:
    """A bare ignore hides the next mistake, too."""
    found = [
        f"{name(path)}:{number}"
        for path in files("domain", "jobs", "webapp", "config.py", "wsgi.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if line.rstrip().endswith(("# type: ignore", "# noqa"))
    ]
    assert found == []
