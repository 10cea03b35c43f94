"""For supervisors, load balancers and Prometheus: alive, ready to work, and how it does. Metrics
are not public: without the token of the settings their address does not exist."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, jsonify, request

from webapp.access import security
from webapp.access.permissions import machine
from webapp.observing import metrics, readiness

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@machine
def livez() -> Response:
    """This process answers; nothing else is looked at."""
    return Response("alive\n", mimetype="text/plain")


@blueprint.get("/readyz")
@machine
def readyz() -> Response:
    found = readiness.readiness()
    answer = jsonify(status=found.word, checks=found.checks)
    answer.status_code = 200 if found.ready else 503
    return answer


@blueprint.get("/metrics")
@machine
def prometheus() -> Response:
    token = security.settings().metrics_token
    if not token:
        abort(404)
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(sent.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not right:
        return Response(
            "a bearer token is needed\n",
            401,
            mimetype="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return Response(metrics.page(), mimetype=None, content_type=metrics.content_type())
