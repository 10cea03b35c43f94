"""Every event has one sentence, every state a chip, every reaction of a flow its words; and what
they say is filled in, translated texts included."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, date, datetime
from enum import StrEnum
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from flask import Flask

from domain.flows import collecting, incidents, refunding, settling
from domain.kernel.message import Command, Effect, Event, Timer
from domain.kernel.value import Value
from domain.payments.events import RefundApproved, RefundFailed, RefundRequested
from domain.payments.payment import Status as PaymentStatus
from domain.payments.refund import Status as RefundStatus
from domain.registry import EVENTS
from domain.work.events import CaseType
from webapp.sentences import (
    ECHOES,
    PAYMENT_STATES,
    REFUND_STATES,
    follows,
    reason_name,
    tell,
    told_types,
    who,
)
from webapp.sentences.telling import Tone
from webapp.sentences.work import CASE_TYPES

NOW = datetime(2026, 12, 9, 9, 0, tzinfo=UTC)
TONES = set(get_args(Tone))


def sample(hint: object) -> object:
    """Some value of that type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return sample(args[0])
    if origin in (Union, UnionType):
        return sample(args[0])
    if origin is Literal:
        return args[0]
    if origin in (tuple, dict, list):
        return origin()
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return next(iter(hint))
    if isinstance(hint, type) and issubclass(hint, Value):
        return made(hint)
    values: dict[object, object] = {
        str: "text",
        int: 4990,
        bool: True,
        datetime: NOW,
        date: NOW.date(),
    }
    return values[hint]


def made(kind: type[Value]) -> Value:
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name for field in msgspec.structs.fields(kind)}
    return kind(**{name: sample(hint) for name, hint in hints.items() if name in fields})


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_told(bare_app: Flask, kind: type[Event]) -> None:
    event = made(kind)
    assert isinstance(event, Event)
    with bare_app.test_request_context():
        told = tell(event)
    assert told.text
    assert told.text[0].isupper() or told.text[0].isdigit()
    assert not told.text.endswith((".", "!"))
    assert "%(" not in told.text
    assert "None" not in told.text
    assert told.tone in TONES


def test_no_sentence_for_an_event_that_is_gone() -> None:
    assert set(told_types()) == set(EVENTS)
    assert set(EVENTS) >= ECHOES


def test_every_state_and_case_has_words(bare_app: Flask) -> None:
    assert set(PAYMENT_STATES) == set(PaymentStatus) - {PaymentStatus.NOTHING}
    assert set(REFUND_STATES) == set(RefundStatus) - {RefundStatus.NOTHING}
    assert set(CASE_TYPES) == set(CaseType)
    with bare_app.test_request_context():
        for tone, words in (*PAYMENT_STATES.values(), *REFUND_STATES.values()):
            assert tone in TONES
            assert words()


def sent_by_flows() -> set[str]:
    """The names of the commands that stand in the flows' source."""
    modules = (collecting, incidents, refunding, settling)
    found: set[str] = set()
    for module in modules:
        names = {name for name, _ in inspect.getmembers(module, inspect.isclass)}
        source = inspect.getsource(module)
        found |= set(re.findall(r"(?:payments|invoices)\.([A-Z]\w+)\(", source))
        found |= {n for n in names if re.search(rf"\b{n}\(", source)}
    return found


def commands() -> list[type[Command]]:
    def below(kind: type[Command]) -> list[type[Command]]:
        return [kind, *(child for sub in kind.__subclasses__() for child in below(sub))]

    return [kind for kind in below(Command) if kind.__name__ in sent_by_flows()]


@pytest.mark.parametrize("kind", commands(), ids=lambda kind: kind.__name__)
def test_every_command_of_a_flow_has_words(bare_app: Flask, kind: type[Command]) -> None:
    command = made(kind)
    assert isinstance(command, Command)
    with bare_app.test_request_context():
        (text,) = follows([command])
    assert text
    assert "%(" not in text


def test_every_effect_and_timer_has_words(bare_app: Flask) -> None:
    assert len(commands()) > 10
    modules = (collecting, incidents, refunding, settling, collecting.render)
    source = "".join(inspect.getsource(module) for module in modules)
    kinds = set(re.findall(r'kind="(\w+)"', source))
    assert {"submit_refund", "expire_refund", "render"} <= kinds
    with bare_app.test_request_context():
        for kind in kinds:
            reaction = Timer if f'Timer(\n        kind="{kind}"' in source else None
            reaction = reaction or (Timer if f'Timer(kind="{kind}"' in source else Effect)
            assert follows([reaction(kind=kind, stream="pay_x", due_at=NOW)])[0]


def test_what_the_story_says(bare_app: Flask) -> None:
    requested = made(RefundRequested)
    with bare_app.test_request_context():
        assert isinstance(requested, RefundRequested)
        told = tell(msgspec.structs.replace(requested, note="Because."))
        assert told.text.startswith("Refund of 49,90\u00a0€ requested (premium reduction)")
        assert told.note == "Because."
        approved = made(RefundApproved)
        assert isinstance(approved, RefundApproved)
        by_hand = msgspec.structs.replace(approved, rule_version=None)
        assert tell(by_hand).text == "Refund of 49,90\u00a0€ approved"
        failed = made(RefundFailed)
        assert isinstance(failed, RefundFailed)
        known = msgspec.structs.replace(failed, code="declined", raw_code="declined", late=False)
        assert tell(known).text == (
            "The refund failed: The customer's bank declined the refund (declined)"
        )
        unknown = msgspec.structs.replace(failed, code="zz", raw_code="odd_word", late=True)
        assert "Unknown code (odd_word)" in tell(unknown).text
        assert reason_name(requested.reason) == "premium reduction"


def test_who_did_it(bare_app: Flask) -> None:
    with bare_app.test_request_context():
        assert who("staff:stf_mia", {"stf_mia": "Mia Aydin"}) == "Mia Aydin"
        assert who("staff:stf_gone", {}) == "stf_gone"
        assert who("flow:refunding", {}) == "flow"
        assert who("stripe", {}) == "Stripe"
        assert who("somebody", {}) == "somebody"
