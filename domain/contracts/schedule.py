"""What a contract will bill: its instalments one after the other, as far ahead as anybody looks.
Pure arithmetic over the plan as signed."""

from datetime import date, timedelta

from domain.contracts.contract import due_on, lines_of
from domain.contracts.events import ContractSigned
from domain.kernel.lines import total_gross
from domain.kernel.money import Cents
from domain.kernel.value import Value


class Instalment(Value):
    """`number` 0 is the first one of the contract."""

    number: int
    due_on: date
    period_to: date
    amount: Cents


def instalment(signed: ContractSigned, number: int) -> Instalment:
    return Instalment(
        number=number,
        due_on=due_on(signed, number),
        period_to=due_on(signed, number + 1) - timedelta(days=1),
        amount=total_gross(lines_of(signed, number)),
    )


def coming(signed: ContractSigned, billed: int, count: int) -> tuple[Instalment, ...]:
    """The next `count` instalments behind the `billed` ones."""
    return tuple(instalment(signed, billed + n) for n in range(count))


def premium_of_year(signed: ContractSigned) -> Cents:
    """Gross: with surcharge, insurance tax and the rounding of each instalment."""
    return sum(instalment(signed, n).amount for n in range(signed.instalments_per_year))
