"""The table of contents: every kind of stream, every decision, every flow. It runs nothing."""

from domain.contracts import contract
from domain.customers import customer
from domain.flows.collecting import COLLECTING
from domain.flows.flow import Flow
from domain.flows.incidents import INCIDENTS
from domain.flows.refunding import REFUNDING
from domain.flows.settling import SETTLING
from domain.invoices import correction, document, invoice, receivable
from domain.kernel.decider import AnyThing, Deciders
from domain.kernel.ids import prefix_of
from domain.kernel.message import Event
from domain.payments import (
    account,
    collect,
    execute,
    mandate,
    payment,
    provider,
    recovery,
    refund,
    request,
    settlement,
)
from domain.work import case

THINGS: dict[str, AnyThing] = {
    thing.prefix: thing
    for thing in (
        customer.CUSTOMER,
        contract.CONTRACT,
        receivable.RECEIVABLE,
        document.DOCUMENT,
        mandate.MANDATE,
        payment.PAYMENT,
        refund.REFUND,
        recovery.RECOVERY,
        settlement.PAYOUT,
        settlement.STATEMENT,
        settlement.LINE,
        account.ACCOUNT,
        provider.PROVIDER,
        case.CASE,
    )
}
DECIDERS: Deciders = {
    **customer.DECIDERS,
    **contract.DECIDERS,
    **receivable.DECIDERS,
    **invoice.DECIDERS,
    **correction.DECIDERS,
    **document.DECIDERS,
    **mandate.DECIDERS,
    **collect.DECIDERS,
    **request.DECIDERS,
    **execute.DECIDERS,
    **recovery.DECIDERS,
    **settlement.DECIDERS,
    **provider.DECIDERS,
    **case.DECIDERS,
}
FLOWS: tuple[Flow, ...] = (COLLECTING, REFUNDING, SETTLING, INCIDENTS)
EVENTS: tuple[type[Event], ...] = tuple(
    event for thing in THINGS.values() for event in thing.events
)


def thing_of(stream: str) -> AnyThing:
    """Raises KeyError for a prefix that no stream has."""
    return THINGS[prefix_of(stream)]
