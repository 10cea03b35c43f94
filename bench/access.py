"""The access matrix, every cell by a real request: route x role x method against the table of what
each must answer. It runs the test (tests/webapp/access), which asks for a method that an address
does not take only one person in turn; here everybody asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import report
from config import ROOT

TEST = "tests/webapp/access/test_matrix.py"
REPORT = "KONTOR_ACCESS_REPORT"
LIMIT_S = 600


def main() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", TEST, "-q"],
            cwd=ROOT,
            env={**os.environ, REPORT: str(file)},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        if not file.exists():
            raise RuntimeError(done.stdout[-4000:])
        numbers: dict[str, float] = json.loads(file.read_text())
    if done.returncode:
        print(done.stdout[-4000:])
    numbers["tested_percent"] = 100 * numbers["cells_tested"] / numbers["cells"]
    return report.show("access", numbers, {"tested_percent": "= 100", "deviations": "= 0"})


if __name__ == "__main__":
    main()
