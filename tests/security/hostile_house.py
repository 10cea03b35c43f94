"""A Kontor in which every text that a person, a provider, a bank or a file can fill is hostile; and
one, with friendly texts, that has something of every kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import urlencode
from uuid import UUID, uuid4

from flask import Flask

from bench.atlas import forms_on, links_on
from bench.browser import FORM, Browser, at
from domain import operating
from domain.customers.commands import RegisterCustomer
from domain.kernel.ids import derive
from domain.operating.watch import BANK
from domain.payments import commands as pay
from domain.payments.events import Reason
from domain.payments.settlement_commands import ImportStatement, ListPayout, StatementLine
from domain.payments.settlement_events import ItemKind, PayoutItem
from domain.stream import clock as business
from domain.stream import effects, inbox
from domain.work.commands import CloseCase, NoteCase, OpenCase, case_id
from domain.work.events import CaseType
from jobs.runs.export import carry_out
from tests.readmodels.aside import parked_stream
from tests.readmodels.kit import Following, Story
from webapp.access.permissions import Role

DAY = date(2026, 11, 2)


class HostileStory(Story):
    """One customer of whom everything that can be told is this text."""

    def __init__(self, kit: Following, text: str) -> None:
        self.said = text
        super().__init__(kit, name=text)

    def _register(self, name: str) -> None:
        super()._register(name)
        self.kit.do(
            RegisterCustomer(
                by="demo",
                customer_id=derive("cus", self.customer_id, self.customer_id, "second"),
                number=name,
                kind="business",
                name=name,
                street=name,
                postcode=name,
                city=name,
                email=name,
            )
        )


def told_everywhere(kit: Following, *texts: str) -> None:
    """Each text in every field of every kind of thing. The domain takes any text: what it means
    is the business of whoever shows it."""
    stories = [_collected(kit, text) for text in texts]
    for story in stories:  # the first refund moves the Clock: nothing could be debited then
        _refunds(kit, story, story.said)
        _cases(kit, story, story.said)
        _settlement(kit, story, story.said)
        _set_aside(kit, story.said)
    kit.settle()


def _collected(kit: Following, text: str) -> HostileStory:
    story = HostileStory(kit, text)
    story.rendered()
    story.submitted()
    kit.do(pay.ConfirmPayment(by="stripe", payment_id=story.payment_id, reference=text))
    kit.settle()
    return story


def _refunds(kit: Following, story: Story, text: str) -> None:
    """One failed, one under way, one refused, one that waits for the second person."""
    failed = story.refund(3_00, Reason.GOODWILL, note=text)
    story.refund_sent(failed)
    story.refund_failed(failed, text)
    story.refund_sent(story.refund(4_00, Reason.GOODWILL, note=text))
    rejected = story.refund(110_00, Reason.GOODWILL, note=text)
    kit.do(
        pay.RejectRefund(
            by="staff:stf_jon",
            role="operations",
            refund_id=rejected,
            payment_id=story.payment_id,
            remark=text,
        )
    )
    story.refund(120_00, Reason.GOODWILL, note=text)


def _cases(kit: Following, story: Story, text: str) -> None:
    kinds = (CaseType.OUTCOME_UNRESOLVED, CaseType.PAYMENT_FAILED)
    for close, kind in enumerate(kinds):
        case = case_id(kind, story.payment_id, text)
        kit.do(
            OpenCase(
                by="ticker",
                case_id=case,
                case_type=kind,
                subject=story.payment_id,
                customer_id=story.customer_id,
                details={"why": text, "reason": text, "code": text},
            )
        )
        kit.do(NoteCase(by="staff:stf_mia", case_id=case, note=text))
        if close:
            kit.do(CloseCase(by="staff:stf_mia", case_id=case, how="remark", remark=text))


def _settlement(kit: Following, story: Story, text: str) -> None:
    item = PayoutItem(
        kind=ItemKind.PAYMENT,
        payment_id=None,
        refund_id=None,
        amount=10_00,
        fee=35,
        reference=text,
    )
    reference = f"{text}{story.number}"
    kit.do(
        ListPayout(
            by="stripe",
            provider="stripe",
            provider_payout=text,
            reference=reference,
            net=9_65,
            items=(item,),
        )
    )
    lines = [
        StatementLine(
            amount=9_65,
            booked_on=DAY,
            value_on=DAY,
            end_to_end_id=end_to_end,
            bank_reference=text,
            counterparty=text,
            remittance=text,
        )
        for end_to_end in (reference, None)
    ]
    kit.do(
        ImportStatement(
            by="worker",
            account=f"DE09200700000123456789 {story.number}",  # days of one account are told once
            bank_reference=reference,
            sequence=story.number,
            from_on=DAY,
            to_on=DAY,
            opening=0,
            closing=19_30,
            file_hash=str(story.number),
            entries=tuple(lines),
        )
    )


def _set_aside(kit: Following, text: str) -> None:
    """A notification and a bank file nobody understood, and work that was given up."""
    for provider in ("stripe", BANK):
        name = f"evt_{uuid4().hex[:8]}"
        kit.kontor.receive(
            inbox.Hint(
                provider=provider,
                notification_id=name,
                object_id=None,
                headers={"User-Agent": text, "file": text},
                body=text.encode("utf-8", "replace"),
                verdict="verified",
            )
        )
        with kit.kontor.read() as connection:
            found = inbox.load_notification(connection, provider, name)
            assert found is not None
            now = business.now(connection)
            claimed = effects.claim(connection, found.effect_id, now)
            assert claimed is not None
            inbox.settle(connection, provider, [name], "quarantined", f"Not understood: {text}")
            if provider == "stripe":
                effects.park(connection, claimed, f"RenderFailed: {text}")
            else:
                effects.finish(connection, claimed.then("done"))


def something_of_everything(kit: Following) -> None:
    """Friendly texts: what the map of the app is drawn from."""
    open_ = Story(kit, "Otto Kraus")
    open_.rendered()
    Story(kit, "Petra Lang").failed()
    unknown = Story(kit, "Ida Ott")
    unknown.rendered()
    ids = {"payment_id": unknown.payment_id}
    kit.do(pay.SubmitPayment(by="worker", mandate_id=unknown.mandate_id, key="k", **ids))
    kit.do(pay.RecordPaymentUnknown(by="worker", why="timeout", **ids))
    kit.settle()
    told_everywhere(kit, "Nadia Brandt")  # moves the Clock: the others could not be debited then
    parked_stream(kit)
    operating.raise_cases(kit.kontor)
    kit.settle()


def simulator_that_says(text: str) -> Callable[..., dict[str, object]]:
    """In place of `webapp.simulator.ask`: a book whose every text is this one."""
    book = {
        "payment_intent": [
            {"id": text, "amount": 1, "status": text, "metadata": {"operation_id": text}}
        ],
        "refund": [
            {"id": text, "amount": 1, "status": text, "payment_intent": text, "metadata": {}}
        ],
        "payout": [{"id": text, "amount": 1, "status": text, "trace_id": {"value": text}}],
        "dispute": [],
    }
    day = DAY.isoformat()
    told = {"id": text, "from": day, "to": day, "opening": 0, "closing": 0, "lines": 0}
    answers = {"/book": book, "/bank": {"statements": [told], "balance": 0}, "/faults": {}}

    def ask(_method: str, path: str, _body: object = None) -> dict[str, object]:
        return answers.get(path, {})

    return ask


def people_act(app: Flask) -> None:
    """What can only be made at the screen: a saved view, an export, a proposed account."""
    lead, admin = Browser(app, Role.LEAD), Browser(app, Role.ADMIN)
    filtered = "/payments?status=failed"
    submit(lead, filtered, "/exports")
    export = submit(lead, filtered, "/exports")
    carry_out(app.extensions["kontor"].database, UUID(export.rpartition("/")[2]))
    links = links_on(lead.send(at(filtered)))
    new = next(link for link in links if link.startswith("/views/new"))
    submit(lead, new, "/views/new", name="Gescheiterte")
    submit(admin, "/staff/new", "/staff/new", login="nina", name="Nina Neu", role="support")


def submit(browser: Browser, page: str, action: str, **typed: str) -> str:
    """The form of a page that posts to `action`, as it stands; where its answer leads."""
    forms = forms_on(browser.send(at(page)), page, browser.role)
    form = next(one for one in forms if one.action.partition("?")[0] == action)
    body = urlencode({**dict(form.values), **typed, "csrf_token": browser.csrf}).encode()
    answer = browser.send(at(form.action, "POST", headers={"Content-Type": FORM}, body=body))
    assert answer.status == 303, (action, answer.status, answer.text[:2000])
    return answer.sent_to
