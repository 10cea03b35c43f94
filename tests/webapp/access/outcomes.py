"""What somebody who may come in is told: the answer to a look with real ids, and to an empty form.
Written by hand for every write, so a new route needs its line here before the table can be made."""

from __future__ import annotations

from typing import Final

from webapp.access.permissions import SECOND_FACTOR, Role

ANONYMOUS: Final = "anonymous"
HALF: Final = "half-open"
OK, SEE_OTHER, BAD, FORBIDDEN, NOTHING, NOT_ALLOWED, UNREADABLE, AWAY = (
    *(200, 303, 400, 403, 404, 405, 422),
    503,
)
Outcome = int | dict[str, int]
"""One status for everybody who may, or by person with "" for the others."""

# A look is 200 unless it stands here.
LOOKS: Final[dict[str, Outcome]] = {
    # Addresses that only lead on.
    "/": SEE_OTHER,
    "/sandbox/clock": SEE_OTHER,
    # The simulator of this test is not running.
    "/sandbox/faults": AWAY,
    # For strangers; the others are sent where they belong.
    "/login": {ANONYMOUS: OK, "": SEE_OTHER},
    # A half-open login of somebody who has a second factor needs none set up.
    "/login/setup": SEE_OTHER,
    # A part of a page; as a page of its own it is the customer's.
    "/customers/<customer_id>/beside": 302,
    # Machines bring a token.
    "/metrics": 401,
    # Which list is named in the question behind the address.
    "/views/new": NOTHING,
    # The row is named in the question behind the address.
    "/data/<>/details/": NOTHING,
    # No export of this test was ever written; and admins may not read payments.
    "/exports/<uuid:export_id>/file": {Role.ADMIN: FORBIDDEN, "": NOTHING},
}

# An empty form with a right token. Nothing here is 200 unless the page explains what to do.
WRITES: Final[dict[str, Outcome]] = {
    "/account/factor": UNREADABLE,
    "/account/factor/off": {**dict.fromkeys(SECOND_FACTOR, FORBIDDEN), "": SEE_OTHER},
    "/account/password": UNREADABLE,
    # Who has no second factor is sent back to set one up first.
    "/account/recovery-codes": {**dict.fromkeys(SECOND_FACTOR, OK), "": SEE_OTHER},
    "/account/sessions/end": SEE_OTHER,
    "/exports": NOTHING,
    "/exports/<uuid:export_id>/cancel": SEE_OTHER,
    "/hooks/<provider>": BAD,
    "/invoices/pdfs": UNREADABLE,
    "/keys": SEE_OTHER,
    "/language": SEE_OTHER,
    "/login": UNREADABLE,
    "/login/code": UNREADABLE,
    "/login/setup": SEE_OTHER,
    "/logout": SEE_OTHER,
    "/payments/<payment_id>/check": SEE_OTHER,
    "/payments/<payment_id>/refund": BAD,
    # Without what was seen the dialog is shown first.
    "/refunds/<refund_id>/approve": OK,
    "/refunds/<refund_id>/check": SEE_OTHER,
    "/refunds/<refund_id>/reject": OK,
    # Somebody else asked for it.
    "/refunds/<refund_id>/withdraw": UNREADABLE,
    "/reset/<token>": UNREADABLE,
    "/sandbox/clock": SEE_OTHER,
    "/sandbox/clock/stop": SEE_OTHER,
    "/sandbox/faults": AWAY,
    "/staff/<staff_id>/change": UNREADABLE,
    "/staff/changes/<change_id>/close": SEE_OTHER,
    "/staff/changes/<change_id>/confirm": SEE_OTHER,
    "/staff/new": UNREADABLE,
    "/statements/upload": UNREADABLE,
    "/stream/release-effect": NOTHING,
    "/stream/release-stream": SEE_OTHER,
    "/stream/translate-again": SEE_OTHER,
    "/style/dialog": UNREADABLE,
    # Which provider is said in the form.
    "/system/ask": NOTHING,
    "/theme": SEE_OTHER,
    "/views/<view_id>": UNREADABLE,
    "/views/<view_id>/delete": SEE_OTHER,
    "/views/new": NOTHING,
    "/work/<case_id>/close": UNREADABLE,
    "/work/<case_id>/note": UNREADABLE,
    "/work/<case_id>/snooze": UNREADABLE,
    "/work/<case_id>/take": SEE_OTHER,
    # Says that nothing was chosen.
    "/work/bulk": OK,
}
