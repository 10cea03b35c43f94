"""Ten ways a customer's text could make the renderer fetch or embed something, in every field.
A real server counts the requests and a real file is the secret; a control shows that they see."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pikepdf
import pytest
import weasyprint

from config import HAFENLICHT
from jobs.documents.content import Content, RenderRefused, check
from jobs.documents.render import render, to_pdf
from tests.jobs.documents.samples import GLASS, correction, invoice, kind_of, text

SECRET = b"<svg xmlns='http://www.w3.org/2000/svg'><text>harbour master 4711</text></svg>"

# {url} is our server, {file} our secret. Short enough for an identifier where that is possible.
SNIPPETS = {
    "image": "<img src={url}a>",
    "stylesheet": "<link rel=stylesheet href={url}b>",
    "import": "<style>@import '{url}c'</style>",
    "font": "<style>@font-face{{font-family:x;src:url({url}d)}}p{{font:9px x}}</style><p>x</p>",
    "background": "<p style=background:url({url}e)>x</p>",
    "svg image": "<svg xmlns='http://www.w3.org/2000/svg'><image href='{url}f' width='9'"
    " height='9'/></svg>",
    "object": "<object data={url}g type=image/png></object>",
    "attachment": "<link rel=attachment href={file}>",
    "attached link": "<a rel=attachment href={file}>x</a>",
    "local image": "<img src={file}><iframe src={file}></iframe>",
}
TEXTS = ("number", "recipient_name", "customer_number", "contract_number", "product_name")
OWN = {
    "invoice": ("mandate_reference", "creditor_id", "insurance_tax_number"),
    "correction": ("reason", "invoice_number", "insurance_tax_number"),
}


@dataclass
class Trap:
    """What came over the wire, and the file that must not come along."""

    url: str
    file: str
    hits: list[str] = field(default_factory=list)

    def armed(self, snippet: str) -> str:
        return snippet.format(url=self.url, file=self.file)


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    secret = tmp_path / "s.svg"
    secret.write_bytes(SECRET)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.hits.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the hits are the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Trap(url=f"http://127.0.0.1:{server.server_port}/", file=secret.as_uri())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def holds_the_secret(pdf: bytes) -> bool:
    """Embedded as a file, or drawn on the page."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        streams = [t.read_bytes() for t in opened.objects if isinstance(t, pikepdf.Stream)]
        if opened.attachments:
            return True
    return any(b"harbour master" in s for s in streams) or "harbour master" in text(pdf)


def test_the_control_leaks(trap: Trap) -> None:
    """Unescaped and with WeasyPrint's own fetcher: the trap must see at least nine of the ten."""
    leaks = 0
    for snippet in SNIPPETS.values():
        trap.hits.clear()
        pdf = weasyprint.HTML(string=f"<body>{trap.armed(snippet)}</body>").write_pdf()
        leaks += bool(trap.hits) or holds_the_secret(pdf)
    assert leaks >= 9


@pytest.mark.parametrize("snippet", SNIPPETS.values(), ids=SNIPPETS)
def test_even_unescaped_our_fetcher_opens_nothing(snippet: str, trap: Trap) -> None:
    pdf = to_pdf(f"<!doctype html><html lang=de><title>x</title><body>{trap.armed(snippet)}</body>")
    assert not trap.hits
    assert not holds_the_secret(pdf)


@pytest.mark.parametrize("content", [invoice(), correction()], ids=kind_of)
@pytest.mark.parametrize("snippet", SNIPPETS.values(), ids=SNIPPETS)
def test_a_snippet_in_every_field_is_only_text(snippet: str, content: Content, trap: Trap) -> None:
    armed = trap.armed(snippet)
    hostile = content
    filled = 0
    for name in (*TEXTS, *OWN[kind_of(content)]):
        hostile, done = _with(hostile, name, armed)
        filled += done
    hostile, done = _with(hostile, "recipient_address", (armed,))
    line = msgspec.structs.replace(content.lines[0], cover=armed)
    hostile, more = _with(hostile, "lines", (line, *content.lines[1:]))
    pdf = render(kind_of(content), hostile, HAFENLICHT)
    assert not trap.hits
    assert not holds_the_secret(pdf)
    # Everything we could fill in stands there literally, letter by letter.
    assert _letters(text(pdf)).count(_letters(armed)) >= filled + done + more


def _letters(said: str) -> str:
    """Without what a line break leaves in extracted text: blanks, and a hyphen turned U+0002."""
    return re.sub(r"[\s\x02\ufffe-]", "", said)


def _with(content: Content, name: str, value: object) -> tuple[Content, int]:
    """The content with the snippet in that field, or as it was if the field has no room for it."""
    hostile = msgspec.structs.replace(content, **{name: value})
    try:
        check(hostile)
    except RenderRefused:
        return content, 0
    return hostile, 1


def test_a_hostile_house_name_is_only_text_too(trap: Trap) -> None:
    house = replace(HAFENLICHT, name=trap.armed(SNIPPETS["image"]))
    said = text(render("invoice", invoice(GLASS), house))
    assert not trap.hits
    assert f"<img src={trap.url}a>" in said
