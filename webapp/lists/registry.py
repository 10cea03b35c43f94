"""Every long list by the name that its saved views and exports carry. A new list is one line."""

from __future__ import annotations

from typing import Any, Final

from webapp.lists import Listing, contracts, customers, documents, payments, refunds, stream, work
from webapp.lists.settlement import LINE_LIST, PAYOUT_LIST, STATEMENT_LIST

_ALL: Final[tuple[Listing[Any], ...]] = (
    work.LIST,
    payments.LIST,
    refunds.LIST,
    documents.LIST,
    PAYOUT_LIST,
    STATEMENT_LIST,
    LINE_LIST,
    stream.LIST,
    customers.LIST,
    contracts.LIST,
)
LISTINGS: Final = {one.name: one for one in _ALL}
