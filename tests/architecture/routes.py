"""Writes the frozen list of addresses: `python -m tests.architecture.routes`. Run it when a route
comes, goes or changes its permission on purpose."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from flask import Flask

from config import Settings
from webapp import create_app
from webapp.access.permissions import act_of

FILE = Path(__file__).with_name("routes.json")


def sandbox_app(folder: Path) -> Flask:
    """The app of a sandbox; nothing connects to its database."""
    nowhere = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    return create_app(Settings.from_env({"KONTOR_VAR": str(folder), **nowhere}))


def routes(app: Flask) -> dict[str, str]:
    """Method and address -> the act that opens it."""
    return {
        f"{method} {rule.rule}": str(act_of(app, rule.endpoint))
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text(json.dumps(routes(sandbox_app(Path(folder))), indent=1) + "\n")
