"""One record is one line, whatever it holds; ids are there, people are not."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from domain.kernel.message import Refused
from domain.observing import logs
from domain.observing.logs import Style

CANARIES = {
    "account": "DE89370400440532013000",
    "account with blanks": "DE89 3704 0044 0532 0130 00",
    "e-mail": "nadia.brandt@example.org",
    "card": "4242 4242 4242 4242",
    "key": "sk_test_0123456789abcdef",
    "secret": "whsec_0123456789abcdef",
    "login": "postgresql://kontor:geheim@db/kontor",
}
HOSTILE = (
    "\n2026-12-08 ERROR forged",
    '\r\n{"level":"error","message":"forged"}',
    "\x1b[2J\x1b[31mforged",
    "\u2028forged",
    "\x9b31mforged",
    "\u202egnp.forged",
    "a\x00b",
)


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    """The suite's own handlers hold afterwards."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    yield
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def listening(style: Style) -> io.StringIO:
    out = io.StringIO()
    logs.set_up("web", style, out)
    return out


def one(out: io.StringIO) -> dict[str, object]:
    (line,) = out.getvalue().splitlines()
    told: dict[str, object] = json.loads(line)
    return told


def test_a_line_has_everything_that_is_known() -> None:
    out = listening("json")
    with logs.bind(request_id="ab12cd34"), logs.bind(command="ApproveRefund"):
        logging.getLogger("kontor.x").info("%s done", 3, extra={"ids": {"events": ["e1", "e2"]}})
    told = one(out)
    assert told.pop("at")
    assert told == {
        "level": "info",
        "process": "web",
        "logger": "kontor.x",
        "message": "3 done",
        "request_id": "ab12cd34",
        "command": "ApproveRefund",
        "events": ["e1", "e2"],
    }
    assert logs.bound() == {}


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("bad", HOSTILE)
def test_nothing_forges_a_line(style: Style, bad: str) -> None:
    out = listening(style)
    log = logging.getLogger("kontor.x")
    log.warning("from the message" + bad)
    log.warning("from a value: %s", bad)
    log.warning("by name: %(it)s", {"it": bad})
    with logs.bind(subject=bad):
        log.warning("from an id")
    text = out.getvalue()
    assert text.endswith("\n")
    assert len(text.split("\n")) - 1 == 4
    assert len(text.splitlines()) == 4
    assert not set(text) & {"\r", "\x1b", "\x00", "\x9b", "\u2028", "\u202e"}


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_what_looks_like_a_person_or_a_key_is_masked(style: Style, canary: str) -> None:
    out = listening(style)
    logging.getLogger("kontor.x").warning("about %s, please", canary)
    assert canary not in out.getvalue()
    assert "geheim" not in out.getvalue()
    assert "please" in out.getvalue()


def errors() -> list[Exception]:
    """As they come with a person's data in them."""
    statement = OperationalError(
        "SELECT 1 WHERE x = %s", {"x": "Nadia Brandt"}, ValueError("Brandt")
    )
    return [
        ValueError("Nadia Brandt is no number"),
        psycopg.errors.UniqueViolation("Key (name)=(Nadia Brandt) already exists."),
        Refused("%(name)s has no mandate.", name="Nadia Brandt"),
        statement,
        KeyError("Nadia Brandt"),
    ]


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_an_error_says_its_class_and_place_and_nobodys_name(style: Style, error: Exception) -> None:
    out = listening(style)
    log = logging.getLogger("kontor.x")
    try:
        raise error
    except Exception as caught:
        log.exception("it broke: %s", caught)
    text = out.getvalue()
    assert "Brandt" not in text
    assert "test_logs.py" in text
    said = getattr(error, "orig", error)
    assert type(said).__name__ in text


def test_a_lost_connection_says_where() -> None:
    out = listening("text")
    logging.getLogger("kontor.x").warning(
        "away: %s", ConnectionRefusedError(111, "refused by db:1")
    )
    assert "refused by db:1" in out.getvalue()


def test_values_that_do_not_fit_are_no_crash() -> None:
    out = listening("json")
    logging.getLogger("kontor.x").warning("%d of %d", "three")
    assert "do not fit" in str(one(out)["message"])


def test_third_parties_tell_no_addresses_and_no_bodies() -> None:
    out = listening("json")
    for name in ("httpx", "httpcore.http11", "stripe", "urllib3.connectionpool", "weasyprint"):
        logging.getLogger(name).info("GET https://api/v1/customers?email=a@b.de")
    assert out.getvalue() == ""


@pytest.mark.parametrize(("style", "lines"), [("json", 1), ("text", 0)])
def test_a_line_per_command_is_for_machines(style: Style, lines: int) -> None:
    out = listening(style)
    logging.getLogger("kontor.commands").info("2 events recorded")
    assert len(out.getvalue().splitlines()) == lines


def test_a_long_message_is_cut() -> None:
    out = listening("json")
    logging.getLogger("kontor.x").warning("x" * 100_000)
    assert len(out.getvalue()) < 3_000


def test_the_last_words_of_a_process_are_one_record_without_names() -> None:
    out = listening("json")
    try:
        raise ValueError("Nadia Brandt\nforged")
    except ValueError:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    told = one(out)
    assert (told["level"], told["error"]) == ("critical", "ValueError")
    assert "Brandt" not in out.getvalue()
