"""Error pages: what happened, what was not done, what to do now, and a reference to name on the
phone. Never a trace. The same answers reach htmx as a toast or as the dialog's content."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, make_response, render_template, request
from sqlalchemy.exc import OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from domain.dispatch import InstallationRefused
from domain.kernel.message import Refused
from webapp import fragments
from webapp.access import security
from webapp.access.audit import audit
from webapp.access.proving import ProofNeeded
from webapp.models import db
from webapp.texts import _, sentence

log = logging.getLogger(__name__)
NO_SUCH_TABLE = ("42P01", "3F000")


@dataclass(frozen=True, slots=True)
class Sorry:
    """What a person reads: the title is also the page's heading."""

    title: str
    body: str


def words(code: int) -> Sorry:
    """The words of a status. Written out here so that Babel finds every sentence."""
    known: dict[int, Callable[[], Sorry]] = {
        400: lambda: Sorry(
            _("This request cannot be read"),
            _("Nothing was done. Go back, reload the page and try again."),
        ),
        403: lambda: Sorry(
            _("Your role may not do this"),
            _("Nothing was done. Ask a lead if you need it for your work. The try is recorded."),
        ),
        404: lambda: Sorry(
            _("There is nothing at this address"),
            _("Check the address, or search for the number or the name."),
        ),
        405: lambda: Sorry(
            _("This address cannot be used this way"),
            _("Nothing was done. Go back and use the button on the page."),
        ),
        413: lambda: Sorry(
            _("This file is too large"),
            _("Nothing was stored. Split it, or ask for a smaller export."),
        ),
        422: lambda: Sorry(
            _("This is not possible now"),
            _("Nothing was done. The reason stands where the act was asked for."),
        ),
        503: lambda: Sorry(
            _("The database does not answer"),
            _("Nothing was done. Kontor tries again by itself; reload the page in a minute."),
        ),
    }
    default = Sorry(
        _("Something in Kontor is broken"),
        _("It is not certain that your act was recorded. Look at the history first."),
    )
    return known[code]() if code in known else default


def init_errors(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _broken)
    driver = database_driver(app)
    for error in (OperationalError, driver.OperationalError):
        app.register_error_handler(error, _database_away)
    app.register_error_handler(InstallationRefused, _not_ours)
    for mistake in (ProgrammingError, driver.ProgrammingError):
        app.register_error_handler(mistake, _not_made_yet)
    app.register_error_handler(security.CsrfRefused, _csrf)
    app.register_error_handler(security.SignInNeeded, _sign_in)
    app.register_error_handler(ProofNeeded, _prove)
    app.register_error_handler(Refused, _refused)


def database_driver(app: Flask) -> Any:
    """The domain uses the driver without SQLAlchemy; this is where its own errors stand."""
    with app.app_context():
        return db.engine.dialect.loaded_dbapi


def _http(error: HTTPException) -> Response:
    if isinstance(error, SecurityError):
        # A foreign host name: no address of ours can be built, so no page either.
        return Response("Unknown host.\n", 400, mimetype="text/plain")
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    known = code if code in (400, 403, 404, 405, 413, 503) else 400 if code < 500 else 500
    return page(code, words(known))


def _broken(error: InternalServerError) -> Response:
    log.error("request %s failed", g.get("reference"), exc_info=error.original_exception)
    return page(500, words(500))


def _database_away(error: Exception) -> Response:
    log.warning("request %s: the database does not answer: %s", g.get("reference"), error)
    return page(503, words(503))


def _not_ours(error: InstallationRefused) -> Response:
    log.error("request %s: %s", g.get("reference"), error)
    sorry = Sorry(
        _("This database belongs to another Kontor"),
        _("Nothing was done. Tell operations: what is wrong stands in the log and at /readyz."),
    )
    return page(503, sorry)


def _not_made_yet(error: Exception) -> Response:
    """A table is missing: the migration has not run, or the follower has not built the screens
    yet. Any other mistake in a statement is ours."""
    if getattr(getattr(error, "orig", error), "sqlstate", "") not in NO_SUCH_TABLE:
        return _broken(InternalServerError(original_exception=error))
    log.warning("request %s came before the tables: %s", g.get("reference"), error)
    sorry = Sorry(
        _("Kontor is still getting ready"),
        _("Nothing was done. The screens are being built; reload the page in a minute."),
    )
    return page(503, sorry)


def _csrf(_error: security.CsrfRefused) -> Response:
    sorry = Sorry(
        _("This form is too old or came from elsewhere"),
        _("Nothing was done. Go back, reload the page and send it again."),
    )
    return page(400, sorry)


def _sign_in(_error: security.SignInNeeded) -> Response:
    return fragments.go(security.sign_in_url())


def _prove(error: ProofNeeded) -> Response:
    asked = error.question
    return fragments.page_or_dialog("auth/prove.html", asked.status, asked=asked)


def _refused(error: Refused) -> Response:
    """A refusal that no form caught: still a sentence, still in the audit trail."""
    audit(str(request.endpoint), "refused", reason=error.message, reference=g.get("reference"))
    return page(422, Sorry(_("This is not possible now"), sentence(error)))


def page(code: int, sorry: Sorry) -> Response:
    """As a page, as the dialog's content, or as a toast that leaves the page as it is."""
    reference = g.get("reference") or ""
    g.asks_nothing = True  # the database may be what failed
    if fragments.wants_dialog():
        html = render_template("errors/dialog.html", sorry=sorry, reference=reference)
    elif fragments.is_htmx():
        words = f"{sorry.title}. {sorry.body}"
        html = fragments.toast(f"{words} ({reference})" if code >= 500 else words, "bad")
    else:
        frame = "errors/inside.html" if g.get("staff") else "errors/outside.html"
        html = render_template(frame, sorry=sorry, reference=reference)
    return make_response(html, code)
