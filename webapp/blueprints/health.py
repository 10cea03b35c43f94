"""For supervisors and load balancers: alive, and ready to work. No session, no details."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from webapp.models import db
from webapp.permissions import machine

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@machine
def livez() -> Response:
    return Response("alive\n", mimetype="text/plain")


@blueprint.get("/readyz")
@machine
def readyz() -> Response:
    try:
        db.session.execute(text("SELECT 1 FROM staff LIMIT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return Response("the database does not answer\n", 503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")
