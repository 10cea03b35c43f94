"""What people do in a journey, and what happens outside: in the words of the story."""

from domain.kernel.money import Cents
from domain.payments import commands as c
from domain.payments.events import Reason
from domain.work.case import Case
from domain.work.commands import case_id
from domain.work.events import CaseType
from tests.journeys.people import Insured
from tests.journeys.world import World, new_id

ASKER, SECOND = "staff:nora", "staff:otto"


def request(
    insured: Insured,
    amount: Cents,
    reason: Reason = Reason.GOODWILL,
    *,
    by: str = ASKER,
    n: int = 0,
) -> c.RequestRefund:
    payment = insured.payment(n)
    return c.RequestRefund(
        by=by,
        refund_id=new_id("rf", payment),
        payment_id=payment,
        amount=amount,
        reason=reason,
        note="Asked for by telephone",
    )


def refund(world: World, insured: Insured, amount: Cents, reason: Reason = Reason.GOODWILL) -> str:
    """Asked for; below the limit it is approved by rule, sent and accepted at once."""
    command = request(insured, amount, reason)
    world.do(command)
    return command.refund_id


def approve(
    world: World, insured: Insured, refund_id: str, by: str = SECOND, role: str = "operations"
) -> None:
    world.do(c.ApproveRefund(by=by, refund_id=refund_id, payment_id=insured.payment(), role=role))


def reject(world: World, insured: Insured, refund_id: str, by: str = SECOND) -> None:
    world.do(
        c.RejectRefund(
            by=by,
            refund_id=refund_id,
            payment_id=insured.payment(),
            role="finance",
            remark="Not our fault",
        )
    )


def withdraw(world: World, insured: Insured, refund_id: str, by: str = ASKER) -> None:
    world.do(c.WithdrawRefund(by=by, refund_id=refund_id, payment_id=insured.payment()))


def case(world: World, case_type: CaseType, subject: str, occasion: str = "") -> Case:
    """The case about this subject, also when there is none (status "nothing")."""
    state = world.state(case_id(case_type, subject, occasion))
    assert isinstance(state, Case)
    return state
