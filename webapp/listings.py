"""Every long list by the name that its saved views and exports carry. A new list is one line."""

from __future__ import annotations

from typing import Any, Final

from webapp import (
    contract_list,
    customer_list,
    document_list,
    payment_list,
    refund_list,
    stream_list,
    work_list,
)
from webapp.lists import Listing
from webapp.settlement_lists import LINE_LIST, PAYOUT_LIST, STATEMENT_LIST

_ALL: Final[tuple[Listing[Any], ...]] = (
    work_list.LIST,
    payment_list.LIST,
    refund_list.LIST,
    document_list.LIST,
    PAYOUT_LIST,
    STATEMENT_LIST,
    LINE_LIST,
    stream_list.LIST,
    customer_list.LIST,
    contract_list.LIST,
)
LISTINGS: Final = {one.name: one for one in _ALL}
