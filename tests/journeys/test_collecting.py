"""One January in which collections fail in every way: one Kontor, one clock, many customers. The
story runs once, then each test looks at its own customer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

import pytest

from domain.kernel.time import berlin
from domain.payments.commands import RevokeMandate
from domain.payments.events import PaymentFailed, PaymentReturned
from domain.work.case import Status as CaseStatus
from domain.work.events import CaseType
from jobs.providers.stripe.translate import ISO_CODES
from tests.conftest import clone_of
from tests.journeys.acts import case
from tests.journeys.people import Insured, insure
from tests.journeys.proofs import prove
from tests.journeys.town import START
from tests.journeys.world import World, running_world
from tests.servers import Servers, sandbox_settings

FAILURES = {**ISO_CODES, "no_account_of_that_name": "no_account_of_that_name"}
"""Stripe's word -> ISO code; a word that nobody knows stands for itself."""
LOST = {
    "lose_answers": date(2027, 1, 5),
    "lose_requests": date(2027, 1, 6),
    "store_500": date(2027, 1, 7),
}
"""The fault strikes the one debit of that day."""
RETURNED = {
    "before the payout": ("insufficient_funds", berlin(date(2027, 1, 6), 12)),
    "before the statement": ("account_closed", berlin(date(2027, 1, 6), 20)),
    "after settlement": ("general", berlin(date(2027, 1, 7), 12)),
}
GOOD = ["payment-scheduled", "payment-announced", "payment-submitted"]
HOME = ["payment-confirmed", "payment-paid-out", "payment-settled"]


@dataclass
class January:
    world: World
    people: dict[str, Insured] = field(default_factory=dict)

    def told(self, name: str) -> list[str]:
        return self.world.told(self.people[name].payment())


@pytest.fixture(scope="module")
def january(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[January]:
    with clone_of(servers, template_database) as url:
        settings = sandbox_settings(servers, url, tmp_path_factory.mktemp("january"))
        with running_world(settings, START) as world:
            yield _lived_through(January(world))


def _lived_through(january: January) -> January:
    world, people = january.world, january.people
    for word in FAILURES:
        people[word] = insure(world, behaviour={"fail": word})
    for name in ("well", "revoked", *RETURNED):
        people[name] = insure(world)
    for fault, day in LOST.items():
        people[fault] = insure(world, first_due=day)
    people["refused"] = insure(world, behaviour={"refuse": "insufficient_funds"})
    people["late"] = insure(world, first_due=date(2026, 12, 28))
    world.until(berlin(date(2027, 1, 3), 12))
    world.do(RevokeMandate(by="test", mandate_id=people["revoked"].mandate))
    for moment, act in sorted(_happening(january), key=lambda one: one[0]):
        world.until(moment)
        act()
    world.until(berlin(date(2027, 1, 9), 9))
    return january


def _happening(january: January) -> Iterator[tuple[datetime, Callable[[], None]]]:
    world = january.world
    for fault, day in LOST.items():
        yield berlin(day, 5), partial(world.faults, **{fault: {"payment_intents.create": 1}})
    for name, (reason, moment) in RETURNED.items():
        payment = january.people[name].payment()
        yield moment, partial(world.act, "return", payment=payment, reason=reason)


def test_the_books_are_equal(january: January) -> None:
    prove(january.world)


def test_all_is_well(january: January) -> None:
    assert january.told("well")[:3] == GOOD
    assert january.told("well")[-3:] == HOME
    receivable = january.world.state(january.people["well"].receivable())
    assert receivable.open == 0


@pytest.mark.parametrize(("word", "code"), FAILURES.items())
def test_a_collection_that_fails_says_why(january: January, word: str, code: str) -> None:
    _failed(january, word, code, word)
    assert january.told(word)[:4] == [*GOOD, "payment-accepted"]


def test_a_debit_that_is_refused_at_once(january: January) -> None:
    _failed(january, "refused", "AM04", "insufficient_funds")
    assert "payment-accepted" not in january.told("refused")


def test_a_revoked_mandate_is_not_debited(january: January) -> None:
    _failed(january, "revoked", "mandate-revoked", "")
    assert "payment-submitted" not in january.told("revoked")
    _nothing_at_the_provider(january, "revoked")


def test_a_late_bill_is_announced_too_late(january: January) -> None:
    _failed(january, "late", "notice-late", "")
    assert january.told("late") == ["payment-scheduled", "payment-failed"]
    _nothing_at_the_provider(january, "late")


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_asked_for_and_money_moves_once(january: January, fault: str) -> None:
    assert january.told(fault) == [*GOOD, "payment-outcome-unknown", "payment-accepted"] or (
        january.told(fault)[3:6] == ["payment-outcome-unknown", "payment-accepted", HOME[0]]
    )
    payment = january.people[fault].payment()
    intents = january.world.book()["payment_intent"]
    assert len([one for one in intents if one["metadata"]["operation_id"] == payment]) == 1


@pytest.mark.parametrize("when", RETURNED)
def test_a_debit_that_comes_back(january: January, when: str) -> None:
    world, insured = january.world, january.people[when]
    (returned,) = (
        one for one in world.events(insured.payment()) if isinstance(one, PaymentReturned)
    )
    reason, _moment = RETURNED[when]
    assert (returned.code, returned.raw_code) == (ISO_CODES[reason], reason)
    assert returned.fee == 750
    _open_again(january, when, CaseType.PAYMENT_RETURNED, returned.code, reason)
    # Facts that arrive after the return are kept.
    assert set(january.told(when)) >= {"payment-returned", *HOME}


def _failed(january: January, name: str, code: str, raw_code: str) -> None:
    failed = january.world.events(january.people[name].payment())[-1]
    assert isinstance(failed, PaymentFailed)
    assert (failed.code, failed.raw_code) == (code, raw_code)
    _open_again(january, name, CaseType.PAYMENT_FAILED, code, raw_code)


def _open_again(january: January, name: str, case_type: CaseType, code: str, raw_code: str) -> None:
    world, insured = january.world, january.people[name]
    receivable = world.state(insured.receivable())
    assert receivable.raised is not None
    assert receivable.open == receivable.raised.amount
    assert receivable.collecting is None
    told = case(world, case_type, insured.payment())
    assert told.status is CaseStatus.OPEN
    assert told.opened is not None
    assert told.opened.details == {"code": code, "raw_code": raw_code}


def _nothing_at_the_provider(january: January, name: str) -> None:
    payment = january.people[name].payment()
    intents = january.world.book()["payment_intent"]
    assert not [i for i in intents if i["metadata"]["operation_id"] == payment]
