"""German numbers, dates and account numbers, and the reading of typed amounts."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime

import pytest
from babel.numbers import format_currency
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.message import Refused
from webapp import format as fmt
from webapp import texts


@given(st.integers(-(10**11), 10**11))
def test_money_is_what_babel_writes_with_a_real_minus(cents: int) -> None:
    expected = format_currency(cents / 100, "EUR", locale="de_DE").replace("-", fmt.MINUS)
    assert fmt.money(cents) == expected


def test_money_samples() -> None:
    assert fmt.money(123450) == "1.234,50\u00a0€"
    assert fmt.money(-35) == "\u22120,35\u00a0€"
    assert fmt.money(0) == "0,00\u00a0€"
    assert fmt.money(None) == ""
    assert fmt.money_plain(123405) == "1234,05"
    assert fmt.number(4812) == "4.812"


def test_instants_are_shown_in_berlin_and_marked_in_utc() -> None:
    summer = datetime(2026, 7, 1, 22, 30, 7, tzinfo=UTC)
    assert fmt.when(summer) == '<time datetime="2026-07-01T22:30:07Z">02.07.2026 00:30</time>'
    assert fmt.day_of(summer) == '<time datetime="2026-07-01T22:30:07Z">02.07.2026</time>'
    assert "00:30:07" in fmt.time_of_day(summer, seconds=True)
    assert fmt.day(date(2026, 11, 9)) == '<time datetime="2026-11-09">09.11.2026</time>'


def test_an_account_number_in_fours_and_masked() -> None:
    assert fmt.iban("de89370400440532013000") == "DE89 3704 0044 0532 0130 00"
    assert fmt.iban_masked("DE89 3704 0044 0532 0130 00").replace(fmt.NBSP, " ") == "DE** **** 3000"
    assert fmt.iban_masked("") == ""


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 23), "today"),
        (date(2026, 11, 24), "tomorrow"),
        (date(2026, 11, 25), "in 2 working days"),
        (date(2026, 11, 30), "in 5 working days"),
        (date(2026, 11, 20), "1 working day late"),
        (date(2026, 11, 18), "3 working days late"),
        (date(2027, 11, 23), "in 365 days"),
    ],
)
def test_a_deadline_names_its_distance(bare_app: Flask, day: date, words: str) -> None:
    with bare_app.test_request_context():
        shown = texts.deadline(day, date(2026, 11, 23))
    assert shown.endswith(f"{day:%d.%m.%Y}</time>, {words}")


def test_a_time_that_ended_is_over_and_not_late(bare_app: Flask) -> None:
    today = date(2027, 1, 14)
    with bare_app.test_request_context():
        ended, runs = (texts.until(day, today) for day in (date(2026, 11, 10), today))
    assert ended.striptags() == "10.11.2026, over"
    assert runs.striptags().endswith(", today")


@pytest.mark.parametrize(
    ("day", "today", "words"),
    [
        (date(2026, 11, 21), date(2026, 11, 22), "1 day late"),
        (date(2026, 11, 22), date(2026, 11, 20), "in 2 days"),
        (date(2025, 11, 23), date(2026, 11, 23), "365 days late"),
    ],
)
def test_where_no_working_day_lies_between_days_are_counted(
    bare_app: Flask, day: date, today: date, words: str
) -> None:
    with bare_app.test_request_context():
        assert texts.distance(day, today) == words


@pytest.mark.parametrize(
    "typed", ["9.11.2026", "09.11.26", " 9. 11. 2026", "9,11,2026", "2026-11-09"]
)
def test_a_day_in_every_spelling_people_use(typed: str) -> None:
    assert fmt.parse_day(typed) == date(2026, 11, 9)
    assert fmt.typed_day(typed) == "09.11.2026"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Choose a day."),
        ("soon", "This is not a day."),
        ("31.02.2026", "This is not a day."),
        ("9.11.", "This is not a day."),
        ("1.1.2999", "This is not a day."),
        ("11/09/2026", "Do you mean 11.09.2026 or 09.11.2026?"),
    ],
)
def test_a_day_is_never_guessed(bare_app: Flask, typed: str, sentence: str) -> None:
    with bare_app.test_request_context(), pytest.raises(Refused) as refused:
        fmt.parse_day(typed)
    with bare_app.test_request_context():
        assert texts.sentence(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("49,90", 4990),
        ("49.90", 4990),
        ("1.234,50", 123450),
        ("1,234.50", 123450),
        ("1234", 123400),
        ("1234,5", 123450),
        ("12.345.678", 1234567800),
        (" 49,90 € ", 4990),
        ("49,90 EUR", 4990),
        ("49,90\u00a0€", 4990),
        ("0,01", 1),
        ("007,50", 750),
    ],
)
def test_amounts_that_have_one_reading(typed: str, cents: int) -> None:
    assert fmt.parse_amount(typed) == cents


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1.234", "Do you mean 1.234,00 € or 1,23 €?"),
        ("1,234", "Do you mean 1.234,00 € or 1,23 €?"),
        ("", "Enter an amount."),
        ("   ", "Enter an amount."),
        ("0", "The amount has to be more than 0,00 €."),
        ("0,00", "The amount has to be more than 0,00 €."),
        ("-5", "Enter an amount without a minus sign."),
        ("\u22125,00", "Enter an amount without a minus sign."),
        ("abc", "This is not an amount. Write it like 49,90."),
        ("1e3", "This is not an amount. Write it like 49,90."),
        ("12,345,6", "This is not an amount. Write it like 49,90."),
        ("1234.567", "This is not an amount. Write it like 49,90."),
        ("0.500", "This is not an amount. Write it like 49,90."),
        ("49,", "This is not an amount. Write it like 49,90."),
        ("\u0663,\u0660\u0660", "This is not an amount. Write it like 49,90."),
        ("999999999999", "This amount is too large."),
        ("9" * 5000, "This is not an amount. Write it like 49,90."),
    ],
)
def test_amounts_that_are_refused_with_a_sentence(
    bare_app: Flask, typed: str, sentence: str
) -> None:
    with pytest.raises(Refused) as refusal:
        fmt.parse_amount(typed)
    with bare_app.test_request_context():
        assert texts.sentence(refusal.value).replace(fmt.NBSP, " ") == sentence


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(typed: str) -> None:
    with contextlib.suppress(Refused):
        assert fmt.parse_amount(typed) > 0


@given(st.integers(1, 10**9))
def test_what_we_write_we_can_read(cents: int) -> None:
    assert fmt.parse_amount(fmt.money(cents)) == cents
    assert fmt.parse_amount(fmt.money_plain(cents)) == cents


def test_a_refusal_is_filled_with_german_values(bare_app: Flask) -> None:
    refusal = Refused(
        "%(amount)s is more than %(left)s on %(first_on)s (%(tries)s).",
        amount=123450,
        left=100,
        first_on=date(2026, 12, 9),
        tries=3,
    )
    with bare_app.test_request_context():
        shown = texts.sentence(refusal).replace(fmt.NBSP, " ")
    assert shown == "1.234,50 € is more than 1,00 € on 09.12.2026 (3)."
