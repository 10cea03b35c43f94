"""The web app: screens over read models, commands to the domain. `create_app` puts it together
and refuses to start with a route that nobody gave a permission."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path

from flask import Flask, g, url_for
from htmx_flask import Htmx
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings
from domain.dispatch import InstallationRefused
from webapp import errors, format, fragments, languages, navigation, texts
from webapp.access import passwords, security, sessions
from webapp.access.permissions import refuse_unmarked_routes
from webapp.blueprints import MODULES, SANDBOX_MODULES
from webapp.cli import staff_commands
from webapp.data import init_data
from webapp.hook_lane import HookLane
from webapp.kontor import open_kontor, prove_ours
from webapp.models import db
from webapp.observing import metrics, watching
from webapp.retold import retold
from webapp.sentences import codes

STATIC = Path(__file__).resolve().parent / "static"
HTMX_CONFIG = (
    '{"includeIndicatorCSS": false, "transitions": false, "mode": "same-origin", '
    '"history": "reload", "defaultTimeout": 20000}'
)
# A request that waits longer for a connection than this is answered with 503; an error's text holds
# no values, which may be somebody's.
POOL = {
    "pool_size": 4,
    "max_overflow": 4,
    "pool_timeout": 5,
    "pool_pre_ping": True,
    "hide_parameters": True,
    # A machine that swallows packets must not hold a thread for minutes.
    "connect_args": {"connect_timeout": 3},
}


def create_app(settings: Settings) -> Flask:
    """The app for these settings; one process may build several, each with its own database."""
    app = Flask("webapp")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=POOL,
        BABEL_DEFAULT_LOCALE="en",
        BABEL_DEFAULT_TIMEZONE="Europe/Berlin",
    )
    app.extensions["kontor.settings"] = settings
    app.extensions["kontor"] = open_kontor(settings)
    db.init_app(app)
    Htmx(app)
    languages.init_languages(app)
    metrics.init_metrics(settings)
    watching.init_watching(app)
    app.before_request(prove_ours)
    security.init_security(app, settings)
    errors.init_errors(app)
    _init_templates(app, settings)
    for name in (*MODULES, *(SANDBOX_MODULES if settings.sandbox else ())):
        app.register_blueprint(import_module(f"webapp.blueprints.{name}").blueprint)
    init_data(app)
    app.cli.add_command(staff_commands)
    failure = (errors.database_driver(app).Error, InstallationRefused)
    lane = HookLane(app.wsgi_app, settings, app.extensions["kontor"], failure)
    app.wsgi_app = lane  # type: ignore[method-assign]  # Flask's own advice
    if not settings.sandbox:
        # One proxy in front ends TLS and names the client.
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own advice
    passwords.warm_up()
    refuse_unmarked_routes(app)
    return app


def asset(name: str) -> str:
    """The address of a static file, with its content's hash: cached for ever, never stale."""
    return url_for("static", filename=name, v=_hash(name))


@cache
def _hash(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def csrf_field() -> Markup:
    """The hidden field of every form that posts."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(
        security.csrf_token()
    )


def take_notice() -> str | None:
    """The sentence left for this page; it is shown once."""
    notice: str | None = g.get("notice")
    if notice and g.session_token:
        sessions.leave_notice(g.session_token, None)
        g.notice = None
    return notice


def _init_templates(app: Flask, settings: Settings) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        money=format.money,
        money_plain=format.money_plain,
        number=format.number,
        day=format.day,
        day_of=format.day_of,
        when=format.when,
        time_of_day=format.time_of_day,
        iban=format.iban,
        iban_masked=format.iban_masked,
        retold=retold,
        provider_name=codes.provider_name,
        typed_day=format.typed_day,
    )
    app.jinja_env.globals.update(
        asset=asset,
        here=fragments.here,
        csrf_field=csrf_field,
        csrf_token=security.csrf_token,
        may=security.allowed,
        navigation=navigation.groups,
        cases_waiting=navigation.waiting,
        take_notice=take_notice,
        ngettext=texts.counted,
        role_name=codes.role_name,
        queue_name=codes.queue_name,
        mode_name=codes.mode_name,
        effect_kind=codes.effect_kind,
        effect_state=codes.effect_state,
        notification_state=codes.notification_state,
        refused_hook=codes.refused_hook,
        deadline=lambda value: texts.deadline(value, security.today()),
        until=lambda value: texts.until(value, security.today()),
        distance=lambda value: texts.distance(value, security.today()),
        has_route=lambda endpoint: endpoint in app.view_functions,
        htmx_config=HTMX_CONFIG,
        sandbox=settings.sandbox,
        house=settings.house,
        now=security.now,
    )
    app.context_processor(_page_context)


def _page_context() -> dict[str, object]:
    return {
        "staff": g.get("staff"),
        "theme": g.get("theme") if g.get("theme") in ("light", "dark") else "",
        "keys_off": g.get("keys") == "off",
        "in_dialog": fragments.wants_dialog(),
    }
