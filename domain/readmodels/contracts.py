"""Contracts as people see them: the plan as signed, what was billed of it and where the money of
that stands. The queries of its screens are in `contract_queries`."""

from datetime import date, datetime
from enum import StrEnum

from msgspec.structs import replace

from domain.contracts.contract import due_on
from domain.contracts.events import ContractSigned, Cover, InstalmentBilled, Rounding
from domain.contracts.schedule import premium_of_year
from domain.customers.events import CustomerRegistered
from domain.invoices.events import ReceivableEvent
from domain.kernel.lines import total_gross
from domain.kernel.message import Recorded
from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.payments.events import MandateRegistered, MandateRevoked
from domain.readmodels import balance
from domain.readmodels.balance import Balance
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import fold, words_of


class Standing(StrEnum):
    """Whether the premiums come in."""

    NOT_BILLED = "not-billed"
    IN_ORDER = "in-order"
    OPEN = "open"


class ContractRow(Balance):
    """`premium` is that of the first year, gross. `instalments` counts those billed so far,
    `next_due_on` is the due date of the one behind them. Lists sort names by `sorted_as`."""

    contract_id: str
    number: str
    product: str
    customer_id: str
    customer: str
    sorted_as: str
    words: tuple[str, ...]
    mandate_id: str
    covers: tuple[Cover, ...]
    instalments_per_year: int
    surcharge_bp: int
    rounding: Rounding
    first_due_on: date
    prenotification_days: int
    signed_at: datetime
    premium: Cents
    next_due_on: date
    standing: Standing
    version: int
    instalments: int = 0

    @property
    def plan(self) -> ContractSigned:
        """What was signed, as the schedule wants it."""
        same = {name: getattr(self, name) for name in _SIGNED_FIELDS}
        return ContractSigned(at=self.signed_at, **same)


_SIGNED_FIELDS = tuple(name for name in ContractSigned.__struct_fields__ if name != "at")


class InstalmentRow(Value):
    """One billed instalment, and the ids of what it became."""

    contract_id: str
    instalment: int
    due_on: date
    period_from: date
    period_to: date
    amount: Cents
    receivable_id: str
    invoice_id: str
    payment_id: str


class MandateRow(Value):
    """`account` is the country and the last four of the IBAN; empty when it was erased."""

    mandate_id: str
    customer_id: str
    reference: str
    account: str
    signed_on: date
    revoked_at: datetime | None = None


class NameRow(Value):
    """Whose contract it will be: signing does not repeat the name."""

    customer_id: str
    name: str


CONTRACT = Table(
    name="contract",
    row=ContractRow,
    key=("contract_id",),
    columns=f"""
      contract_id text, number text NOT NULL, product text NOT NULL, customer_id text NOT NULL,
      customer text NOT NULL, sorted_as text NOT NULL, words text[] NOT NULL,
      mandate_id text NOT NULL,
      covers jsonb NOT NULL, instalments_per_year integer NOT NULL,
      surcharge_bp integer NOT NULL, rounding text NOT NULL, first_due_on date NOT NULL,
      prenotification_days integer NOT NULL, signed_at timestamptz NOT NULL,
      premium bigint NOT NULL, next_due_on date NOT NULL, standing text NOT NULL,
      version bigint NOT NULL, instalments integer NOT NULL, {balance.COLUMNS}
    """,
    indexes=(
        "(number, contract_id)",
        "(product, contract_id)",
        "(sorted_as, contract_id)",
        "(premium, contract_id)",
        "(next_due_on, contract_id)",
        "((due + open_again), contract_id)",
        "(signed_at, contract_id)",
        "(standing, number, contract_id)",
        "(customer_id, number)",
        "(instalments_per_year, number, contract_id)",
        "USING gin (array_to_tsvector(words))",
    ),
)
INSTALMENT = Table(
    name="contract_instalment",
    row=InstalmentRow,
    key=("contract_id", "instalment"),
    columns="""
      contract_id text, instalment integer, due_on date NOT NULL, period_from date NOT NULL,
      period_to date NOT NULL, amount bigint NOT NULL, receivable_id text NOT NULL,
      invoice_id text NOT NULL, payment_id text NOT NULL
    """,
)
MANDATE = Table(
    name="contract_mandate",
    row=MandateRow,
    key=("mandate_id",),
    columns="""
      mandate_id text, customer_id text NOT NULL, reference text NOT NULL,
      account text NOT NULL, signed_on date NOT NULL, revoked_at timestamptz
    """,
    indexes=("(customer_id)",),
)
NAME = Table(
    name="contract_customer",
    row=NameRow,
    key=("customer_id",),
    columns="customer_id text, name text NOT NULL",
)
OWING = balance.owing_table("contract_owing")


