"""Premium and insurance tax of one instalment by the two rounding policies (DOMAIN_RULES P1, P5).
Pure arithmetic; it knows no contract."""

from domain.contracts.events import Cover, Rounding
from domain.kernel.lines import Line
from domain.kernel.money import Cents, round_half_up

_BP = 10_000


def instalment_lines(
    covers: tuple[Cover, ...],
    *,
    instalments_per_year: int,
    surcharge_bp: int,
    rounding: Rounding,
    instalment: int,
) -> tuple[Line, ...]:
    """The lines of instalment number `instalment` (0 is the first of the first year)."""
    of_year = instalment % instalments_per_year
    lines = []
    for cover in covers:
        net_year = (cover.net_year * (_BP + surcharge_bp), _BP)
        if rounding is Rounding.INSTALMENT_FIRST:
            net = round_half_up(net_year[0], net_year[1] * instalments_per_year)
            tax = round_half_up(net * cover.tax_rate_bp, _BP)
        else:
            whole = round_half_up(*net_year)
            net = _part(whole, instalments_per_year, of_year)
            tax_year = round_half_up(whole * cover.tax_rate_bp, _BP)
            tax = _part(tax_year, instalments_per_year, of_year)
        lines.append(Line(cover=cover.name, net=net, tax_rate_bp=cover.tax_rate_bp, tax=tax))
    return tuple(lines)


def _part(total: Cents, count: int, n: int) -> Cents:
    """The n-th of `count` parts; remainder cents go to the first parts (P5, policy B)."""
    whole, rest = divmod(total, count)
    return whole + (1 if n < rest else 0)
