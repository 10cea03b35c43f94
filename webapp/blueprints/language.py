"""Choosing the language: open to everybody, because the login page has to be read, too."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request

from webapp import fragments, languages
from webapp.access import security
from webapp.access.permissions import public

blueprint = Blueprint("language", __name__)


@blueprint.post("/language")
@public
def choose() -> Response:
    back = fragments.local_path(request.form.get("next"))
    answer = make_response(redirect(back, 303))
    wanted = request.form.get("language", "")
    return languages.choose(answer, wanted, secure=not security.settings().sandbox)
