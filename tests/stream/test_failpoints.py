"""Failpoints: an armed one kills with SIGKILL at the n-th reach, an unknown one is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from config import ROOT
from domain.stream.failpoints import FAILPOINTS, VARIABLE, UnknownFailpoint, reach

REACH_ALL = "from domain.stream.failpoints import *\nfor n in (1, 2):\n"
REACH_ALL += "  for name in FAILPOINTS: print(n, name, flush=True); reach(name)"


def run(setting: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", REACH_ALL],
        env={**os.environ, VARIABLE: setting},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", FAILPOINTS)
def test_each_kills_where_it_stands(name: str) -> None:
    done = run(name)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.splitlines()[-1] == f"1 {name}"


def test_the_second_reach() -> None:
    done = run("mid-projection:2")
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.splitlines()[-1] == "2 mid-projection"


def test_an_unknown_name_is_refused_from_outside_and_from_code() -> None:
    done = run("before-lunch")
    assert done.returncode == 1
    assert "before-append" in done.stderr.splitlines()[-1]
    with pytest.raises(UnknownFailpoint):
        reach("before-lunch")


def test_unarmed_they_cost_nothing_and_kill_nobody() -> None:
    for name in FAILPOINTS:
        reach(name)
