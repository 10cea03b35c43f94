"""The hostile texts on paper and in tables: in a PDF each stands as text, with nothing to click or
run in the file; in a CSV no cell is calculated. (Fetching and bombs: tests/jobs/documents.)"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator

import msgspec
import pikepdf
import pytest

from bench.hostile import FORMULAS, MARKUP
from config import HAFENLICHT, ROOT
from domain.readmodels.exports import Kind
from jobs.documents.content import CorrectionContent, check
from jobs.documents.render import render
from jobs.runs.spreadsheet import harmless, writer
from tests.jobs.documents.samples import correction, text

FORBIDDEN = {"/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/URI", "/SubmitForm", "/AA", "/XFA"}
SHORT, LONG = 40, 200


def _papers() -> Iterator[tuple[CorrectionContent, list[str]]]:
    """All payloads in as few documents as hold them, each where it fits."""
    short = [one for one in MARKUP if len(one) <= SHORT]
    long = [one for one in MARKUP if len(one) > SHORT]
    while short or long:
        names = ("product_name", "customer_number", "contract_number", "invoice_number")
        fields = {name: short.pop() for name in names if short}
        for name in ("recipient_name", "reason"):
            if long or short:
                fields[name] = (long or short).pop()
        placed = list(fields.values())
        address = tuple((long or short).pop() for _ in range(2) if long or short)
        content = correction(**fields, recipient_address=address)
        line = msgspec.structs.replace(content.lines[0], cover=(address or ("x",))[0])
        yield msgspec.structs.replace(content, lines=(line,)), [*placed, *address]


def _letters(said: str) -> str:
    return re.sub(r"[\s\x02\ufffe\u00ad-]", "", said)


def test_sixty_payloads_on_paper_are_only_letters() -> None:
    placed = 0
    for content, texts in _papers():
        check(content)
        pdf = render("correction", content, HAFENLICHT)
        said = _letters(text(pdf))
        for one in texts:
            assert _letters(one)[:30] in said, one
            placed += 1
        assert _alive(pdf) == []
    assert placed == len(MARKUP)


def _alive(pdf: bytes) -> list[str]:
    """Everything in the file that a reader could run, open or send."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        found = ["an attachment"] if opened.attachments else []
        for one in opened.objects:
            found += _inside(one)
    return found


def _inside(one: object) -> Iterator[str]:
    """Names in a dictionary, and in what it holds itself; the rest is an object of its own."""
    entries = one.stream_dict if isinstance(one, pikepdf.Stream) else one
    if isinstance(entries, pikepdf.Array):
        for value in entries:
            yield from _inside(value) if not getattr(value, "is_indirect", False) else ()
    if isinstance(entries, pikepdf.Dictionary):
        for name, value in entries.items():
            yield from {name, str(value) if isinstance(value, pikepdf.Name) else ""} & FORBIDDEN
            yield from _inside(value) if not getattr(value, "is_indirect", False) else ()


def test_a_living_pdf_is_seen() -> None:
    held = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        made.save(held)
    assert _alive(held.getvalue())


def _starts(cell: str) -> str:
    """The first sign that a spreadsheet looks at."""
    seen = (sign for sign in cell if unicodedata.category(sign) not in ("Zs", "Zl", "Zp", "Cf"))
    return next(seen, "")


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_formula_is_calculated(formula: str) -> None:
    held = io.StringIO()
    csv.writer(held, delimiter=";").writerow([harmless(formula), "x"])
    [[cell, beside]] = csv.reader(io.StringIO(held.getvalue(), newline=""), delimiter=";")
    assert beside == "x"
    for line in re.split(r"\r\n|\r|\n", cell):
        assert _starts(line) not in set("=+-@\t＝＋－＠"), cell


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.WORD, Kind.JSON])
def test_every_kind_of_cell_that_holds_text_is_harmless(kind: Kind) -> None:
    """Sums, counts and days are written from numbers and cannot hold a formula."""
    write = writer(kind, {})
    for formula in FORMULAS:
        for line in re.split(r"\r\n|\r|\n", write(formula)):
            assert _starts(line) not in set("=+-@\t＝＋－＠"), (kind, formula)


def test_there_is_one_way_to_write_a_table() -> None:
    """A second CSV writer would be a second place to forget it."""
    writers = [
        str(path.relative_to(ROOT))
        for folder in ("webapp", "jobs", "domain")
        for path in (ROOT / folder).rglob("*.py")
        if "csv.writer" in path.read_text() or "csv.DictWriter" in path.read_text()
    ]
    assert writers == ["jobs/runs/spreadsheet.py"]
