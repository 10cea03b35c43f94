"""Files from outside: a corpus of hostile XML against the statement reader under a memory limit,
and bad uploads over HTTP. Each is refused or held with a reason; nothing is ever half imported."""

from __future__ import annotations

import gzip
import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from bench.browser import FORM, Browser, Request
from config import HAFENLICHT, ROOT, Settings
from domain import operating
from domain.stream import clock, effects
from jobs.context import open_context
from jobs.effects import carry_out
from jobs.providers.stripe.simulator import camt as writer
from tests.readmodels.kit import Following
from webapp.access.permissions import Role
from webapp.access.security import BODY_LIMIT
from webapp.blueprints import statements

MEMORY_MAX = 700 * 1024 * 1024
"""Of addresses, for an interpreter with our modules and the parser; the bombs want gigabytes."""
CPU_S_MAX = 60
LINE = {
    "amount": 500,
    "booked_on": "2026-11-02",
    "end_to_end_id": "E1",
    "counterparty": "Erika Mustermann",
    "counterparty_iban": "",
    "remittance": "Beitrag",
    "reason": "",
}
HEAD = {
    "id": "20261102-00001",
    "sequence": 1,
    "from": "2026-11-02",
    "to": "2026-11-02",
    "created": "2026-11-02T05:00:00+00:00",
    "opening": 0,
    "closing": 500,
}


def statement() -> bytes:
    return writer.render(HAFENLICHT, HEAD, [LINE])


GOOD = statement()
_BODY = GOOD.partition(b"?>")[2]


def _laughs() -> bytes:
    levels = [b'<!ENTITY a0 "ha">']
    levels += [b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)]
    return b"<!DOCTYPE x [" + b"".join(levels) + b"]>" + _BODY.replace(b"Beitrag", b"&a11;")


def _quadratic() -> bytes:
    doctype = b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 100_000 + b'">]>'
    return doctype + _BODY.replace(b"Beitrag", b"&a;" * 50_000)


def _inside(content: bytes) -> bytes:
    return GOOD.replace(b"Beitrag", content)


def _external(what: bytes) -> bytes:
    return b"<!DOCTYPE x [<!ENTITY e " + what + b">]>" + _BODY.replace(b"Beitrag", b"&e;")


