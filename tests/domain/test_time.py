"""TARGET days and Berlin dates against an outside answer and worked examples."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from holidays.financial.european_central_bank import EuropeanCentralBank
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel import time as t
from domain.payments.rules import (
    can_still_be_returned,
    first_refund_day,
    last_return_day,
    reversible_until,
)
from tests.domain.properties import quick

YEARS = range(2024, 2031)
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize("year", YEARS)
def test_closing_days_are_those_of_the_ecb(year: int) -> None:
    ecb = EuropeanCentralBank(years=year)
    day = date(year, 1, 1)
    while day.year == year:
        assert t.is_target_day(day) == (day.weekday() < 5 and day not in ecb), day
        day += timedelta(days=1)


def test_s11_days_of_2026_and_2027() -> None:
    closed = {date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1)}
    assert closed | {date(2026, 12, 25), date(2026, 12, 26)} == t.target_holidays(2026)
    assert {date(2027, 3, 26), date(2027, 3, 29)} <= t.target_holidays(2027)
    assert t.is_target_day(date(2025, 10, 3)), "a German holiday is no TARGET holiday"


@pytest.mark.parametrize(
    ("day", "rolled"),
    [
        (date(2026, 12, 1), date(2026, 12, 1)),
        (date(2026, 12, 25), date(2026, 12, 28)),
        (date(2026, 4, 3), date(2026, 4, 7)),
        (date(2027, 1, 1), date(2027, 1, 4)),
    ],
)
def test_a_due_date_on_a_closing_day_moves_on(day: date, rolled: date) -> None:
    assert t.roll_to_target_day(day) == rolled


def test_the_worked_refund_days() -> None:
    """STORY: D 1 Dec 2026 is refused through 8 Dec, allowed on 9 Dec; S11: until 26 Jan."""
    debit_on = date(2026, 12, 1)
    assert last_return_day(debit_on) == date(2026, 12, 8)
    assert first_refund_day(debit_on) == date(2026, 12, 9)
    assert reversible_until(debit_on) == date(2027, 1, 26)
    assert can_still_be_returned(debit_on, t.berlin(date(2027, 1, 26), 23, 59))
    assert not can_still_be_returned(debit_on, t.berlin(date(2027, 1, 27)))


@quick
@given(DAYS, st.integers(1, 10))
def test_counting_target_days(day: date, count: int) -> None:
    later = t.add_target_days(day, count)
    between = (day + timedelta(days=n) for n in range(1, (later - day).days + 1))
    assert t.is_target_day(later)
    assert sum(t.is_target_day(one) for one in between) == count


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_a_business_date_is_berlin_s(instant: datetime, day: date) -> None:
    assert t.berlin_date(instant) == day


@quick
@given(DAYS, st.integers(4, 23))
def test_berlin_and_back(day: date, hour: int) -> None:
    instant = t.berlin(day, hour)
    assert t.berlin_date(instant) == day
    assert instant.astimezone(t.BERLIN).hour == hour


@pytest.mark.parametrize(
    ("months", "day"),
    [
        (0, date(2027, 1, 31)),
        (1, date(2027, 2, 28)),
        (2, date(2027, 3, 31)),
        (11, date(2027, 12, 31)),
        (13, date(2028, 2, 29)),
    ],
)
def test_the_last_of_a_month_stays_the_last(months: int, day: date) -> None:
    assert t.add_months(date(2027, 1, 31), months) == day
