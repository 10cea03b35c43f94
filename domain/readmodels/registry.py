"""Every read model, in the order in which the follower feeds them."""

from domain.readmodels import (
    contracts,
    customers,
    invoices,
    payments,
    refunds,
    search,
    settlement,
    stream,
    work,
)
from domain.readmodels.model import ReadModel

READMODELS: tuple[ReadModel, ...] = (
    stream.MODEL,
    work.MODEL,
    payments.MODEL,
    refunds.MODEL,
    invoices.MODEL,
    search.MODEL,
    settlement.MODEL,
    customers.MODEL,
    contracts.MODEL,
)
