"""An address that disappears breaks bookmarks and links in mails; a changed permission is news."""

from __future__ import annotations

import json
from pathlib import Path

from tests.architecture.routes import FILE, routes, sandbox_app


def test_routes_are_the_frozen_ones(tmp_path: Path) -> None:
    now, frozen = routes(sandbox_app(tmp_path)), json.loads(FILE.read_text())
    assert now == frozen, "on purpose? then: python -m tests.architecture.routes"
