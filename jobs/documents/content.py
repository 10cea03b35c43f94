"""What a document shows, as plain frozen values, and the check that it may be rendered at all.
The invoice's own event carries the same fields; nothing here looks anything up."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from domain.kernel.money import Cents

BASIS_POINTS = 10_000
"""16.15 % is 1615."""


class RenderRefused(Exception):
    """The content itself is not printable; trying again does not help. Names no personal data."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One cover with its own insurance tax. On a correction the amounts are negative."""

    cover: str
    net: Cents
    tax_rate_bp: int
    """Insurance tax on the net premium, in basis points."""
    tax: Cents
    gross: Cents
    tax_exemption: str = ""
    """The provision that exempts this cover ("§ 4 Nr. 5 VersStG"); needed when the rate is 0."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What invoice and correction have in common."""

    number: str
    issued_on: date
    recipient_name: str
    recipient_address: tuple[str, ...]
    customer_number: str
    contract_number: str
    product_name: str
    period_from: date
    period_to: date
    lines: tuple[Line, ...]
    total_net: Cents
    total_tax: Cents
    total_gross: Cents
    iban_last4: str
    """Only the last four characters are ever known here, so a whole IBAN cannot be printed."""


class InvoiceContent(Content, frozen=True, kw_only=True):
    """A premium bill, which is also the announcement of its direct debit."""

    due_on: date
    debit_on: date
    mandate_reference: str
    creditor_id: str
    insurance_tax_number: str


class CorrectionContent(Content, frozen=True, kw_only=True):
    """A document of its own that takes back a part of one invoice."""

    invoice_number: str
    invoice_issued_on: date
    reason: str
    """The sentence the customer reads, not a note of the staff."""
    insurance_tax_number: str


LINES_MAX = 500  # 500 lines are about 20 pages and 3 s; no contract has more covers.
ADDRESS_LINES_MAX = 5  # The window of DIN 5008 holds six lines; the first is the name.
# A name may fill the window but not overflow it; what is not listed is an identifier.
TEXT_MAX = {
    "recipient_name": 140,
    "recipient_address": 70,
    "product_name": 140,
    "cover": 140,
    "reason": 500,
}
IDENTIFIER_MAX = 40
CENTS_MAX = 99_999_999_999  # SEPA's largest amount, 999,999,999.99 EUR.


def check(content: Content) -> None:
    """Raises RenderRefused unless the content is small enough and adds up to the cent."""
    if not 1 <= len(content.lines) <= LINES_MAX:
        raise RenderRefused(f"a document has 1 to {LINES_MAX} lines, not {len(content.lines)}")
    if len(content.recipient_address) > ADDRESS_LINES_MAX:
        raise RenderRefused(f"an address has at most {ADDRESS_LINES_MAX} lines below the name")
    for name, text in _texts(content):
        limit = TEXT_MAX.get(name, IDENTIFIER_MAX)
        if len(text) > limit:
            raise RenderRefused(f"{name} has {len(text)} characters, at most {limit} are allowed")
    if len(content.iban_last4) != 4:
        raise RenderRefused("an IBAN is printed by its last four characters only")
    _check_amounts(content)


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    for struct in (content, *content.lines):
        for name in struct.__struct_fields__:
            value = getattr(struct, name)
            if isinstance(value, str):
                yield name, value
            elif name == "recipient_address":
                yield from ((name, line) for line in value)


def _check_amounts(content: Content) -> None:
    sign = -1 if isinstance(content, CorrectionContent) else 1
    for line in content.lines:
        if line.net + line.tax != line.gross:
            raise RenderRefused("a line's net premium and tax do not add up to its gross")
        if min(sign * line.net, sign * line.tax) < 0:
            raise RenderRefused("an invoice asks for money and a correction gives it back")
        if not 0 <= line.tax_rate_bp <= BASIS_POINTS:
            raise RenderRefused("a tax rate lies between 0 and 100 %")
        if line.tax_rate_bp == 0 and (line.tax != 0 or not line.tax_exemption):
            raise RenderRefused("an untaxed line carries no tax and names what exempts it")
    totals = (content.total_net, content.total_tax, content.total_gross)
    if totals != _sums(content.lines):
        raise RenderRefused("the totals are not the sums of the lines")
    if not 0 < sign * content.total_gross <= CENTS_MAX:
        raise RenderRefused("the total is zero, has the wrong sign or is too large")


def _sums(lines: Sequence[Line]) -> tuple[Cents, Cents, Cents]:
    return (
        sum(line.net for line in lines),
        sum(line.tax for line in lines),
        sum(line.gross for line in lines),
    )


# Left out of print: controls, and the marks that make text read in another order than stored.
_HIDDEN = frozenset({"Cc", "Cs"})
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """The text as it may stand on paper: one line, no control and no reordering characters."""
    kept = (
        " " if char.isspace() else char
        for char in text
        if char.isspace() or (unicodedata.category(char) not in _HIDDEN and char not in _REORDERING)
    )
    return "".join(kept)
