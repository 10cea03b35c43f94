"""The data browser at /data: Flask-Admin over the tables of `domain.readmodels.browse`, read-only,
on our own templates. Nothing here can write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_admin import Admin

from domain.readmodels.browse import VIEWS
from webapp.access.permissions import permitted
from webapp.data.exports import BROWSED
from webapp.data.view import BrowseView, StartView

URL = "/data"


def init_data(app: Flask) -> None:
    """One view per table. Every address of it carries the table's act, so the one gate in front of
    all our views (`security.check_permission`) stands in front of these, too."""
    start = StartView(name="Data", endpoint="data", url=URL)
    admin = Admin(app, name="Kontor", index_view=start, url=URL, endpoint="data")
    browsed = {name: BrowseView(table) for name, table in VIEWS.items()}
    app.extensions[BROWSED] = browsed
    admin.add_views(*browsed.values())
    for view in (start, *browsed.values()):
        for endpoint in _endpoints(app, view.endpoint):
            app.view_functions[endpoint] = permitted(view.act)(_own(app.view_functions[endpoint]))


def _endpoints(app: Flask, blueprint: str) -> list[str]:
    return [name for name in app.view_functions if name.partition(".")[0] == blueprint]


def _own(view: Callable[..., Any]) -> Callable[..., Any]:
    """A function of its own: the mark on a shared method would be the mark of all tables."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return call
