"""What may be printed: sizes, signs and sums, before any renderer starts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from jobs.documents.content import LINES_MAX, Content, Line, RenderRefused, check, printable
from tests.jobs.documents.samples import GLASS, HOUSEHOLD, LIFE, correction, invoice, totals


def changed(line: Line, **changes: Any) -> Line:
    return msgspec.structs.replace(line, **changes)


@pytest.mark.parametrize(
    "content",
    [
        invoice(),
        invoice(HOUSEHOLD, GLASS, LIFE),
        invoice(*[GLASS] * LINES_MAX),
        correction(),
    ],
    ids=["two covers", "one exempt", "as long as allowed", "correction"],
)
def test_what_adds_up_may_be_printed(content: Content) -> None:
    check(content)


def odd(line: Line) -> Content:
    return invoice(line)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (invoice(*[GLASS] * (LINES_MAX + 1)), "1 to 500 lines, not 501"),
        (invoice(lines=(), **totals(())), "1 to 500 lines, not 0"),
        (invoice(recipient_name="x" * 141), "recipient_name has 141 characters"),
        (invoice(recipient_address=("x" * 71,)), "recipient_address has 71 characters"),
        (invoice(recipient_address=("x",) * 6), "at most 5 lines below the name"),
        (invoice(product_name="x" * 1_000_000), "product_name has 1000000 characters"),
        (invoice(number="x" * 41), "number has 41 characters"),
        (odd(changed(GLASS, cover="x" * 141)), "cover has 141 characters"),
        (odd(changed(LIFE, tax_exemption="x" * 41)), "tax_exemption has 41 characters"),
        (correction(reason="x" * 501), "reason has 501 characters"),
        (invoice(iban_last4="DE89370400440532013000"), "last four characters only"),
        (odd(changed(GLASS, gross=358)), "do not add up to its gross"),
        (odd(changed(LIFE, tax_exemption="")), "names what exempts it"),
        (odd(changed(LIFE, tax=10, gross=510)), "carries no tax"),
        (odd(changed(GLASS, tax_rate_bp=10_001)), "between 0 and 100 %"),
        (odd(changed(GLASS, net=-300, gross=-243)), "a correction gives it back"),
        (invoice(total_gross=1578), "not the sums of the lines"),
        (invoice(total_tax=226, total_net=1351), "not the sums of the lines"),
        (correction(lines=(GLASS,), **totals((GLASS,))), "a correction gives it back"),
        (odd(changed(GLASS, net=0, tax=0, gross=0)), "zero"),
        (odd(changed(GLASS, net=10**12, tax=0, gross=10**12)), "too large"),
    ],
)
def test_anything_else_is_refused_with_the_reason(content: Content, reason: str) -> None:
    with pytest.raises(RenderRefused) as refused:
        check(content)
    assert reason in str(refused.value)


def test_a_refusal_repeats_nothing_of_the_customer() -> None:
    with pytest.raises(RenderRefused) as refused:
        check(invoice(recipient_name="Nadia Brandt" * 20))
    assert "Brandt" not in str(refused.value)


@pytest.mark.parametrize(
    ("stored", "printed"),
    [
        ("Yıldız-Weiß, Müller & Söhne", "Yıldız-Weiß, Müller & Söhne"),
        ("two\nlines\tof\r\nit", "two lines of  it"),
        ("nul\x00bell\x07", "nulbell"),
        ("pay \u202e00.1 EUR\u202c", "pay 00.1 EUR"),
        ("\u2067hidden\u2069", "hidden"),
        ("zero\u200djoined", "zero\u200djoined"),
    ],
)
def test_print_keeps_letters_and_drops_what_deceives(stored: str, printed: str) -> None:
    assert printable(stored) == printed
