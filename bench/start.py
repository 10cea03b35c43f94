"""How long `./run` takes until Kontor is ready: the first start in a fresh data folder, where the
servers are set up and the demo insurer is loaded, and the second one. Everything is installed."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from bench import report
from bench.house import free_ports
from config import ROOT

PATIENCE_S = 300.0
READY = "(ready in"


def _once(var: Path) -> tuple[float, float]:
    """Seconds from the command to its address on the screen, and of CPU until it had stopped."""
    kept = {n: v for n, v in os.environ.items() if n not in ("DATABASE_URL", "REDIS_URL")}
    spent, started = _cpu_s(), time.perf_counter()
    process = subprocess.Popen(
        ["./run"],
        cwd=ROOT,
        env={**kept, "KONTOR_VAR": str(var), "PORT": str(free_ports()), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if READY in line:
                seconds = time.perf_counter() - started
                break
            if time.perf_counter() - started > PATIENCE_S:
                raise RuntimeError(f"not ready after {PATIENCE_S:g} s: {''.join(said)}")
        else:
            raise RuntimeError(f"./run ended: {''.join(said)}")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    return seconds, _cpu_s() - spent


def _cpu_s() -> float:
    """Of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="kontor-start-"))
    folder.chmod(0o711)
    try:
        first, first_cpu = _once(folder / "var")
        second, second_cpu = _once(folder / "var")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    numbers = {
        "first_s": first,
        "second_s": second,
        "first_cpu_s": first_cpu,
        "second_cpu_s": second_cpu,
    }
    return report.show("start", numbers, {"first_s": "<= 30", "second_s": "<= 5"})


if __name__ == "__main__":
    main()
