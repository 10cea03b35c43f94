"""No secret in the repository. What a sandbox needs is made on its first start, what production
needs comes from outside (test_config proves that it refuses to start without)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import ROOT

SKIPPED = {".git", ".venv", "var", "__pycache__", "node_modules", ".mypy_cache", ".ruff_cache"}
SKIPPED |= {".pytest_cache", ".hypothesis", ".import_linter_cache"}
TEXTS = {".py", ".md", ".toml", ".txt", ".html", ".js", ".css", ".json", ".yml", ".yaml", ".sh"}
TEXTS |= {".cfg", ".ini", ".sql", ".po", ".xml", ""}
SHAPES = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "a Stripe key": re.compile(r"\b(?:sk|rk)_live_[0-9A-Za-z]{10,}|\bwhsec_[0-9A-Za-z+/]{24,}"),
    "a cloud key": re.compile(r"\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b"),
    "a token": re.compile(r"\b(?:ghp|gho|glpat|xox[bap]|npm)_?-?[0-9A-Za-z-]{30,}\b"),
    "a password in an address": re.compile(r"\b[a-z+]{4,12}://[^\s/:@{}<>]+:[^\s/@{}<>]{3,}@"),
    "a long secret": re.compile(
        r"(?i)(?:secret|password|passwd|api_key|token|kek)\w*['\"]?\s*[:=]\s*['\"]"
        r"(?=[^'\"]*[0-9])(?=[^'\"]*[a-zA-Z])[0-9A-Za-z+/=_-]{24,}['\"]"
    ),
}
EXPLAINED = {
    "tests/test_config.py": "values that a test makes up, to see them refused",
    "tests/security/test_secrets.py": "the samples below",
    "tests/observing/test_logs.py": "what must not reach the log",
    "tests/observing/test_processes.py": "an address that is refused",
}


def _files() -> Iterator[Path]:
    waiting = [ROOT]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.is_dir() and not path.is_symlink() and path.name not in SKIPPED:
                waiting.append(path)
            elif path.is_file() and path.suffix in TEXTS:
                yield path


def test_no_file_holds_a_secret() -> None:
    found = []
    for path in _files():
        where = str(path.relative_to(ROOT))
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if where in EXPLAINED or len(line) > 5_000:
                continue
            found += [
                f"{where}:{number} {what}" for what, shape in SHAPES.items() if shape.search(line)
            ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("stripe = 'sk_live_51H8abcdEFGH'", "a Stripe key"),
        ("AKIAIOSFODNN7EXAMPLE", "a cloud key"),
        ("ghp_0123456789012345678901234567890123456789", "a token"),
        ("postgresql://kontor:hunter2@db/kontor", "a password in an address"),
        ('SECRET_KEY = "8f42a73054b1749f8f58848be5e6502c"', "a long secret"),
        ('"token": "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5"', "a long secret"),
    ],
)
def test_a_secret_is_seen(line: str, what: str) -> None:
    assert SHAPES[what].search(line)


@pytest.mark.parametrize(
    "line",
    [
        'csrf_token = "csrf_token"',
        "postgresql://{user}:{password}@{host}/kontor",
        "password = hash_password(typed)",
        'token_url = "https://example.org/oauth/token/and/more/of/it"',
    ],
)
def test_what_is_no_secret(line: str) -> None:
    assert not any(shape.search(line) for shape in SHAPES.values())
