"""What we did not write: pinned, wheels only, with a reason each; copied files are unchanged."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from config import ROOT

PINNED = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)(?: *;.*)?$")
LOCKED = re.compile(
    r"([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)(?: *;[^-]*)?(?:\s+--hash=sha256:[0-9a-f]{64})+"
)
VENDORED = sorted(
    path for top in ("webapp", "jobs", "tests") for path in (ROOT / top).rglob("VERSIONS")
)
SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


def requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]


def test_everything_is_pinned_and_nothing_is_compiled() -> None:
    first, *packages = requirements()
    assert first == "--only-binary :all:"
    assert [line for line in packages if not PINNED.match(line)] == []


def test_every_pin_is_locked_with_its_hashes() -> None:
    """`./run` installs from the lock alone; pip and uv refuse a file with another hash."""
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", "")
    options, *locked = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert options == "--only-binary :all:"
    for line in locked:
        assert LOCKED.fullmatch(line), line[:100]
    pins = sorted(found.group(1, 2) for line in requirements() if (found := PINNED.match(line)))
    found_pins = sorted(found.group(1, 2) for line in locked if (found := LOCKED.match(line)))
    assert found_pins == pins
    installs = [line for line in (ROOT / "run").read_text().splitlines() if " -r " in line]
    assert installs
    assert all("--require-hashes -r requirements.lock" in line for line in installs)


def test_what_is_installed_is_what_is_pinned() -> None:
    for line in requirements()[1:]:
        found = PINNED.match(line)
        assert found is not None
        if ";" not in line:
            assert version(found[1]) == found[2]


def test_every_package_has_its_reason() -> None:
    """One line each in docs/decisions/dependencies.md, and none for what is gone."""
    text = (ROOT / "docs/decisions/dependencies.md").read_text()
    explained = re.findall(r"^\| `([a-z0-9._-]+)` \|", text, flags=re.MULTILINE)
    pinned = {found[1] for line in requirements() if (found := PINNED.match(line))}
    assert set(explained) == pinned
    assert len(explained) == len(set(explained))


@pytest.mark.parametrize("versions", VENDORED, ids=lambda path: str(path.relative_to(ROOT)))
def test_copied_files_are_unchanged(versions: Path) -> None:
    named = [line for line in versions.read_text().splitlines() if SHA256.search(line)]
    assert named
    for line in named:
        words = line.split()
        (digest,) = [word for word in words if SHA256.fullmatch(word)]
        (path,) = [found for word in words if (found := _file(versions.parent, word))]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, path.name


def _file(folder: Path, word: str) -> Path | None:
    """A path is written from VERSIONS's own folder or from the one above it."""
    candidates = (folder / word, folder.parent / word)
    return next((path for path in candidates if path.is_file()), None)


def test_every_copied_file_is_listed() -> None:
    for versions in VENDORED:
        listed = versions.read_text()
        for path in versions.parent.iterdir():
            told = path.name in listed or path.name == "VERSIONS" or "LICENSE" in path.name
            assert told, path.name
