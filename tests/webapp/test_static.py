"""Budgets and origins: vendored files are the ones we name, style and script stay small, and every
visible word of a template can be translated."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from flask import Flask
from jinja2 import Environment, nodes

from config import ROOT
from webapp import HTMX_CONFIG

STATIC = ROOT / "webapp" / "static"
TEMPLATES = ROOT / "webapp" / "templates"
VENDORED = [STATIC / "vendor" / "VERSIONS", ROOT / "tests" / "ui" / "vendor" / "VERSIONS"]
# Names that are the same in every language.
NAMES = {
    "Kontor",
    "SHA-256",
    "IBAN",
    "PDF",
    "pdf",
    "BIC",
    "CSV",
    "Stripe",
    "Bank",
    "Enter",
    "Nadia Brandt",
    "M. Aydin",
    "worker",
    "flow",
}
TEXT_ATTRIBUTES = re.compile(r'(?:aria-label|placeholder|title|alt)="([^"{]*[A-Za-z]{2}[^"]*)"')


@pytest.mark.parametrize("versions", VENDORED, ids=["static", "tests"])
def test_vendored_files_are_the_ones_we_name(versions: Path) -> None:
    folder = STATIC if versions.is_relative_to(STATIC) else versions.parent
    lines = [line.split() for line in versions.read_text().splitlines() if not line.startswith("#")]
    assert lines
    for _name, _version, _licence, file, digest in lines:
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest, file
    named = {str(Path(line[3]).name) for line in lines}
    code = {".js", ".woff2", ".css"}
    assert {p.name for p in versions.parent.iterdir() if p.suffix in code} <= named


def test_style_and_script_stay_small() -> None:
    assert len((STATIC / "app.css").read_text().splitlines()) <= 600
    assert (STATIC / "app.css").stat().st_size <= 30_000
    assert len((STATIC / "app.js").read_text().splitlines()) <= 150


def test_the_style_uses_every_token_and_only_tokens() -> None:
    css = (STATIC / "app.css").read_text()
    used, defined = set(re.findall(r"var\((--[\w-]+)\)", css)), set(re.findall(r"(--[\w-]+):", css))
    assert used == defined


def test_every_icon_that_is_asked_for_exists() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    code = [p.read_text() for p in (*TEMPLATES.rglob("*.html"), ROOT / "webapp" / "navigation.py")]
    asked = {name for text in code for name in re.findall(r"icon\(\"([\w-]+)\"\)", text)}
    asked |= set(re.findall(r'"[a-z.]+", "([a-z-]+)"\),', code[-1]))
    assert asked
    assert asked <= sprite


def test_htmx_keeps_to_our_origin_and_adds_no_style() -> None:
    for setting in ('"includeIndicatorCSS": false', '"mode": "same-origin"', '"history": "reload"'):
        assert setting in HTMX_CONFIG


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: p.name)
def test_every_word_can_be_translated(bare_app: Flask, path: Path) -> None:
    source = path.read_text()
    raw = _raw_text(bare_app.jinja_env, source)
    plain = re.sub(r'[\w:-]+="[^"]*"', "", raw)
    plain = re.sub(r"<[^>]*>?|&\w+;|\b\w+_\w+\b", "\n", plain)
    words = {line.strip(" ·:–…()./") for line in plain.splitlines()} - {""}
    assert {word for word in words if re.search(r"[A-Za-z]{2}", word)} <= NAMES
    assert set(TEXT_ATTRIBUTES.findall(source)) <= NAMES


def _raw_text(environment: Environment, source: str) -> str:
    """What a template prints without asking anybody; expressions become a blank."""
    tree = environment.parse(source)
    parts: list[str] = []
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            parts.append(node.data if isinstance(node, nodes.TemplateData) else "\n")
    return "".join(parts)


def test_sentences_of_the_domain_reach_the_catalogue() -> None:
    found = {
        message
        for _file, _line, message, _comments, _context in extract_from_dir(
            str(ROOT),
            method_map=[
                ("webapp/**.py", "python"),
                ("domain/**.py", "python"),
                ("webapp/templates/**.html", "jinja2"),
            ],
            keywords={"_": None, "N_": None, "Refused": (1,)},
            directory_filter=lambda folder: Path(folder).name not in {".venv", "var", ".git"},
        )
    }
    assert "User name or password is wrong." in found
    assert "Do you mean %(thousands)s or %(decimals)s?" in found
    assert {"Work", "Skip to content", "Nothing was saved"} <= found