def project(rows: Rows, recorded: Recorded) -> None:
    position = recorded.feed_position
    match recorded.event:
        case CustomerRegistered() as event:
            rows.put(NAME, NameRow(customer_id=event.customer_id, name=event.name or ""))
        case MandateRegistered() as event:
            rows.put(MANDATE, _mandate(event))
        case MandateRevoked() as event:
            rows.change(MANDATE, event.mandate_id, revoked_at=event.at)
        case ContractSigned() as event:
            rows.put(CONTRACT, _signed(rows, event, position))
        case InstalmentBilled() as event:
            _bill(rows, event, position)
        case ReceivableEvent() as event:
            _move(rows, event, position)
        case _:
            pass


def _mandate(event: MandateRegistered) -> MandateRow:
    iban = (event.iban or "").replace(" ", "")
    return MandateRow(
        mandate_id=event.mandate_id,
        customer_id=event.customer_id,
        reference=event.reference,
        account=f"{iban[:2]}{iban[-4:]}",
        signed_on=event.signed_on,
    )


def _signed(rows: Rows, event: ContractSigned, position: int) -> ContractRow:
    known = rows.get(NAME, event.customer_id)
    name = known.name if known else ""
    same = {field: getattr(event, field) for field in _SIGNED_FIELDS}
    return ContractRow(
        customer=name,
        sorted_as=fold(name),
        words=words_of(name, event.number, event.product),
        signed_at=event.at,
        premium=premium_of_year(event),
        next_due_on=event.first_due_on,
        standing=Standing.NOT_BILLED,
        version=position,
        **same,
    )


def _bill(rows: Rows, event: InstalmentBilled, position: int) -> None:
    row = rows.get(CONTRACT, event.contract_id)
    if row is None:
        raise KeyError(f"{event.contract_id} was never signed")
    billed = InstalmentRow(
        contract_id=event.contract_id,
        instalment=event.instalment,
        due_on=event.due_on,
        period_from=event.period_from,
        period_to=event.period_to,
        amount=total_gross(event.lines),
        receivable_id=event.receivable_id,
        invoice_id=event.invoice_id,
        payment_id=event.payment_id,
    )
    rows.put(INSTALMENT, billed)
    instalments = event.instalment + 1
    following = due_on(row.plan, instalments)
    moved = replace(row, instalments=instalments, next_due_on=following, version=position)
    rows.put(CONTRACT, moved)


def _move(rows: Rows, event: ReceivableEvent, position: int) -> None:
    change = balance.follow(rows, OWING, event)
    row = rows.get(CONTRACT, change.row.contract_id)
    # Not every receivable has to come from a contract that we know.
    if row is None:
        return
    moved = replace(row, version=position, **change.on(row))
    rows.put(CONTRACT, replace(moved, standing=_standing(moved)))


def _standing(row: ContractRow) -> Standing:
    if row.open:
        return Standing.OPEN
    return Standing.IN_ORDER if row.billed else Standing.NOT_BILLED


MODEL = ReadModel(
    name="contracts",
    version=1,
    tables=(CONTRACT, INSTALMENT, MANDATE, NAME, OWING),
    project=project,
)
