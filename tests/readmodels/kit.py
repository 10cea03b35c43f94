"""A small real Kontor for tests of read models and screens: commands go through the Dispatcher,
flows and read models follow the feed. No provider is called: tests say what it answered."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import date, datetime
from itertools import count
from uuid import UUID, uuid4

from domain.contracts.commands import BillInstalment, SignContract
from domain.contracts.events import Cover, InstalmentBilled, Rounding
from domain.customers.commands import RegisterCustomer
from domain.dispatch import CODEC, Dispatcher, Result
from domain.invoices.commands import RecordRendered
from domain.kernel.ids import derive, write_id
from domain.kernel.message import Command
from domain.payments import commands as pay
from domain.payments.events import Reason
from domain.readmodels.model import ReadModel, rebuild
from domain.registry import FLOWS
from domain.stream import clock, files
from domain.stream.feed import read_feed
from domain.stream.sequencer import last_position, tick
from jobs.follow import Follower

BEGIN = datetime.fromisoformat("2026-11-02T08:00:00+00:00")
"""A Monday."""
DUE = date(2026, 12, 1)
PDF = b"%PDF-1.7 not a real one, but its bytes are kept\n"
_numbers = count(1)


class Kit:
    """`models` are created and follow; `settle` drives everything until nothing is left to do."""

    def __init__(self, kontor: Dispatcher, models: Iterable[ReadModel]) -> None:
        self.kontor = kontor
        self.models = tuple(models)
        self.position = 0
        with kontor.read() as connection:
            for model in self.models:
                model.create_tables(connection)
        self.at(BEGIN)

    def at(self, moment: datetime) -> None:
        with self.kontor.read() as connection:
            clock.move(connection, moment)

    def do(self, command: Command, command_id: UUID | None = None) -> Result:
        return self.kontor.dispatch(command, command_id or uuid4())

    def settle(self) -> None:
        while True:
            with self.kontor.read() as connection:
                tick(connection)
                batch = read_feed(connection, CODEC, self.position, 500)
                with connection.transaction():
                    for model in self.models:
                        model.apply(connection, batch)
            if not batch:
                return
            for recorded in batch:
                for flow in FLOWS:
                    self.kontor.follow(flow, recorded)
            self.position = batch[-1].feed_position

    def rebuilt(self, model: ReadModel) -> tuple[dict[str, str], dict[str, str]]:
        """The digests of the live tables and of the same model built anew."""
        with self.kontor.read() as connection:
            rebuild(connection, CODEC, model, last_position(connection), "again")
            return model.digest(connection), model.digest(connection, "again")


class Following(Kit):
    """All read models and flows, by the real follower, which also runs beside the test: so a page
    that waits for its own event sees it."""

    def __init__(self, kontor: Dispatcher) -> None:
        super().__init__(kontor, ())
        self.follower = Follower(kontor)
        self.follower.prepare()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self.follower.round():
                self._stopping.wait(0.02)

    def settle(self) -> None:
        self.follower.catch_up()

    def __enter__(self) -> Following:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join()


class Story:
    """One customer with one contract, billed once."""

    def __init__(self, kit: Kit, name: str = "Nadia Brandt", covers: int = 2) -> None:
        self.kit = kit
        self.number = next(_numbers)
        self.customer_id = write_id("cus", uuid4())
        self.mandate_id = derive("man", self.customer_id, self.customer_id)
        self.contract_id = derive("ct", self.customer_id, self.customer_id)
        self.contract_number = f"HR-{self.number:06d}"
        self._register(name)
        self._sign(covers)
        kit.do(BillInstalment(by="timer", contract_id=self.contract_id, due_on=DUE))
        kit.settle()
        billed = self._billed()
        self.invoice_id, self.payment_id = billed.invoice_id, billed.payment_id
        self.receivable_id, self.amount = (
            billed.receivable_id,
            sum(line.gross for line in billed.lines),
        )

    def _register(self, name: str) -> None:
        self.kit.do(
            RegisterCustomer(
                by="demo",
                customer_id=self.customer_id,
                number=f"K-{self.number:06d}",
                kind="private",
                name=name,
                street="Am Sandtorkai 1",
                postcode="20457",
                city="Hamburg",
                email="nadia@example.org",
            )
        )
        self.kit.do(
            pay.RegisterMandate(
                by="demo",
                mandate_id=self.mandate_id,
                customer_id=self.customer_id,
                reference=f"M-{self.contract_number}",
                creditor_id="DE98ZZZ09999999999",
                provider="stripe",
                provider_customer=f"cus_{self.contract_number}",
                provider_method=f"pm_{self.contract_number}",
                iban="DE89370400440532013000",
                signed_on=date(2026, 10, 1),
            )
        )

    def _sign(self, covers: int) -> None:
        names = ("Household", "Bicycle", "Glass")[:covers]
        self.kit.do(
            SignContract(
                by="demo",
                contract_id=self.contract_id,
                customer_id=self.customer_id,
                mandate_id=self.mandate_id,
                number=self.contract_number,
                product="Household",
                covers=tuple(
                    Cover(name=cover, net_year=1200_00, tax_rate_bp=1900) for cover in names
                ),
                instalments_per_year=12,
                surcharge_bp=0,
                rounding=Rounding.INSTALMENT_FIRST,
                first_due_on=DUE,
            )
        )

    def _billed(self) -> InstalmentBilled:
        """Its own: others may be billed at the same time."""
        with self.kit.kontor.read() as connection:
            feed = read_feed(connection, CODEC, 0, 100_000)
        events = [recorded.event for recorded in feed if recorded.stream == self.contract_id]
        return next(event for event in events if isinstance(event, InstalmentBilled))

    def rendered(self, document_id: str | None = None, body: bytes = PDF) -> None:
        document = document_id or self.invoice_id
        with self.kit.kontor.read() as connection:
            stored = files.store_file(connection, document, body, (self.customer_id, "booking"))
        self.kit.do(
            RecordRendered(
                by="worker", document_id=document, sha256=stored.sha256.hex(), size=stored.size
            )
        )
        self.kit.settle()

    def submitted(self) -> None:
        self.kit.do(
            pay.SubmitPayment(
                by="worker", payment_id=self.payment_id, mandate_id=self.mandate_id, key="k"
            )
        )
        self.kit.do(
            pay.RecordPaymentAccepted(by="worker", payment_id=self.payment_id, reference="pi_1")
        )
        self.kit.settle()

    def confirmed(self) -> None:
        """Rendered, announced, debited on its day and confirmed."""
        self.rendered()
        self.kit.at(datetime.fromisoformat("2026-12-01T05:00:00+00:00"))
        self.submitted()
        self.kit.do(pay.ConfirmPayment(by="stripe", payment_id=self.payment_id, reference="pi_1"))
        self.kit.settle()

    def failed(self, code: str = "AC04", raw_code: str = "account_closed") -> None:
        self.kit.do(
            pay.FailPayment(by="stripe", payment_id=self.payment_id, code=code, raw_code=raw_code)
        )
        self.kit.settle()

    def returned(self, code: str = "MD06", raw_code: str = "customer_initiated") -> None:
        self.kit.do(
            pay.ReturnPayment(
                by="stripe",
                payment_id=self.payment_id,
                reference="pi_1",
                amount=self.amount,
                code=code,
                raw_code=raw_code,
                fee=750,
            )
        )
        self.kit.settle()

    def refund(
        self,
        amount: int,
        reason: Reason = Reason.PREMIUM_REDUCTION,
        by: str = "staff:stf_mia",
        note: str = "The bicycle was sold.",
    ) -> str:
        """The first day on which a refund of the December debit is possible."""
        self.kit.at(datetime.fromisoformat("2026-12-09T09:00:00+00:00"))
        refund_id = derive("rf", self.payment_id, uuid4())
        self.kit.do(
            pay.RequestRefund(
                by=by,
                refund_id=refund_id,
                payment_id=self.payment_id,
                amount=amount,
                reason=reason,
                note=note,
            )
        )
        self.kit.settle()
        return refund_id

    def refund_sent(self, refund_id: str) -> None:
        key = {"refund_id": refund_id, "payment_id": self.payment_id}
        self.kit.do(pay.SubmitRefund(by="worker", key="k", **key))
        self.kit.do(pay.RecordRefundAccepted(by="worker", reference="re_1", **key))
        self.kit.settle()

    def refund_confirmed(self, refund_id: str) -> None:
        self.refund_sent(refund_id)
        self.kit.do(
            pay.ConfirmRefund(
                by="stripe", refund_id=refund_id, payment_id=self.payment_id, reference="re_1"
            )
        )
        self.kit.settle()

    def refund_failed(self, refund_id: str, code: str = "account_closed") -> None:
        self.kit.do(
            pay.FailRefund(
                by="stripe",
                refund_id=refund_id,
                payment_id=self.payment_id,
                code=code,
                raw_code=code,
            )
        )
        self.kit.settle()
