"""Card numbers are refused in every field that keeps what people write; account numbers, policy
numbers and amounts are not taken for one. No page of ours has a field for a card."""

from __future__ import annotations

import random
from urllib.parse import urlencode

import pytest
from flask import Flask

from bench.atlas import Atlas, Form
from bench.browser import FORM, Browser, at
from bench.hostile import CARDS
from webapp.cards import holds_card_number

KEPT_NOWHERE = {
    ("auth.enter", "login"): "only compared",
    ("search.index", "q"): "only looked for",
    ("style.save", "memo"): "the style page keeps nothing",
    ("style.save", "amount"): "the style page keeps nothing",
    ("style.save", "remark"): "the style page keeps nothing",
    ("refunds.create", "amount"): "read as an amount or refused",
    ("sandbox.move", "date"): "read as a date or refused",
    ("sandbox.save_faults", "*"): "numbers for the simulator",
    ("staff.new", "login"): "letters only",
    ("staff.change", "name"): "looked at only for a new name, which is tried in test_staff",
    ("account.factor", "code"): "six digits, only compared",
    ("auth.setup", "code"): "six digits, only compared",
}
PLAIN = (
    "DE89 3704 0044 0532 0130 00",
    "DE89370400440532013000",
    "AT61 1904 3002 3457 3201",
    "HR-000815, Rechnung 2026-000123 vom 01.12.2026, 1.234,50 EUR",
    "pi_3PqRsT4242424242424242xY",
    "4242 4242 4242 4241",
    "0000 0000 0000 0000",
    "+49 40 3003-4242, 040/30034242",
    "20261102-00001 00000000000000000",
)


def _with_check_digit(digits: str) -> str:
    return next(f"{digits}{n}" for n in range(10) if holds_card_number(f"{digits}{n}"))


@pytest.mark.parametrize("card", [*CARDS, "378282246310005", "6011.1111.1111.1117"])
def test_a_card_number_is_known_however_it_is_written(card: str) -> None:
    assert holds_card_number(card)
    assert holds_card_number(f"Karte: {card}, gültig bis 12/29")
    assert holds_card_number(f"DE89 3704 0044 0532 0130 00\n{card}")


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_card_number(text: str) -> None:
    assert not holds_card_number(text)


def test_a_thousand_numbers() -> None:
    dice = random.Random(5)
    for _ in range(1_000):
        brand = dice.choice(("4", "51", "55", "2221", "6011"))
        digits = brand + "".join(dice.choices("0123456789", k=15 - len(brand)))
        card = _with_check_digit(digits)
        groups = " ".join(card[n : n + 4] for n in range(0, 16, 4))
        assert holds_card_number(groups)
        wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
        assert not holds_card_number(wrong)


def _fields(atlas: Atlas) -> list[tuple[str, Form, str]]:
    """Every text field of every form that writes, once."""
    found: dict[tuple[str, str], tuple[str, Form, str]] = {}
    for endpoint, forms in atlas.forms.items():
        for form in forms:
            for field in sorted(form.texts if form.method == "POST" else ()):
                found.setdefault((endpoint, field), (endpoint, form, field))
    return list(found.values())


def test_no_form_keeps_one(house: Flask, atlas: Atlas) -> None:
    fields = _fields(atlas)
    refused = 0
    for endpoint, form, field in fields:
        if (endpoint, field) in KEPT_NOWHERE or (endpoint, "*") in KEPT_NOWHERE:
            continue
        browser = Browser(house, form.role)
        values = {**dict(form.values), field: f"Karte {CARDS[0]} bis 12/29"}
        body = urlencode({**values, "csrf_token": browser.csrf}).encode()
        sent = at(form.action, "POST", headers={"Content-Type": FORM}, body=body)
        answer = browser.send(sent)
        if answer.status == 404:
            continue  # another test took it away
        assert answer.status == 422, (endpoint, field, answer.status)
        # What other tests did to this house may be another reason to refuse.
        refused += any(word in answer.text for word in ("card number", "Kartennummer"))
    assert refused >= 4


def test_no_page_asks_for_a_card(atlas: Atlas) -> None:
    for (_role, url), answer in atlas.seen.items():
        lower = answer.text.lower() if answer.kind == "text/html" else ""
        for word in ('autocomplete="cc-', 'name="card', 'name="cvc', 'name="cvv', 'name="pan"'):
            assert word not in lower, url
