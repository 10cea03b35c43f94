"""Money in integer cents of EUR, and the two ways we split and round it. It formats nothing."""

from collections.abc import Sequence
from typing import TypeAlias

Cents: TypeAlias = int
"""An amount in euro cents. A second currency would be a new version of the events that carry it."""


def round_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded half away from zero (DOMAIN_RULES, head: ROUND_HALF_UP)."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    return sign * ((2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator)))


def split_by_largest_remainder(total: Cents, weights: Sequence[int]) -> list[Cents]:
    """Parts of `total` in proportion to `weights`; they add up to `total` to the cent.

    Equal remainders are served in order. Raises ValueError without a positive weight.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("splitting needs weights that are not negative and not all zero")
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in by_remainder[:left]:
        parts[n] += 1
    return parts


class Amount(int):
    """Cents inside a sentence for people: the screens write it as money."""

    def __str__(self) -> str:
        sign = "-" if self < 0 else ""
        return f"{sign}{abs(self) // 100}.{abs(self) % 100:02d} EUR"
