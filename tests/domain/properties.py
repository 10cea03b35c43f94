"""How hard properties are tried: a few examples in every run, many where somebody asks for them
(`KONTOR_EXAMPLES=2000 ./run test tests/domain`)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("KONTOR_EXAMPLES", "20"))
quick = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
