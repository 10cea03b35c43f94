"""What can be true of a contract."""

from datetime import date
from enum import StrEnum

from domain.kernel.lines import Line
from domain.kernel.message import Event
from domain.kernel.money import Cents
from domain.kernel.value import Value


class Rounding(StrEnum):
    """DOMAIN_RULES P5."""

    INSTALMENT_FIRST = "instalment-first"
    ANNUAL_FIRST = "annual-first"


class Cover(Value):
    """`net_year` is the tariff premium without surcharge; the rate is in basis points."""

    name: str
    net_year: Cents
    tax_rate_bp: int


class ContractSigned(Event):
    """The plan as signed; the product's terms are copied in, so a later product changes nothing."""

    prefix = "ct"
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
    prenotification_days: int


class InstalmentBilled(Event):
    """One instalment fell due for billing; the ids are those the bill will use."""

    prefix = "ct"
    contract_id: str
    customer_id: str
    mandate_id: str
    contract_number: str
    product: str
    instalment: int
    period_from: date
    period_to: date
    due_on: date
    prenotification_days: int
    lines: tuple[Line, ...]
    receivable_id: str
    invoice_id: str
    payment_id: str
