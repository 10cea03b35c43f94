"""What people read: every refusal can be translated, every event is told, every case has a name."""

from __future__ import annotations

import ast
import io
import re

import pytest
from babel.messages.extract import extract

from config import ROOT
from domain.registry import EVENTS
from domain.work.events import CaseType
from tests.architecture.source import files, name
from tests.messages.messages import REFUSALS, refusals, text_of
from webapp.sentences import told_types
from webapp.sentences.work import CASE_TYPES
from webapp.showing.proposals import KINDS
from webapp.translations import KEYWORDS, SOURCES

SPEAKING = files("domain", "jobs", "webapp")


def test_every_refusal_is_a_literal() -> None:
    """A message put together when it runs cannot be found in a catalogue."""
    composed = [where for where, message in refusals(SPEAKING) if text_of(message) is None]
    assert composed == []


def test_babel_finds_every_refusal() -> None:
    """With the keywords that `./run texts` uses."""
    keywords = dict.fromkeys(REFUSALS)
    extracted = {
        message
        for path in SPEAKING
        for _line, message, _comments, _context in extract(
            "python", io.BytesIO(path.read_bytes()), keywords=keywords
        )
    }
    written = {text_of(message) for _where, message in refusals(SPEAKING)}
    assert extracted == written
    assert len(written) > 40


def test_babel_is_told_to_look_there() -> None:
    assert set(REFUSALS) <= set(KEYWORDS)
    tops = {name(path).partition("/")[0] for path in SPEAKING}
    assert tops <= {folder for folder, pattern, _how in SOURCES if pattern == "**.py"}


def test_every_event_has_its_sentence() -> None:
    assert set(told_types()) == set(EVENTS)


@pytest.mark.parametrize("case_type", CaseType)
def test_every_case_has_a_name_and_says_what_to_do(case_type: CaseType) -> None:
    assert case_type in CASE_TYPES
    assert case_type in KINDS


KEPT = frozenset({"error", "message", "reason"})
"""Where tables keep what was refused or went wrong, as English sentences."""
PRINTED = re.compile(
    r"(?:\{\{|[^\w.]\(|,)\s*((?:\w+\.)+(?:error|message|reason))\s*(?=[,)|}])(.{0,8})"
)
OUR_WORDS = frozenset({"asked.error", "wish.errors.reason"})
"""Made for this page, in its language."""


def test_what_a_page_tells_of_a_stored_reason_is_retold() -> None:
    """Else an English sentence stands in a German page."""
    raw = [
        f"{path.name}: {what}"
        for path in (ROOT / "webapp" / "templates").rglob("*.html")
        for what, then in PRINTED.findall(path.read_text())
        if what not in OUR_WORDS and not then.startswith("|retold")
    ]
    assert raw == []


def test_what_a_sentence_repeats_of_a_stored_reason_is_retold() -> None:
    raw = [
        f"{name(path)}:{call.lineno}"
        for path in files("webapp")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_"
        for said in call.keywords
        if isinstance(said.value, ast.Attribute) and said.value.attr in KEPT
    ]
    assert raw == []
