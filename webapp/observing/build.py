"""Which Kontor this is: its version, and the commit where the code lies in a checkout."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from config import ROOT

_SHOWN: Final = 10
"""As many letters of a commit as people compare."""


@cache
def version() -> str:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return str(told["project"]["version"])


@cache
def commit(root: Path = ROOT) -> str:
    """Without asking git: a server may have none. "" where there is no checkout."""
    git = root / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return _short(head)
        if (git / name).exists():
            return _short((git / name).read_text())
        packed = (git / "packed-refs").read_text()
    except OSError:
        return ""
    found = re.search(rf"^([0-9a-f]{{40}}) {re.escape(name)}$", packed, re.MULTILINE)
    return _short(found[1]) if found else ""


@cache
def migration_head() -> str:
    """The newest migration of this code; they are one numbered chain."""
    files = (ROOT / "migrations" / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")
    return max(file.name[:4] for file in files)


def _short(commit_id: str) -> str:
    return commit_id.strip()[:_SHOWN]
