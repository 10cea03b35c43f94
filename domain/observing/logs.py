"""One log record is one line: JSON for machines, text for a terminal. It carries ids (request,
staff, command, effect, trace) and never a text somebody typed; what an error says is repeated only
where its class cannot hold personal data."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, TextIO

from domain.observing import traces

Style = Literal["json", "text"]
# Their messages name hosts, ports and files of ours, and nobody's data.
SPEAKING: Final = (OSError, RecursionError, NotImplementedError)
SPEAKING_MODULES: Final = (
    "redis.",
    "rq.",
    "psycopg_pool.",
    *(f"domain.stream.{name}." for name in ("store", "lease", "clock", "keys", "failpoints")),
    "domain.dispatch.",
    "jobs.advance.",
    "jobs.control.",
)
# PostgreSQL's other errors repeat the row that offends.
SPEAKING_SQLSTATES: Final = ("08", "53", "57", "58")
# Third parties that tell addresses, bodies or CSS of documents when they are let.
QUIET: Final = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "urllib3": logging.ERROR,
    "stripe": logging.ERROR,
    "fontTools": logging.WARNING,
    "weasyprint": logging.ERROR,
    "weasyprint.progress": logging.ERROR,
    "opentelemetry": logging.ERROR,
}
# A line each for a request and a command: right for machines, a flood on a terminal.
CHATTY: Final = ("kontor.commands",)
FRAMES_MAX: Final = 30
MESSAGE_CHARS_MAX: Final = 2_000
"""A longer one is a dump, not a message."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MASKS: Final = (
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b"), "[account]"),
    (re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[a-zA-Z]{2,}"), "[e-mail]"),
    # A card's; a statement's own number begins with its day.
    (re.compile(r"\b(?!20\d{6}-\d)\d(?:[ -]?\d){12,18}\b"), "[number]"),
    (re.compile(r"\b(?:sk|rk|pk|whsec)_[A-Za-z0-9_]{8,}"), "[key]"),
    (re.compile(r"(?<=://)[^\s/@]+@"), "[login]@"),
)
_bound: ContextVar[Mapping[str, object] | None] = ContextVar("kontor_bound", default=None)


@contextmanager
def bind(**ids: object) -> Iterator[None]:
    """Every record of this thread carries these ids until the end of the block."""
    token = _bound.set({**(_bound.get() or {}), **ids})
    try:
        yield
    finally:
        _bound.reset(token)


def bound() -> Mapping[str, object]:
    return _bound.get() or {}


def set_up(process: str, style: Style, stream: TextIO | None = None) -> None:
    """The one handler of this process. Loggers of third parties are held where they tell no
    address, no body and nothing of a document."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((Json if style == "json" else Text)(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.INFO if style == "json" else logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _crashed
    threading.excepthook = lambda args: _crashed(args.exc_type, args.exc_value, args.exc_traceback)


def _crashed(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """The last line of a process that nobody caught: one record, as all others."""
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("kontor").critical("ended by an error", exc_info=(kind, error, trace))


class Told(logging.Formatter):
    """What both styles share: a message without control characters and without what errors may
    repeat of people."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def message(self, record: logging.LogRecord) -> str:
        args = record.args
        if isinstance(args, tuple):
            safe: object = tuple(_safe(one) for one in args)
        elif isinstance(args, Mapping):
            safe = {name: _safe(one) for name, one in args.items()}
        else:
            safe = args
        said = str(_safe(record.msg))
        if safe:
            try:
                said = said % safe
            except (TypeError, ValueError):
                said = f"{said} (its values do not fit)"
        return clean(said)

    def error(self, record: logging.LogRecord) -> BaseException | None:
        return record.exc_info[1] if record.exc_info else None


class Json(Told):
    """One JSON object; json escapes whatever could begin another line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self.process,
            "logger": record.name,
            "message": self.message(record),
            **_ids(record),
        }
        error = self.error(record)
        if error is not None:
            line["error"] = describe(error)
            line["frames"] = frames(error)
        return json.dumps(line, default=lambda value: clean(str(value)))


class Text(Told):
    """For a terminal, below the supervisor's own time and name."""

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        ids = " ".join(f"{name}={_word(value)}" for name, value in _ids(record).items())
        line = f"{level}{self.message(record)}" + (f"  [{ids}]" if ids else "")
        error = self.error(record)
        if error is None:
            return line
        return "\n".join([line, f"  {describe(error)}", *(f"  at {one}" for one in frames(error))])


def _ids(record: logging.LogRecord) -> dict[str, object]:
    """What the thread carries and what the record brings (`extra={"ids": {...}}`)."""
    found = {**bound(), **getattr(record, "ids", {})}
    trace = traces.current_trace()
    if trace:
        found["trace_id"] = trace
    return found


def _word(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else clean(str(value))


def clean(said: str) -> str:
    """No line break, no escape sequence, no account, address or key; not too long."""
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", said[:MESSAGE_CHARS_MAX])
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def _safe(value: object) -> object:
    return describe(value) if isinstance(value, BaseException) else value


def describe(error: BaseException) -> str:
    """Its class and, where that cannot repeat anybody's data, what it says."""
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException):
        return describe(original)  # SQLAlchemy puts statement and values around it
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    template = getattr(error, "message", None)
    if kind.__name__ == "Refused" and isinstance(template, str):
        return clean(f"{name}: {template}")  # the sentence without its values
    said = _says(error, f"{kind.__module__}.")
    return clean(f"{name}: {said}" if said else name)


def _says(error: BaseException, module: str) -> str:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        diag = getattr(error, "diag", None)
        where = getattr(diag, "constraint_name", None) or getattr(diag, "table_name", None) or ""
        return str(error) if state.startswith(SPEAKING_SQLSTATES) else f"{state} {where}".strip()
    if module.startswith("psycopg.") and type(error).__name__ == "OperationalError":
        return str(error)  # no connection: host and port
    if isinstance(error, SPEAKING) or module.startswith(SPEAKING_MODULES):
        return str(error)
    return ""


def frames(error: BaseException) -> list[str]:
    """Where it came from: file, line, function; no values, no source."""
    found = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    return [f"{one.filename}:{one.lineno} {one.name}" for one in found]
