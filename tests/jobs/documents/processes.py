"""Waiting for processes to be gone. No test lives here."""

from __future__ import annotations

import time

import psutil


def gone_within(pid: int, seconds: float) -> None:
    """A zombie counts as gone: whoever should collect it was killed by the test."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} is still there")
