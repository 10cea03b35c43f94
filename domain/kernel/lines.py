"""The lines of a premium: what one cover costs in one period, premium and insurance tax apart.
Contracts make them, invoices bill and correct them."""

from domain.kernel.money import Cents
from domain.kernel.value import Value


class Line(Value):
    """One cover. `tax_rate_bp` is in basis points: 1615 is 16.15 %."""

    cover: str
    net: Cents
    tax_rate_bp: int
    tax: Cents

    @property
    def gross(self) -> Cents:
        return self.net + self.tax


def total_gross(lines: tuple[Line, ...]) -> Cents:
    return sum(line.gross for line in lines)
