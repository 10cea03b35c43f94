"""What can be asked of a contract."""

from datetime import date

from domain.contracts.events import Cover, Rounding
from domain.kernel.message import Command


class SignContract(Command):
    contract_id: str
    customer_id: str
    mandate_id: str
    number: str
    product: str
    covers: tuple[Cover, ...]
    instalments_per_year: int
    surcharge_bp: int
    rounding: Rounding
    first_due_on: date
    prenotification_days: int = 14

    def streams(self) -> tuple[str, ...]:
        return (self.contract_id,)


class BillInstalment(Command):
    """Sent by the timer of the instalment that is due on `due_on`."""

    contract_id: str
    due_on: date

    def streams(self) -> tuple[str, ...]:
        return (self.contract_id,)
