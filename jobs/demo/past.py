"""The demo insurer's three months, lived through in Clock order: bills by their timers, debits with
the answers the simulator gave, its events and the bank's statements at the time they happened."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from domain.contracts.commands import SignContract
from domain.customers.commands import RegisterCustomer
from domain.invoices.document import Document
from domain.invoices.events import InvoiceIssued
from domain.kernel.ids import name_uuid
from domain.kernel.message import Command
from domain.kernel.time import add_months, berlin, berlin_date, roll_to_target_day
from domain.kernel.value import Value
from domain.payments import commands as c
from domain.payments import ports
from domain.payments.refund import Refund
from domain.payments.updates import commands_for
from domain.stream import clock, effects, inbox, timers
from domain.stream.effects import Claimed
from jobs import effects as work
from jobs.context import Context
from jobs.demo.people import Person
from jobs.follow import Follower
from jobs.providers.stripe import translate
from jobs.ticker import fire_timers

BEGIN = berlin(date(2026, 8, 24), 8)
NOW = berlin(date(2026, 12, 8), 8, 30)
DEBIT_HOUR = 6
BY = "demo"
TOLD = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "charge.dispute.closed",
        "refund.updated",
        "refund.failed",
        "payout.reconciliation_completed",
    }
)
"""Provider events that say something new; the others repeat them."""


class Happening(Value):
    """Something that happens to Kontor at a time of its own."""

    at: datetime
    act: Callable[[], None]


class _Body(msgspec.Struct):
    id: str
    type: str
    data: dict[str, dict[str, object]]


class Past:
    """Begins on an empty sandbox at BEGIN and ends at NOW."""

    def __init__(self, context: Context, references: dict[str, str]) -> None:
        """`references`: our operation ids as the simulator knows them."""
        self._context = context
        self._kontor = context.dispatcher
        self._follower = Follower(context.dispatcher)
        self._references = references
        self._happenings: list[Happening] = []
        self._announced: set[str] = set()

    def begin(self) -> None:
        with self._kontor.read() as connection:
            clock.begin(connection, BEGIN)
        self._follower.prepare()

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        self._happenings.append(Happening(at=moment, act=act))

    def send(self, command: Command, *parts: object) -> None:
        self._kontor.dispatch(command, name_uuid("demo", type(command).__name__, *parts))

    def insure(self, person: Person, creditor_id: str) -> None:
        street, postcode, city = person.address
        number = f"K-{100_001 + person.number}"
        customer = RegisterCustomer(
            by=BY,
            customer_id=person.customer,
            number=number,
            kind="business" if person.name.endswith("GmbH") else "private",
            name=person.name,
            street=street,
            postcode=postcode,
            city=city,
            email=f"kunde{person.number}@example.com",
        )
        mandate = c.RegisterMandate(
            by=BY,
            mandate_id=person.mandate,
            customer_id=person.customer,
            reference=f"M-2026-{10_001 + person.number}",
            creditor_id=creditor_id,
            provider="stripe",
            provider_customer=person.provider_customer,
            provider_method=person.provider_method,
            iban=person.iban,
            signed_on=berlin_date(BEGIN),
        )
        contract = SignContract(
            by=BY,
            contract_id=person.contract,
            customer_id=person.customer,
            mandate_id=person.mandate,
            number=f"HL-{700_001 + person.number}",
            product=person.plan.product,
            covers=person.plan.covers,
            instalments_per_year=12,
            surcharge_bp=person.plan.surcharge_bp,
            rounding=person.plan.rounding,
            first_due_on=person.first_due,
        )
        for command in (customer, mandate, contract):
            self.send(command, person.number)

    def live(self) -> None:
        """Everything up to NOW, in order."""
        self._happenings.sort(key=lambda one: one.at)
        waiting = iter(self._happenings)
        happening = next(waiting, None)
        while (moment := self._next(happening)) <= NOW:
            with self._kontor.read() as connection:
                clock.move(connection, moment)
            while fire_timers(self._context):
                self._follower.answer()
            self._announce_and_debit()
            while happening is not None and happening.at <= moment:
                happening.act()
                self._follower.answer()
                happening = next(waiting, None)
            self._announce_and_debit()
        with self._kontor.read() as connection:
            clock.move(connection, NOW)
        self._follower.catch_up()

    def _next(self, happening: Happening | None) -> datetime:
        with self._kontor.read() as connection:
            row = connection.execute(
                "SELECT min(due_at) FROM effect WHERE status = 'waiting' AND kind <> 'render'"
            ).fetchone()
            found = [timers.next_due_at(connection), row[0] if row else None]
        found.append(happening.at if happening else None)
        return max(self._kontor.now(), min((at for at in found if at), default=NOW + timedelta(1)))

    def _announce_and_debit(self) -> None:
        """Documents are rendered later for real; their announcement happened on the day."""
        self._follower.answer()
        for document_id in self._unrendered():
            state = self._kontor.state(document_id)
            if isinstance(state, Document) and isinstance(state.issued, InvoiceIssued):
                self._announce(state.issued)
        self._follower.answer()
        with self._kontor.read() as connection:
            rows = connection.execute(
                "SELECT effect_id FROM effect WHERE status = 'waiting' AND kind <> 'render'"
                " AND due_at <= (SELECT clock FROM installation) ORDER BY due_at, effect_id"
            ).fetchall()
        for (effect_id,) in rows:
            self._born_done(effect_id)
        self._follower.answer()

    def _unrendered(self) -> list[str]:
        with self._kontor.read() as connection:
            rows = connection.execute(
                "SELECT stream FROM effect"
                " WHERE kind = 'render' AND due_at = (SELECT clock FROM installation)"
            ).fetchall()
        return [row[0] for row in rows]

    def _announce(self, issued: InvoiceIssued) -> None:
        if issued.document_id in self._announced:
            return
        self._announced.add(issued.document_id)
        announced = c.AnnouncePayment(
            by=BY,
            payment_id=issued.payment_id,
            delivered_on=issued.issued_on,
            debit_on=issued.debit_on,
        )
        self.send(announced, issued.payment_id)

    def _born_done(self, effect_id: UUID) -> None:
        """A provider order whose answer the simulator gave already."""
        with self._kontor.read() as connection:
            claimed = effects.claim(connection, effect_id, clock.now(connection))
        if claimed is None:
            raise LookupError(f"effect {effect_id} cannot be claimed")
        {"submit_payment": self._debit, "submit_refund": self._refund}[claimed.effect.kind](claimed)

    def _debit(self, claimed: Claimed) -> None:
        payload, key = claimed.effect.payload, str(claimed.effect_id)
        payment = payload["payment_id"]
        submit = c.SubmitPayment(
            by="worker", payment_id=payment, mandate_id=payload["mandate_id"], key=key
        )
        self._answered(
            claimed,
            submit,
            payment,
            lambda reference: c.RecordPaymentAccepted(
                by="stripe", payment_id=payment, reference=reference
            ),
            c.RecordPaymentUnknown(by="worker", payment_id=payment, why="connection"),
        )

    def _refund(self, claimed: Claimed) -> None:
        payload, key = claimed.effect.payload, str(claimed.effect_id)
        refund, payment = payload["refund_id"], payload["payment_id"]
        submit = c.SubmitRefund(by="worker", refund_id=refund, payment_id=payment, key=key)
        self._answered(
            claimed,
            submit,
            refund,
            lambda reference: c.RecordRefundAccepted(
                by="stripe", refund_id=refund, payment_id=payment, reference=reference
            ),
            c.RecordRefundUnknown(
                by="worker", refund_id=refund, payment_id=payment, why="connection"
            ),
        )

    def _answered(
        self,
        claimed: Claimed,
        submit: Command,
        operation: str,
        accepted: Callable[[str], Command],
        unknown: Command,
    ) -> None:
        cause = claimed.effect.payload.get("cause")
        dispatch = self._kontor.dispatch
        dispatch(
            submit,
            name_uuid("demo", operation, "intend"),
            cause=cause,
            lease=claimed.then("leased"),
        )
        reference = self._references.get(operation)
        if reference is None:
            later = claimed.then("unknown", not_before_s=5)
            dispatch(unknown, name_uuid("demo", operation, "unknown"), cause=cause, lease=later)
            return
        done = claimed.then("done", result={"reference": reference})
        dispatch(
            accepted(reference), name_uuid("demo", operation, "answer"), cause=cause, lease=done
        )

    def hear(self, event: ports.PolledEvent) -> None:
        """One provider event: what its object said at that time."""
        body = msgspec.json.decode(event.body, type=_Body)
        update = self._update(body)
        for n, command in enumerate(commands_for("stripe", update, self._payment_of)):
            self._kontor.dispatch(command, name_uuid("demo", event.event_id, n))

    def _update(self, body: _Body) -> ports.ProviderUpdate:
        told = body.data["object"]
        if body.type.startswith("payment_intent."):
            return translate.payment_update(told)
        if body.type.startswith("refund."):
            return translate.refund_update(told)
        kind = "dispute" if "dispute" in body.type else "payout"
        return self._context.stripe.fetch(kind, str(told["id"]))

    def _payment_of(self, refund_id: str) -> str:
        state = self._kontor.state(refund_id)
        if not isinstance(state, Refund) or state.requested is None:
            raise LookupError(refund_id)
        return state.requested.payment_id

    def read_statement(self, path: Path) -> None:
        """By the same door as every statement: inbox, check, one command."""
        self.receive_file(path.read_bytes(), path.name)

    def receive_file(self, body: bytes, name: str) -> None:
        effect_id = self._kontor.receive(
            inbox.Hint(
                provider="bank",
                notification_id=hashlib.sha256(body).hexdigest(),
                object_id=None,
                headers={"file": name},
                body=body,
                verdict="verified",
            )
        )
        if effect_id is not None:
            work.carry_out(self._context, effect_id)


def debits(person: Person) -> list[tuple[int, date]]:
    """(instalment, day of the debit) up to NOW."""
    found = []
    for instalment in range(12):
        day = roll_to_target_day(add_months(person.first_due, instalment))
        if berlin(day, DEBIT_HOUR) <= NOW:
            found.append((instalment, day))
    return found
