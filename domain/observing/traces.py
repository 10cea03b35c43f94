"""Traces without storage: the trace of a story is the id of the command that began it, the span of
an event is made from the event's id, so whoever continues a story knows both from the stream.
Off until `set_up` is told a collector; then spans wait until their unit of work knows its trace."""

from __future__ import annotations

import atexit
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final, Literal, Protocol, TypeAlias
from uuid import UUID

Kind: TypeAlias = Literal["internal", "server", "client", "consumer"]
Value: TypeAlias = str | int | bool | tuple[str, ...]
SPANS_MAX: Final = 2_000
"""A unit that does more than this is a batch: its first spans tell enough."""
_SPAN_BITS: Final = 64


@dataclass(slots=True)
class Span:
    """`span_id` and `parent` are 64-bit numbers; attributes are ids, names and numbers."""

    name: str
    span_id: int
    parent: int | None
    kind: Kind
    began_ns: int
    attributes: dict[str, Value]
    ended_ns: int = 0
    failed: str = ""


@dataclass(slots=True)
class Unit:
    """What one process does in one go: a request, an effect, a reaction. The first command or hint
    in it says to which trace it belongs, so nothing is sent before its end."""

    spans: list[Span] = field(default_factory=list)
    stack: list[Span] = field(default_factory=list)
    trace: int | None = None


class Sink(Protocol):
    """Takes finished units; must not block."""

    def take(self, trace: int, spans: list[Span]) -> None: ...
    def flush(self) -> None: ...


_unit: ContextVar[Unit | None] = ContextVar("kontor_unit", default=None)
_sink: list[Sink] = []


def set_up(process: str, endpoint: str) -> None:
    """Sends to an OTLP collector over HTTP; an empty endpoint switches tracing off. The libraries
    are loaded only now: whoever does not trace does not pay."""
    if endpoint:
        use(import_module("domain.observing.otlp").Collector(process, endpoint))
        atexit.register(flush)


def use(sink: Sink | None) -> Callable[[], None]:
    """From now on units go there; the answer takes it back."""
    before = _sink[:]
    _sink[:] = [sink] if sink is not None else []

    def undo() -> None:
        _sink[:] = before

    return undo


def enabled() -> bool:
    return bool(_sink)


def flush() -> None:
    """For a process that is about to end."""
    for sink in _sink:
        sink.flush()


def trace_of_command(command_id: UUID) -> int:
    return command_id.int


def span_of_event(event_id: UUID | str) -> int:
    """The low half of the id: random enough, and never 0 in practice."""
    number = UUID(str(event_id)).int
    return number & ((1 << _SPAN_BITS) - 1) or 1


def current_trace() -> str:
    """For a log line: the trace as collectors write it, "" while nobody knows it."""
    unit = _unit.get() if _sink else None
    return f"{unit.trace:032x}" if unit is not None and unit.trace is not None else ""


@contextmanager
def span(name: str, kind: Kind = "internal", **attributes: Value) -> Iterator[None]:
    """A piece of work; the outermost one is a unit, and sends everything when it ends."""
    if not _sink:
        yield
        return
    unit, token = _unit.get(), None
    if unit is None:
        unit = Unit()
        token = _unit.set(unit)
    one = _begin(unit, name, kind, attributes)
    try:
        yield
    except BaseException as error:
        one.failed = type(error).__name__
        raise
    finally:
        one.ended_ns = time.time_ns()
        unit.stack.pop()
        if token is not None:
            _unit.reset(token)
            _send(unit)


def belongs(trace: int | None, parent: int | None = None) -> None:
    """Says to which trace the unit at hand belongs, and below which span of another unit. Only
    the first word counts; None says nothing."""
    unit = _unit.get()
    if unit is None or unit.trace is not None or trace is None:
        return
    unit.trace = trace
    if parent is not None and parent != unit.spans[0].span_id:
        unit.spans[0].parent = parent


def undecided() -> bool:
    """Whether the unit at hand, if there is one, still waits for its trace."""
    unit = _unit.get()
    return unit is not None and unit.trace is None


def happened(name: str, event_id: UUID, attributes: Mapping[str, Value]) -> None:
    """A recorded event: a span without length, below which others hang what it led to."""
    unit = _unit.get()
    if unit is None or len(unit.spans) >= SPANS_MAX:
        return
    now = time.time_ns()
    parent = unit.stack[-1].span_id if unit.stack else None
    one = Span(name, span_of_event(event_id), parent, "internal", now, dict(attributes), now)
    unit.spans.append(one)


def mark(**attributes: Value) -> None:
    """Adds to the span at hand."""
    unit = _unit.get()
    if unit is not None and unit.stack:
        unit.stack[-1].attributes.update(attributes)


def rename(name: str) -> None:
    """Names the outermost span of the unit once more is known."""
    unit = _unit.get()
    if unit is not None:
        unit.spans[0].name = name


def _begin(unit: Unit, name: str, kind: Kind, attributes: Mapping[str, Value]) -> Span:
    parent = unit.stack[-1].span_id if unit.stack else None
    number = secrets.randbits(_SPAN_BITS) or 1
    one = Span(name, number, parent, kind, time.time_ns(), dict(attributes))
    unit.stack.append(one)
    if len(unit.spans) < SPANS_MAX:
        unit.spans.append(one)
    return one


def _send(unit: Unit) -> None:
    trace = unit.trace if unit.trace is not None else secrets.randbits(128) or 1
    for sink in _sink:
        sink.take(trace, unit.spans)
