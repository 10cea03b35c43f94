"""One contract, one premium: billed, announced, collected, paid out, settled."""

from datetime import date

from domain.kernel.time import berlin
from domain.payments.payment import Payment, Status
from tests.journeys.people import insure
from tests.journeys.world import World


def test_a_premium_from_due_date_to_our_bank_account(world: World) -> None:
    insured = insure(world)
    world.until(berlin(date(2026, 12, 11), 7))
    assert world.told(insured.invoice()) == [
        "invoice-issued",
        "document-rendered",
        "document-delivered",
    ]
    assert world.told(insured.payment()) == ["payment-scheduled", "payment-announced"]
    world.until(berlin(date(2027, 1, 12), 9))
    assert world.told(insured.payment()) == [
        "payment-scheduled",
        "payment-announced",
        "payment-submitted",
        "payment-accepted",
        "payment-confirmed",
        "payment-paid-out",
        "payment-settled",
    ]
    state = world.kontor.state(insured.payment())
    assert isinstance(state, Payment)
    assert state.status is Status.SETTLED
