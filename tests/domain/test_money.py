"""Rounding and splitting: the parts always make the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.invoices.correction import corrected_lines
from domain.kernel.lines import Line
from domain.kernel.money import Amount, round_half_up, split_by_largest_remainder
from tests.domain.properties import quick

CENTS = st.integers(0, 10_000_000)
WEIGHTS = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (5, 3, 2), (0, 7, 0), (1995, 10, 200), (5, -2, -3)],
)
def test_half_is_rounded_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@quick
@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_rounding_is_never_off_by_more_than_a_half(numerator: int, denominator: int) -> None:
    off = abs(round_half_up(numerator, denominator) * denominator - numerator)
    assert 2 * off <= denominator
    assert round_half_up(-numerator, denominator) == -round_half_up(numerator, denominator)


@quick
@given(CENTS, WEIGHTS)
def test_parts_add_up_and_none_is_off_by_a_cent(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@quick
@given(CENTS, WEIGHTS)
def test_nobody_with_the_larger_remainder_goes_without(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    parts = split_by_largest_remainder(total, weights)
    served = [n for n, part in enumerate(parts) if part > total * weights[n] // whole]
    left_out = [n for n in range(len(parts)) if n not in served]
    remainders = [total * weight % whole for weight in weights]
    assert all(
        (remainders[one], -one) > (remainders[other], -other)
        for one in served
        for other in left_out
    )


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [3, -1]])
def test_nothing_to_split_by(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_by_largest_remainder(100, weights)


def test_an_amount_in_a_sentence() -> None:
    assert [str(Amount(cents)) for cents in (0, 5, 123456, -150)] == [
        "0.00 EUR",
        "0.05 EUR",
        "1234.56 EUR",
        "-1.50 EUR",
    ]


LINES = st.lists(
    st.builds(
        lambda net, rate: Line(
            cover="x", net=net, tax_rate_bp=rate, tax=round_half_up(net * rate, 10_000)
        ),
        st.integers(1, 100_000),
        st.sampled_from([0, 1615, 1900]),
    ),
    min_size=1,
    max_size=5,
).map(tuple)


def nothing(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(Line(cover="x", net=0, tax_rate_bp=line.tax_rate_bp, tax=0) for line in lines)


def test_the_worked_correction() -> None:
    """STORY: 5.00 of 10.50 + 2.00 is 4.20 + 0.80."""
    billed = (Line(cover="Hausrat", net=1050, tax_rate_bp=1900, tax=200),)
    (less,) = corrected_lines(billed, nothing(billed), 500)
    assert (less.net, less.tax) == (420, 80)


@quick
@given(LINES, st.data())
def test_corrections_never_take_more_than_a_line_has(
    billed: tuple[Line, ...], data: st.DataObject
) -> None:
    done, left = nothing(billed), sum(line.gross for line in billed)
    while left:
        amount = data.draw(st.integers(max(1, left // 2), left))
        less = corrected_lines(billed, done, amount)
        assert sum(line.gross for line in less) == amount
        assert all(line.net >= 0 and line.tax >= 0 for line in less)
        done = tuple(
            Line(cover="x", net=a.net + b.net, tax_rate_bp=a.tax_rate_bp, tax=a.tax + b.tax)
            for a, b in zip(done, less, strict=True)
        )
        left -= amount
    assert [(line.net, line.tax) for line in done] == [(line.net, line.tax) for line in billed]


def test_a_line_s_tax_is_its_cumulative_share() -> None:
    """The rule of DOMAIN_RULES T5 for parts: 125 parts of 0.10 of 10.50 + 2.00 make 2.00 of tax."""
    billed = (Line(cover="Hausrat", net=1050, tax_rate_bp=1900, tax=200),)
    done = nothing(billed)
    for n in range(1, 126):
        (less,) = corrected_lines(billed, done, 10)
        done = (
            Line(
                cover="x", net=done[0].net + less.net, tax_rate_bp=1900, tax=done[0].tax + less.tax
            ),
        )
        assert done[0].tax == round_half_up(n * 10 * 200, 1250)
    assert (done[0].net, done[0].tax) == (1050, 200)


def test_ten_euros_of_a_bill_of_12_49() -> None:
    """DOMAIN_RULES T5: 10.00 on a policy-B bill of 12.49 carries 1.59 of tax."""
    billed = (Line(cover="Hausrat", net=1050, tax_rate_bp=1900, tax=199),)
    (less,) = corrected_lines(billed, nothing(billed), 10_00)
    assert less.tax == 159
