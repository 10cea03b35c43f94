"""The one place that knows htmx: page or dialog, answers after a command, toasts. htmx-flask reads
the request and writes the answer's headers; being written for older versions, it knows neither
the request type nor `Vary`."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, redirect, render_template, url_for
from htmx_flask import make_response, request
from markupsafe import Markup

from webapp.access import sessions

DIALOG = "dialog#dialog"
VARY = "HX-Request, HX-Request-Type, HX-Target"


def is_htmx() -> bool:
    return bool(request.htmx)


def asked_from() -> str:
    """The path of the page on which htmx asks; "" when the header names no address at all."""
    try:
        here = urlsplit(request.htmx.current_url or "")
    except ValueError:
        return ""
    return here.path + (f"?{here.query}" if here.query else "")


def wants_fragment() -> bool:
    return is_htmx() and request.headers.get("HX-Request-Type") == "partial"


def wants_dialog() -> bool:
    return wants_fragment() and target() == DIALOG


def target() -> str:
    """`dialog#dialog`, `tbody#rows`: the element the answer goes into."""
    return request.htmx.target or ""


def page_or_dialog(template: str, status: int = 200, **context: object) -> Response:
    """The same template as content of the dialog element or as a page of its own. It extends
    `layout` and fills the blocks `heading` and `content`."""
    layout = "layouts/dialog.html" if wants_dialog() else "layouts/dialog_page.html"
    return _rendered(template, status, layout=layout, **context)


def page_or_part(template: str, part: str, status: int = 200, **context: object) -> Response:
    """A whole page, or only the template `part` of it when htmx asks (rows, results, panels)."""
    return _rendered(part if wants_fragment() else template, status, **context)


def done(url: str, notice: str, *parts: Markup) -> Response:
    """After a command. Without htmx: back to `url`, which shows the notice. With htmx: the dialog
    closes, the parts (see `part`) replace their elements and the notice is a toast; without
    parts the page at `url` is loaded anew."""
    if is_htmx() and parts:
        closed: Response = make_response(
            Markup("").join([*parts, toast(notice)]), trigger="close-dialog"
        )
        return closed
    leave_notice(notice)
    return go(url)


def part(selector: str, template: str, **context: object) -> Markup:
    """The element at `selector`, drawn anew from a template of ours."""
    html = Markup(render_template(template, **context))  # noqa: S704 - escaped by the template
    return Markup('<hx-partial hx-target="{}" hx-swap="outerHTML">{}</hx-partial>').format(
        selector, html
    )


def go(url: str) -> Response:
    """Sends the browser to another page, also out of an htmx request."""
    answer: Response = (
        make_response("", 200, redirect=url) if is_htmx() else make_response(redirect(url, 303))
    )
    return answer


def leave_notice(notice: str) -> None:
    """For the next full page of this session."""
    if g.get("session_token"):
        sessions.leave_notice(g.session_token, notice)


def toast(notice: str, tone: str = "good") -> Markup:
    """A line in the corner, read out politely. Tones: good, warn, bad."""
    return Markup(
        '<hx-partial hx-target="#toasts" hx-swap="beforeend">'
        '<p class="toast {}">{}</p></hx-partial>'
    ).format(tone, notice)


def here() -> str:
    """The address of this page, to come back to; without control signs, which HTML cannot hold."""
    return "".join(sign for sign in request.full_path.rstrip("?") if sign.isprintable())


def local_path(candidate: str | None, fallback: str = "home.index") -> str:
    """`candidate` if it is a path of ours, else the fallback: never a redirect elsewhere."""
    path = candidate or ""
    harmless = path.startswith("/") and not path.startswith(("//", "/\\"))
    if harmless and path.isprintable() and "\\" not in path and len(path) < 2000:
        return path
    return url_for(fallback)


def _rendered(template: str, status: int, **context: object) -> Response:
    answer: Response = make_response(render_template(template, **context), status)
    answer.headers["Vary"] = VARY
    return answer
