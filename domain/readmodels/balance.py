"""What one customer owes us, split so that it adds up to the cent: billed less reduced is paid, on
its way, due and open again, less credit. Customers and contracts keep it by the same arithmetic."""

from typing import LiteralString

from msgspec.structs import asdict, replace

from domain.invoices import events as e
from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.readmodels.model import Rows, Table


class Balance(Value):
    """`billed - reduced == paid + on_its_way + due + open_again - credit`, always.

    Paid: counted towards what is owed. On its way: a payment collects it. Due: no payment
    collects it, and none ever brought it. Open again: it was paid and the bank took it back.
    Credit: counted beyond what is owed, until its refund is confirmed."""

    billed: Cents = 0
    reduced: Cents = 0
    paid: Cents = 0
    on_its_way: Cents = 0
    due: Cents = 0
    open_again: Cents = 0
    credit: Cents = 0

    @property
    def open(self) -> Cents:
        """What nobody collects at the moment."""
        return self.due + self.open_again

    @property
    def adds_up(self) -> bool:
        owed = self.billed - self.reduced
        return owed == self.paid + self.on_its_way + self.due + self.open_again - self.credit


FIELDS = Balance.__struct_fields__
COLUMNS: LiteralString = """
      billed bigint NOT NULL, reduced bigint NOT NULL, paid bigint NOT NULL,
      on_its_way bigint NOT NULL, due bigint NOT NULL, open_again bigint NOT NULL,
      credit bigint NOT NULL
"""


class OwingRow(Value):
    """One receivable. `returned`: money that was counted was taken back."""

    receivable_id: str
    customer_id: str
    contract_id: str
    billed: Cents
    reduced: Cents = 0
    applied: Cents = 0
    collecting: bool = False
    returned: bool = False

    @property
    def balance(self) -> Balance:
        open_ = self.billed - self.reduced - self.applied
        coming = self.collecting and open_ > 0
        left = 0 if coming else max(0, open_)
        return Balance(
            billed=self.billed,
            reduced=self.reduced,
            paid=self.applied,
            on_its_way=open_ if coming else 0,
            due=0 if self.returned else left,
            open_again=left if self.returned else 0,
            credit=max(0, -open_),
        )


def owing_table(name: LiteralString) -> Table[OwingRow]:
    """Each read model keeps its own: readers move apart from each other."""
    return Table(
        name=name,
        row=OwingRow,
        key=("receivable_id",),
        columns="""
      receivable_id text, customer_id text NOT NULL, contract_id text NOT NULL,
      billed bigint NOT NULL, reduced bigint NOT NULL, applied bigint NOT NULL,
      collecting boolean NOT NULL, returned boolean NOT NULL
    """,
    )


class Change(Value):
    """What one event did to one receivable, and by how much each part of the balance moved."""

    row: OwingRow
    by: dict[str, Cents]

    def on(self, total: Balance) -> dict[str, Cents]:
        """The parts of a sum over several receivables, after this."""
        return {name: getattr(total, name) + by for name, by in self.by.items()}


def follow(rows: Rows, table: Table[OwingRow], event: e.ReceivableEvent) -> Change:
    """Writes the receivable as it is now. Raises KeyError for one that was never raised."""
    if isinstance(event, e.ReceivableRaised):
        before, after = Balance(), _raised(event)
    else:
        row = rows.get(table, event.receivable_id)
        if row is None:
            raise KeyError(f"{event.receivable_id} was never raised")
        before, after = row.balance, _moved(row, event)
    rows.put(table, after)
    now, was = asdict(after.balance), asdict(before)
    return Change(row=after, by={name: now[name] - was[name] for name in FIELDS})


def _raised(event: e.ReceivableRaised) -> OwingRow:
    return OwingRow(
        receivable_id=event.receivable_id,
        customer_id=event.customer_id,
        contract_id=event.contract_id,
        billed=event.amount,
    )


def _moved(row: OwingRow, event: e.ReceivableEvent) -> OwingRow:
    match event:
        case e.CollectionReserved():
            return replace(row, collecting=True)
        case e.CollectionReleased():
            return replace(row, collecting=False)
        case e.ReceiptApplied():
            return replace(row, applied=row.applied + event.amount, returned=False)
        case e.ReceiptReversed():
            return replace(row, applied=row.applied - event.amount, returned=True)
        case e.ReceiptRefunded():
            return replace(row, applied=row.applied - event.amount)
        case e.ReceiptRestored():
            return replace(row, applied=row.applied + event.amount)
        case e.ReceivableReduced():
            return replace(row, reduced=row.reduced + event.amount)
        case _:
            raise TypeError(f"{event.wire()} is not known to the balance")
