"""The generated pages say what the source says, and the source says something about every event."""

from __future__ import annotations

import inspect

import pytest

from domain.kernel.message import Event
from domain.registry import DECIDERS, EVENTS
from jobs.docs import DOCS, events_page, permissions_page, recorders

ANEW = "on purpose? then: ./run docs"


def test_the_page_of_events_is_up_to_date() -> None:
    assert (DOCS / "EVENTS.md").read_text() == events_page(), ANEW


def test_the_page_of_permissions_is_up_to_date() -> None:
    assert (DOCS / "PERMISSIONS.md").read_text() == permissions_page(), ANEW


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.wire())
def test_every_event_says_what_happened(kind: type[Event]) -> None:
    assert inspect.cleandoc(kind.__doc__ or ""), "no docstring"


def test_every_event_is_recorded_and_every_command_records() -> None:
    assert set(recorders()) == set(EVENTS)
    commands = {command for found in recorders().values() for command, _decider in found}
    assert commands == {command.__name__ for command in DECIDERS}
