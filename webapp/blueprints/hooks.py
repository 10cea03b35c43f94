"""Notifications of providers: verify, hand over to the domain, answer. 200 means stored or known,
400 means refused, counted and not stored; no body makes a 500."""

from __future__ import annotations

import logging
import time
from collections import Counter

from flask import Blueprint, Response, request

from domain.payments import signatures
from webapp import security
from webapp.kontor import kontor
from webapp.permissions import machine

log = logging.getLogger(__name__)
blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")
refusals: Counter[tuple[str, str]] = Counter()
"""(provider, reason) since this process started; each one is also a line in the log."""


@blueprint.post("/<provider>")
@machine
def receive(provider: str) -> Response:
    secret = {"stripe": security.settings().stripe_webhook_secret}.get(provider, "")
    body, headers = request.get_data(cache=False), dict(request.headers.items())
    verdict = signatures.check(provider, body, headers, secret, int(time.time()))
    if isinstance(verdict, signatures.Rejected):
        return _refuse(provider, verdict.reason)
    verified = isinstance(verdict, signatures.Verified)
    if not kontor().hear(provider, body, headers, verified=verified):
        return _refuse(provider, "not a notification")
    return Response("received\n", 200, mimetype="text/plain")


def _refuse(provider: str, reason: str) -> Response:
    """The provider's name comes from the address, so only known ones are repeated."""
    known = provider if provider in signatures.CHECKS else "unknown"
    refusals[known, reason] += 1
    log.warning("refused a notification of %s: %s", known, reason)
    return Response("refused\n", 400, mimetype="text/plain")
