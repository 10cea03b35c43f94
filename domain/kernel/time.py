"""Business time: Europe/Berlin dates and TARGET days as pure functions. It never reads a clock."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""What a command's `at` holds until dispatch stamps it from the Clock."""


def easter_sunday(year: int) -> date:
    """Gregorian Easter by the anonymous computus."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@cache
def target_holidays(year: int) -> frozenset[date]:
    """The TARGET closing days that are not weekends by nature (DOMAIN_RULES S11)."""
    easter = easter_sunday(year)
    return frozenset(
        {
            date(year, 1, 1),
            easter - timedelta(days=2),
            easter + timedelta(days=1),
            date(year, 5, 1),
            date(year, 12, 25),
            date(year, 12, 26),
        }
    )


def is_target_day(day: date) -> bool:
    return day.weekday() < 5 and day not in target_holidays(day.year)


def roll_to_target_day(day: date) -> date:
    """`day` itself, or the first TARGET day after it (S11: a due date on a closing day)."""
    while not is_target_day(day):
        day += timedelta(days=1)
    return day


def next_target_day(day: date) -> date:
    """The first TARGET day strictly after `day`."""
    return roll_to_target_day(day + timedelta(days=1))


def add_target_days(day: date, count: int) -> date:
    """`count` TARGET days after `day`: D+5 of 1 Dec 2026 is 8 Dec."""
    for _ in range(count):
        day = next_target_day(day)
    return day


def berlin(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """The instant (UTC) at which the clocks of Berlin show that time."""
    return datetime.combine(day, time(hour, minute), BERLIN).astimezone(UTC)


def berlin_date(instant: datetime) -> date:
    return instant.astimezone(BERLIN).date()


def add_months(day: date, months: int) -> date:
    """The same day of a later month; the last one where that month is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))
