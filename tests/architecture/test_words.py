"""What people read: every refusal can be translated, every event is told, every case has a name."""

from __future__ import annotations

import io

import pytest
from babel.messages.extract import extract

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
