"""Content to PDF bytes with WeasyPrint, the same bytes every time. It fetches nothing but data:
URLs and sets no limits on itself; workers call `limits.render_limited`."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from config import House
from domain.kernel.money import Cents
from jobs.documents.content import (
    Content,
    CorrectionContent,
    InvoiceContent,
    Line,
    check,
    printable,
)

HERE = Path(__file__).parent
FONTS = {400: "Inter-Regular.woff2", 500: "Inter-Medium.woff2", 600: "Inter-SemiBold.woff2"}
# Archivable and tagged: level A of PDF/A-3 carries the structure a screen reader needs.
PDF_VARIANT = "pdf/a-3a"

# kind -> the content it takes and the template that shows it.
DOCUMENTS: dict[str, tuple[type[Content], str]] = {
    "invoice": (InvoiceContent, "invoice.html"),
    "correction": (CorrectionContent, "correction.html"),
}
WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
NO_BREAK = "\N{NO-BREAK SPACE}"

TaxRow: TypeAlias = tuple[int, str, Cents, Cents]
"""Rate in basis points, the provision that exempts, net premium, tax."""


def render(kind: str, content: Content, house: House) -> bytes:
    """The document as PDF. Raises RenderRefused for content that must not be printed."""
    expected, template = DOCUMENTS[kind]
    if not isinstance(content, expected):
        raise TypeError(f"{kind} shows {expected.__name__}, not {type(content).__name__}")
    check(content)
    page = _templates().get_template(template)
    lines = shown(content)
    return to_pdf(page.render(doc=content, house=house, lines=lines, taxes=taxes(lines)))


def to_pdf(html: str) -> bytes:
    """HTML that carries every text escaped. Even if it did not, no URL would be opened."""
    css, fonts = _style()
    pdf = HTML(string=html, url_fetcher=fetcher(), base_url=None).write_pdf(
        stylesheets=[css], font_config=fonts, pdf_variant=PDF_VARIANT, pdf_tags=True
    )
    return bytes(pdf)


def fetcher() -> URLFetcher:
    """The only way out of a document: data: URLs. No http, no file, no redirect."""
    return URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=False)


def preload() -> None:
    """Loads fonts, style and templates once, so that forked children start with them."""
    _style()
    for _, template in DOCUMENTS.values():
        _templates().get_template(template)


def shown(content: Content) -> list[Line]:
    """A correction is silent about the covers it leaves as they were."""
    whole = isinstance(content, InvoiceContent)
    return [line for line in content.lines if whole or line.gross]


def taxes(lines: Sequence[Line]) -> list[TaxRow]:
    """Insurance tax per rate, as VersStG § 5(3) wants it shown."""
    by_rate = sorted(lines, key=lambda line: (-line.tax_rate_bp, line.tax_exemption))
    rows: list[TaxRow] = []
    for (rate, exemption), group in groupby(by_rate, lambda x: (x.tax_rate_bp, x.tax_exemption)):
        same = list(group)
        rows.append((rate, exemption, sum(x.net for x in same), sum(x.tax for x in same)))
    return rows


def euro(cents: Cents) -> str:
    """-123456 -> "−1.234,56 €", with the minus sign a screen reader speaks."""
    whole, rest = divmod(abs(cents), 100)
    sign = "\N{MINUS SIGN}" if cents < 0 else ""
    return f"{sign}{whole:,}".replace(",", ".") + f",{rest:02d}{NO_BREAK}€"


def percent(basis_points: int) -> str:
    """1615 -> "16,15 %", 1900 -> "19 %"."""
    text = f"{basis_points // 100},{basis_points % 100:02d}".rstrip("0").rstrip(",")
    return f"{text}{NO_BREAK}%"


def german_date(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def iban_groups(iban: str) -> str:
    compact = iban.replace(" ", "")
    return NO_BREAK.join(compact[n : n + 4] for n in range(0, len(compact), 4))


def _clean(value: object) -> object:
    """Every text a template prints passes here; our own markup is left alone."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


@cache
def _templates() -> Environment:
    filters: dict[str, Callable[..., str]] = {
        "euro": euro,
        "percent": percent,
        "day": german_date,
        "weekday": lambda day: WEEKDAYS[day.weekday()],
        "iban": iban_groups,
    }
    env = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(filters)
    return env


class _Fonts(FontConfiguration):  # type: ignore[misc]  # weasyprint has no types
    """Its clean-up deletes the unpacked fonts; a forked child must leave them to the parent."""

    def __init__(self) -> None:
        super().__init__()
        self._owner = os.getpid()

    def __del__(self) -> None:
        if os.getpid() == self._owner:
            super().__del__()


@cache
def _style() -> tuple[CSS, FontConfiguration]:
    fonts = _Fonts()
    faces = "".join(_font_face(weight, name) for weight, name in FONTS.items())
    sheet = faces + (HERE / "document.css").read_text(encoding="utf-8")
    return CSS(string=sheet, font_config=fonts, url_fetcher=fetcher()), fonts


def _font_face(weight: int, name: str) -> str:
    data = base64.b64encode((HERE / "fonts" / name).read_bytes()).decode("ascii")
    return (
        f"@font-face{{font-family:Inter;font-weight:{weight};"
        f"src:url(data:font/woff2;base64,{data})}}\n"
    )
