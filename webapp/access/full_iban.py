"""The recorded look at a full account number: the one place where a whole IBAN is shown. Each look
leaves a row in the audit trail."""

from __future__ import annotations

from flask import Response

from domain.payments.mandate import Mandate
from webapp import fragments
from webapp.access.audit import audit
from webapp.kontor import kontor


def look(mandate_id: str, reference: str, back: str) -> Response:
    """`back` is the page where the person comes from."""
    audit("iban.full", "allowed", mandate_id)
    mandate = kontor().state(mandate_id)
    number = mandate.iban if isinstance(mandate, Mandate) else None
    return fragments.page_or_dialog("iban.html", number=number, reference=reference, back=back)
