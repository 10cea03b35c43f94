"""Which language a person reads, and where its words come from. Chosen by the person and kept with
the account; before the login by a cookie or the browser. Dates and money are German in each."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import flask_babel
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, Response, g, has_request_context, request
from sqlalchemy import update

from webapp.models import Staff, db

LANGUAGES: Final = {"de": "Deutsch", "en": "English"}
"""As they call themselves. English is the language of the source and has no catalogue."""
DEFAULT: Final = "en"
COOKIE: Final = "language"
COOKIE_SECONDS: Final = 365 * 24 * 3600
FOLDER: Final = Path(__file__).resolve().parent / "translations"


class Catalogues(flask_babel.Domain):  # type: ignore[misc]  # flask_babel has no types
    """Reads the .po files themselves: nothing to compile, nothing binary to keep in step."""

    def get_translations(self) -> NullTranslations:
        return translations(current())


def init_languages(app: Flask) -> None:
    babel = flask_babel.Babel(app, locale_selector=selected)
    babel.domain_instance = Catalogues()
    app.jinja_env.globals.update(languages=LANGUAGES, language=current)


def selected() -> str:
    """The person's own choice, else this browser's last one, else what it asks for."""
    if not has_request_context():
        return DEFAULT
    staff = g.get("staff")
    for wanted in (staff.locale if staff else None, request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return request.accept_languages.best_match([DEFAULT, *LANGUAGES], DEFAULT) or DEFAULT


def current() -> str:
    """The language of what is being written now; outside a request that of the source."""
    return str(flask_babel.get_locale() or DEFAULT)


def choose(answer: Response, wanted: str, *, secure: bool) -> Response:
    """Keeps the choice with the account and with the browser; an unknown language changes nothing.

    The cookie lets the login page greet in the language of whoever used this browser last."""
    if wanted not in LANGUAGES:
        return answer
    if g.get("staff"):
        db.session.execute(update(Staff).where(Staff.id == g.staff.id).values(locale=wanted))
        db.session.commit()
    answer.set_cookie(
        COOKIE, wanted, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=secure
    )
    return answer


@cache
def catalogue(language: str) -> Catalog:
    """The texts of a language as they stand in its file."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


@cache
def translations(language: str) -> NullTranslations:
    if language == DEFAULT:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)
