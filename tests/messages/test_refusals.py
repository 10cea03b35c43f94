"""Every sentence with which a decision says no has a sample, says what it should, and reaches the
screen in the reader's own way of writing amounts and dates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.kernel.message import Refused
from tests.architecture.routes import sandbox_app
from tests.architecture.source import DECIDING, files
from tests.messages.messages import refusals, text_of
from tests.messages.refusals import SAMPLES, Sample
from tests.spec import World
from webapp.texts import sentence

# Said about news that a provider sends in words we do not know: no decision, no stream.
ELSEWHERE = {"Not understood: %(reason)s"}


def refused(sample: Sample) -> Refused:
    with pytest.raises(Refused) as caught:
        World(sample.past).decide(sample.command)
    return caught.value


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.says[:40])
def test_a_refusal_says_why(sample: Sample) -> None:
    assert str(refused(sample)) == sample.says


def test_every_refusal_has_a_sample() -> None:
    folders = [f"domain/{folder}" for folder in DECIDING]
    written = {text_of(message) for _, message in refusals(files(*folders))}
    assert written == {refused(sample).message for sample in SAMPLES} | ELSEWHERE


def test_amounts_and_dates_reach_the_screen_as_the_reader_writes_them(tmp_path: Path) -> None:
    with sandbox_app(tmp_path).test_request_context("/"):
        for sample in SAMPLES:
            shown = sentence(refused(sample))
            assert not re.search(r"\d\.\d\d EUR|\d{4}-\d\d-\d\d", shown), shown


def test_every_place_in_a_message_has_a_value() -> None:
    for sample in SAMPLES:
        error = refused(sample)
        assert set(re.findall(r"%\((\w+)\)s", error.message)) == set(error.values)