CORPUS: dict[str, Callable[[], bytes]] = {
    "billion laughs": _laughs,
    "quadratic blow-up": _quadratic,
    "a local file": lambda: _external(b'SYSTEM "file:///etc/passwd"'),
    "a server": lambda: _external(b'SYSTEM "http://127.0.0.1:9/x"'),
    "a public id": lambda: _external(b'PUBLIC "x" "file:///etc/passwd"'),
    "a parameter entity": lambda: b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///x"> %p;]>' + _BODY,
    "a foreign DTD": lambda: b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + _BODY,
    "an empty DOCTYPE": lambda: b"<!DOCTYPE Document>" + _BODY,
    "an unknown entity": lambda: _inside(b"&nobody;"),
    "a forbidden number": lambda: _inside(b"&#0;&#x1F;"),
    "depth": lambda: _inside(b"<a>" * 100_000 + b"</a>" * 100_000),
    "depth, never closed": lambda: b"<a>" * 3_000_000,
    "ten megabytes of text": lambda: _inside(b"x" * 11_000_000),
    "ten megabytes of CDATA": lambda: _inside(b"<![CDATA[" + b"x" * 11_000_000 + b"]]>"),
    "ten megabytes of a name": lambda: b"<" + b"x" * 11_000_000 + b"/>",
    "a huge attribute": lambda: b'<Document a="' + b"x" * 11_000_000 + b'"/>',
    "many attributes": lambda: (
        b"<Document " + b" ".join(b'a%d="1"' % n for n in range(300_000)) + b"/>"
    ),
    "many namespaces": lambda: (
        b"<Document " + b" ".join(b'xmlns:a%d="u%d"' % (n, n) for n in range(30_000)) + b"/>"
    ),
    "the same attribute twice": lambda: b'<Document a="1" a="2"/>',
    "an undeclared prefix": lambda: b"<x:Document/>",
    "a comment without an end": lambda: GOOD[:200] + b"<!--" + b"x" * 100_000,
    "two roots": lambda: GOOD + b"<Document/>",
    "text after the end": lambda: GOOD + b"<",
    "truncated": lambda: GOOD[: len(GOOD) // 2],
    "a NUL": lambda: _inside(b"\0"),
    "no UTF-8": lambda: _inside(b"\xff\xfe\xfa"),
    "an overlong form": lambda: _inside(b"\xc0\xbcscript\xc0\xbe"),
    "half of a pair": lambda: _inside(b"\xed\xa0\x80"),
    "an unknown encoding": lambda: GOOD.replace(b"UTF-8", b"x-none"),
    "another encoding": lambda: GOOD.replace(b"UTF-8", b"UTF-16"),
    "UTF-7": lambda: b'<?xml version="1.0" encoding="UTF-7"?>+ADw-Document/+AD4-',
    "UTF-32": lambda: GOOD.decode().replace("UTF-8", "UTF-32").encode("utf-32"),
    "EBCDIC": lambda: GOOD.decode().replace("UTF-8", "cp500").encode("cp500", "replace"),
    "only a mark": lambda: b"\xef\xbb\xbf",
    "nothing": lambda: b"",
    "XML 1.1": lambda: GOOD.replace(b'version="1.0"', b'version="1.1"').replace(b"Nm>", b"Nm&#1;>"),
    "a zip": lambda: _zipped(b"x" * 50_000_000),
    "gzip": lambda: gzip.compress(GOOD),
    "a PDF": lambda: b"%PDF-1.7\n" + GOOD,
    "HTML": lambda: b"<!doctype html><script>xq7()</script>",
    "SVG": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='xq7()'/>",
    "a stylesheet": lambda: (
        b'<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:9/"?><x/>'
    ),
    "an include": lambda: _inside(
        b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    ),
}
# An include is an element like any other: nobody follows it, and the line has no such text.
READ = {"an include", "XML 1.1"}


def _zipped(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../statement.xml", content)
    return held.getvalue()


def main(folder: str) -> None:
    """In a process of its own, so that the limit is really one."""
    from jobs.runs.statement import StatementRefused, read_statement

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    told = {}
    for name in CORPUS:
        try:
            found = read_statement((Path(folder) / name).read_bytes(), HAFENLICHT.iban)
            told[name] = "read: " + " ".join(line.remittance for line in found.lines())
        except StatementRefused as refused:
            told[name] = f"refused: {refused}"
        except Exception as error:  # noqa: BLE001  # whatever else happens is the finding
            told[name] = f"broke: {type(error).__name__} {str(error)[:200]}"
    print(json.dumps(told))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the reader says to every file of the corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    for name, make in CORPUS.items():
        (folder / name).write_bytes(make())
    code = f"from tests.security.test_uploads import main; main({str(folder)!r})"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    answers: dict[str, str] = json.loads(ran.stdout)
    return answers


@pytest.mark.parametrize("name", CORPUS)
def test_hostile_xml_is_refused_with_a_sentence(told: dict[str, str], name: str) -> None:
    said = told[name]
    assert said.startswith("read: " if name in READ and said[:4] == "read" else "refused: "), said
    assert len(said) < 600
    for secret in ("root:", "haha", "Traceback", str(ROOT)):
        assert secret not in said


@pytest.fixture
def kit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Following:
    monkeypatch.setattr(statements, "PATIENCE_S", 0.0)
    return Following(app.extensions["kontor"])


def _upload(browser: Browser, body: bytes, name: str, kind: str, chunked: bool = False) -> int:
    boundary = "xq7xq7"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{browser.csrf}'
        f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    whole = head.encode("utf-8", "replace") + body + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    headers |= {"Transfer-Encoding": "chunked"} if chunked else {}
    path = "/statements/upload"
    return browser.send(Request("POST", path, "", headers, whole, chunked), keep=False).status


def _work(settings: Settings) -> None:
    context = open_context(settings)
    with context.dispatcher.read() as connection:
        due = effects.due(connection, clock.now(connection), 100)
    for one in due:
        carry_out(context, one.effect_id)
    context.dispatcher.database.close()


BAD: tuple[tuple[str, str, str], ...] = (
    ("nothing", "a.xml", "text/xml"),
    ("a zip", "statement.xml", "text/xml"),
    ("gzip", "statement.xml.gz", "application/gzip"),
    ("a PDF", "statement.pdf", "application/pdf"),
    ("only a mark", "a.xml", "text/xml"),
    ("EBCDIC", "a.xml", "text/xml"),
    ("HTML", "statement.xml.html", "text/html"),
    ("SVG", "statement.svg", "image/svg+xml"),
    ("billion laughs", "../../etc/passwd", "text/xml"),
    ("a local file", "..\\..\\windows\\win.ini", "text/xml"),
    ("truncated", "a.xml\0.exe", "text/xml"),
    ("two roots", "\u202elmx.exe", "text/xml"),
    ("an empty DOCTYPE", "<script>xq7()</script>.xml", "text/xml"),
    ("no UTF-8", "x" * 3_000 + ".xml", "text/xml"),
    ("depth", "CON", "text/xml"),
    ("many attributes", "", "text/xml"),
    ("a NUL", "a.xml", "application/x-no-such-thing"),
    ("UTF-32", "=cmd|' /c calc'!A1.xml", "text/xml"),
    ("text after the end", "%2e%2e%2fa.xml", "text/xml"),
    ("a stylesheet", "https://evil.example/a.xml", "text/xml"),
)


def test_twenty_bad_uploads_are_refused_or_held(
    kit: Following, app: Flask, settings: Settings
) -> None:
    """Held ones show their reason in the list; the good one afterwards is imported whole."""
    browser = Browser(app, Role.FINANCE)
    before = _files(settings)
    for name, filename, kind in BAD:
        assert _upload(browser, CORPUS[name](), filename, kind) in (303, 422), name
    _work(settings)
    kit.settle()
    held = operating.bank_files_not_imported(kit.kontor)
    assert all(one.reason for one in held)
    assert len(held) >= 10
    assert _imported(kit) == (0, 0)
    page = browser.send(Request(path="/statements"))
    assert page.status == 200
    assert "xq7()</script>" not in page.text
    assert _upload(browser, _for(settings), "good.xml", "text/xml") == 303
    _work(settings)
    kit.settle()
    assert _imported(kit) == (1, 1)
    assert _files(settings) == before, "an upload became a file"


def _files(settings: Settings) -> set[Path]:
    """All but the counters of the web app."""
    return {path for path in settings.var.rglob("*") if "metrics" not in path.parts}


def _for(settings: Settings) -> bytes:
    return writer.render(settings.house, HEAD, [LINE])


def _imported(kit: Following) -> tuple[int, int]:
    with kit.kontor.read() as connection:
        row = connection.execute(
            "SELECT count(DISTINCT stream_id) FILTER (WHERE type = 'statement-imported'),"
            " count(DISTINCT stream_id) FILTER (WHERE type LIKE '%line%') FROM event"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@pytest.fixture
def person(house: Flask) -> Browser:
    return Browser(house, Role.FINANCE)


@pytest.mark.parametrize(("chunked", "status"), [(False, 413), (True, 411)])
def test_no_body_is_larger_than_its_limit(person: Browser, chunked: bool, status: int) -> None:
    """One that does not say how long it is would be cut at the limit, and the rest taken."""
    large = b"note=" + b"x" * (BODY_LIMIT + 10)
    headers = {"Content-Type": FORM, "X-CSRF-Token": person.csrf}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    for path in ("/theme", "/work/bulk", "/hooks/stripe", "/nothing"):
        sent = Request("POST", path, "", headers, large, chunked)
        expected = 404 if path == "/nothing" and not chunked else status
        assert person.send(sent, keep=False).status == expected, path
    file = b"<" + b"x" * statements.FORM_MAX
    assert _upload(person, file, "a.xml", "text/xml", chunked) == status


def test_a_form_has_a_limit_on_its_fields(person: Browser) -> None:
    """A million tiny fields fit into a megabyte and would cost a second each."""
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' for _ in range(5_000)
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-CSRF-Token": person.csrf}
    sent = Request("POST", "/theme", "", headers, parts + b"--x--\r\n")
    assert person.send(sent, keep=False).status == 413
