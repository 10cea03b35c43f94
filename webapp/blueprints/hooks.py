"""Notifications of providers: verify, hand over to the domain, answer. 200 means stored or known,
400 means refused, counted and not stored; no body makes a 500."""

from __future__ import annotations

import logging
import time

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from domain.payments import signatures
from webapp import hook_refusals
from webapp.access import security
from webapp.access.permissions import machine
from webapp.kontor import kontor

log = logging.getLogger(__name__)
blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")


@blueprint.post("/<provider>")
@machine
def receive(provider: str) -> Response:
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        _count(provider, "body too large")
        raise
    secret = {"stripe": security.settings().stripe_webhook_secret}.get(provider, "")
    headers = dict(request.headers.items())
    verdict = signatures.check(provider, body, headers, secret, int(time.time()))
    if isinstance(verdict, signatures.Rejected):
        return _refuse(provider, verdict.reason)
    verified = isinstance(verdict, signatures.Verified)
    if not kontor().hear(provider, body, headers, verified=verified):
        return _refuse(provider, "not a notification")
    return Response("received\n", 200, mimetype="text/plain")


def _refuse(provider: str, reason: str) -> Response:
    _count(provider, reason)
    return Response("refused\n", 400, mimetype="text/plain")


def _count(provider: str, reason: str) -> None:
    """The provider's name comes from the address, so only known ones are repeated."""
    known = provider if provider in signatures.CHECKS else "unknown"
    log.warning("refused a notification of %s: %s", known, reason)
    hook_refusals.count(known, reason)
