"""The bare address: sends everybody to the first screen their role may open."""

from __future__ import annotations

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from webapp import fragments, navigation
from webapp.access.permissions import permitted

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@permitted("account.own")
def index() -> Response:
    url = navigation.first_url()
    if url is None:
        abort(404)
    return fragments.go(url)
