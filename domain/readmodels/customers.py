"""Customers as people see them: one row per person or company, with contact data in clear and the
balance over all contracts. The queries of its screens are in `customer_queries`."""

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from domain.contracts.events import ContractSigned
from domain.customers.events import CustomerRegistered
from domain.invoices.events import ReceivableEvent
from domain.kernel.message import Recorded
from domain.kernel.money import Cents
from domain.kernel.time import BEGINNING
from domain.kernel.value import Value
from domain.payments.events import RecoveryAdjusted, RecoveryOpened
from domain.readmodels import balance
from domain.readmodels.balance import Balance
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import fold, words_of


class CustomerRow(Balance):
    """Contact data is empty where the person's key was erased. `words` is what the search looks
    at, `sorted_as` what lists sort by, `owes_back` what left us twice."""

    customer_id: str
    number: str = ""
    kind: Literal["private", "business"] = "private"
    name: str = ""
    sorted_as: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    email: str = ""
    words: tuple[str, ...] = ()
    since: datetime = BEGINNING
    contracts: int = 0
    owes_back: Cents = 0
    version: int = 0


class RecoveryRow(Value):
    """What left us twice with one payment; later events do not repeat whose it is."""

    recovery_id: str
    customer_id: str
    payment_id: str
    amount: Cents


CUSTOMER = Table(
    name="customer",
    row=CustomerRow,
    key=("customer_id",),
    columns=f"""
      customer_id text, number text NOT NULL, kind text NOT NULL, name text NOT NULL,
      sorted_as text NOT NULL, street text NOT NULL, postcode text NOT NULL,
      city text NOT NULL, email text NOT NULL, words text[] NOT NULL,
      since timestamptz NOT NULL, contracts integer NOT NULL, owes_back bigint NOT NULL,
      version bigint NOT NULL, {balance.COLUMNS}
    """,
    indexes=(
        "(sorted_as, customer_id)",
        "(number, customer_id)",
        "(lower(city), customer_id)",
        "(since, customer_id)",
        "((due + open_again), customer_id)",
        "(contracts, customer_id)",
        "(kind, sorted_as, customer_id)",
        "(sorted_as, customer_id) WHERE due + open_again > 0",
        "(sorted_as, customer_id) WHERE credit > 0",
        "(sorted_as, customer_id) WHERE owes_back > 0",
        "USING gin (array_to_tsvector(words))",
    ),
)
RECOVERY = Table(
    name="customer_recovery",
    row=RecoveryRow,
    key=("recovery_id",),
    columns="""
      recovery_id text, customer_id text NOT NULL, payment_id text NOT NULL,
      amount bigint NOT NULL
    """,
    indexes=("(payment_id)",),
)
OWING = balance.owing_table("customer_owing")


def project(rows: Rows, recorded: Recorded) -> None:
    position = recorded.feed_position
    match recorded.event:
        case CustomerRegistered() as event:
            rows.put(CUSTOMER, _registered(_known(rows, event.customer_id), event, position))
        case ContractSigned() as event:
            row = _known(rows, event.customer_id)
            rows.put(CUSTOMER, replace(row, contracts=row.contracts + 1, version=position))
        case ReceivableEvent() as event:
            change = balance.follow(rows, OWING, event)
            row = _known(rows, change.row.customer_id)
            rows.put(CUSTOMER, replace(row, version=position, **change.on(row)))
        case RecoveryOpened() | RecoveryAdjusted() as event:
            _owe_back(rows, event, position)
        case _:
            pass


def _known(rows: Rows, customer_id: str) -> CustomerRow:
    """Nameless for somebody whom nobody registered: a bill does not ask for that."""
    return rows.get(CUSTOMER, customer_id) or CustomerRow(customer_id=customer_id)


def _registered(row: CustomerRow, event: CustomerRegistered, position: int) -> CustomerRow:
    return replace(
        row,
        number=event.number,
        kind=event.kind,
        name=event.name or "",
        sorted_as=fold(event.name or ""),
        street=event.street or "",
        postcode=event.postcode or "",
        city=event.city or "",
        email=event.email or "",
        words=words_of(event.name, event.number, event.postcode, event.city),
        since=event.at,
        version=position,
    )


def _owe_back(rows: Rows, event: RecoveryOpened | RecoveryAdjusted, position: int) -> None:
    if isinstance(event, RecoveryOpened):
        before = 0
        recovery = RecoveryRow(
            recovery_id=event.recovery_id,
            customer_id=event.customer_id,
            payment_id=event.payment_id,
            amount=event.amount,
        )
    else:
        known = rows.get(RECOVERY, event.recovery_id)
        if known is None:
            raise KeyError(f"{event.recovery_id} was never opened")
        before, recovery = known.amount, replace(known, amount=event.amount)
    rows.put(RECOVERY, recovery)
    row = _known(rows, recovery.customer_id)
    owes = row.owes_back + recovery.amount - before
    rows.put(CUSTOMER, replace(row, owes_back=owes, version=position))


MODEL = ReadModel(name="customers", version=1, tables=(CUSTOMER, RECOVERY, OWING), project=project)
