"""What every request leaves behind: its id in the answer, one log line, its time in a histogram,
and its span where traces are on. Addresses are told as routes, because what is typed into one may
be anything; of the values only ids of ours are repeated."""

from __future__ import annotations

import logging
import re
import secrets
import time
from contextlib import ExitStack
from typing import Final

from flask import Flask, Response, g, request

from domain.observing import logs, traces
from webapp.observing import metrics

log = logging.getLogger("kontor.requests")

ID: Final = re.compile(r"[a-z]{2,5}_[0-9a-z]{1,40}")
SILENT: Final = frozenset({"health.livez", "health.readyz", "health.prometheus", "static"})
"""Asked every few seconds by machines, and a 503 of theirs is an answer: a line only for a 500."""
REFERENCE_BYTES: Final = 4
WRONG: Final = 500


def init_watching(app: Flask) -> None:
    """Before all others: what it begins first, it ends last."""
    # Flask's own line repeats the address as it was typed; `errors` tells every failure.
    app.log_exception = _untold  # type: ignore[method-assign,assignment]  # Flask's own advice
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_close)


def _untold(*_: object) -> None:
    """Said already."""


def new_reference() -> str:
    """What a request is called: in its answer, in the log, and on a page that says sorry."""
    return secrets.token_hex(REFERENCE_BYTES)


def _begin() -> None:
    g.began = time.perf_counter()
    g.reference = new_reference()
    g.watched = watched = ExitStack()
    watched.enter_context(logs.bind(request_id=g.reference))
    if traces.enabled() and request.endpoint not in SILENT:
        name = f"{request.method} {_route()}"
        watched.enter_context(traces.span(name, "server", request_id=g.reference))


def _end(answer: Response) -> Response:
    reference, began = g.get("reference"), g.get("began")
    if reference is None or began is None:
        return answer  # refused before it was a request: a foreign host name
    seconds = time.perf_counter() - began
    answer.headers["X-Request-Id"] = reference
    status = answer.status_code
    metrics.request_took(request.blueprint or request.endpoint or "none", status, seconds)
    if request.endpoint == "hooks.receive":
        metrics.webhook_took((request.view_args or {}).get("provider", ""), status, seconds)
    traces.mark(http_status=status, staff_id=_staff())
    if request.endpoint not in SILENT or status == WRONG:
        _tell(status, seconds)
    return answer


def _close(_error: BaseException | None) -> None:
    watched: ExitStack | None = g.pop("watched", None)
    if watched is not None:
        watched.close()


def _tell(status: int, seconds: float) -> None:
    values = (str(value) for value in (request.view_args or {}).values())
    subjects = [value for value in values if ID.fullmatch(value)]
    ids: dict[str, object] = {"staff_id": _staff()} if _staff() else {}
    if subjects:
        ids["subject"] = subjects
    level = logging.WARNING if status >= WRONG else logging.INFO
    took = round(seconds * 1000)
    log.log(level, "%s %s %s in %s ms", request.method, _route(), status, took, extra={"ids": ids})


def _route() -> str:
    return request.url_rule.rule if request.url_rule else "(no route)"


def _staff() -> str:
    staff = g.get("staff")
    return staff.id if staff else ""
