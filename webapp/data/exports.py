"""Every table of the data browser as a file: the same filters and order, all columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import current_app, url_for

from domain.readmodels.browse import VIEWS, View
from domain.readmodels.exports import Asked
from webapp.data import names
from webapp.data.view import BrowseView
from webapp.lists.exports import Listed

BROWSED = "kontor.data"
"""Where the app keeps its views, by the name of their tables."""


def tables() -> dict[str, Listed]:
    return {view.export_name: _listed(view) for view in VIEWS.values()}


def _listed(view: View) -> Listed:
    def ask() -> Asked | None:
        browsed = cast(dict[str, BrowseView], current_app.extensions[BROWSED])
        return browsed[view.name].looked().asked

    return Listed(
        title=lambda: view.name,
        act=names.ACTS[view.group],
        home=lambda: url_for(f"{names.endpoint(view)}.index_view"),
        ask=ask,
        head={field.name: _said(field.name) for field in view.fields},
        words={},
    )


def _said(name: str) -> Callable[[], str]:
    """Columns of tables keep their names in every language."""
    return lambda: name
