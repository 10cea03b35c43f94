"""20,000 hostile requests through the whole web app, in this process, over a database with the demo
insurer in it: no answer is a 5xx, lacks its headers, leads elsewhere or shows a trace, and nobody
is let in between the two steps of the login."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import os
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final
from urllib.parse import unquote_to_bytes

from flask import Flask

from bench import report
from bench.atlas import Atlas, match, walked
from bench.browser import EVERYBODY, OUTSIDE, STRANGER, Answer, Browser, Request
from bench.house import opened
from bench.odd_requests import Kit, odd_request
from webapp import create_app
from webapp.access import security
from webapp.access.permissions import HALF_OPEN, MACHINE, PUBLIC, act_of
from webapp.blueprints import statements

REQUESTS: Final = 20_000
SEED: Final = 7
TRACES: Final = ("Traceback (most", 'File "/', "psycopg.errors", "werkzeug.exceptions", "jinja2.")
SHOWN: Final = 20
LIMITS: Final = {"requests": ">= 20000", "answers 5xx": "= 0", "other findings": "= 0"}


@dataclass(frozen=True)
class Finding:
    """An answer that must not be, with everything needed to ask for it again."""

    seed: int
    number: int
    role: str
    request: Request
    answer: Answer
    wrong: tuple[str, ...]

    def told(self) -> str:
        error = self.answer.error
        trace = "".join(traceback.format_exception(error)[-6:]) if error else ""
        what = "; ".join(self.wrong)
        return (
            f"request {self.number} of seed {self.seed} as {self.role}: {what}\n"
            f"  {self.request.told()}\n{trace}"
        )


@dataclass
class Fuzzed:
    """What came of one run."""

    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    reached: dict[str, Counter[int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def broken(self) -> list[Finding]:
        return [one for one in self.findings if one.answer.status >= 500 or one.answer.error]


def fuzz(app: Flask, requests: int, seed: int, atlas: Atlas | None = None) -> Fuzzed:
    """Every route in turn, each time by any role, until so many requests are sent."""
    roles = EVERYBODY
    kit = Kit.of(app, atlas or walked(app, roles))
    browsers = {role: Browser(app, role) for role in roles}
    result, dice = Fuzzed(), Random(seed)
    begun = time.perf_counter()
    families = itertools.cycle(kit.families)
    for number, relatives in enumerate(itertools.islice(families, requests)):
        rule, role = dice.choice(relatives), dice.choice(roles)
        browser = browsers[role]
        request = odd_request(kit, rule, dice, browser.csrf)
        answer = browser.send(request, keep=False)
        result.requests += 1
        result.statuses[answer.status] += 1
        result.reached.setdefault(rule.endpoint, Counter())[answer.status] += 1
        if wrong := [*faults(answer, app), *let_in(app, role, request, answer)]:
            result.findings.append(Finding(seed, number, role, request, answer, tuple(wrong)))
        if _logged_out(answer, role):
            browser.renew()
    result.seconds = time.perf_counter() - begun
    return result


def _logged_out(answer: Answer, role: str) -> bool:
    """By its own logout, or by an admin who disabled it."""
    ended = any("Max-Age=0" in one for one in answer.headers.getlist("Set-Cookie"))
    sent_out = role not in OUTSIDE and answer.sent_to.startswith("/login")
    return role != STRANGER and (ended or sent_out)


def let_in(app: Flask, role: str, request: Request, answer: Answer) -> list[str]:
    """Whether somebody without a session, or between the two steps of the login, got to see a
    page that is for staff."""
    if role not in OUTSIDE or answer.status >= 300 or request.method == "OPTIONS":
        return []
    path = unquote_to_bytes(request.path).decode("utf-8", "replace")
    found = match(app.url_map.bind("localhost"), path, (request.method,))
    act = act_of(app, found[0]) if found else PUBLIC
    shut = act not in (PUBLIC, MACHINE) and not (act == HALF_OPEN and role != STRANGER)
    return [f"let in where {act} is needed"] if shut and not answer.sent_to else []


def faults(answer: Answer, app: Flask) -> list[str]:
    """What no answer may be, whatever was asked."""
    found = []
    if answer.error is not None:
        found.append(f"broke with {type(answer.error).__name__}")
    if answer.status >= 500:
        found.append(f"answered {answer.status}")
    found += missing_headers(answer, app)
    home = app.extensions["kontor.settings"].url
    found += [f"leads to {url[:200]!r}" for url in steered(answer) if is_foreign(url, home)]
    if answer.kind.startswith("text/"):
        found += [f"shows {trace!r}" for trace in TRACES if trace in answer.text]
    return found


def missing_headers(answer: Answer, app: Flask) -> list[str]:
    """The security headers, whole; a policy may only be one of ours."""
    found = []
    for name, value in security.HEADERS.items():
        sent = answer.headers.getlist(name)
        allowed = {value}
        if name == "Content-Security-Policy" and answer.kind == "application/pdf":
            allowed.add(security.PDF_POLICY)
        if len(sent) != 1 or sent[0] not in allowed:
            found.append(f"{name} is {sent}")
    cached = answer.headers.get("Cache-Control", "")
    if cached != "no-store" and not ("public" in cached or "no-cache" in cached):
        found.append(f"Cache-Control is {cached!r}")
    settings = app.extensions["kontor.settings"]
    if not settings.sandbox and "max-age" not in answer.headers.get(
        "Strict-Transport-Security", ""
    ):
        found.append("no Strict-Transport-Security")
    for cookie in answer.headers.getlist("Set-Cookie"):
        needed = ("HttpOnly", "Path=/", "SameSite=Lax")
        needed += () if settings.sandbox else ("Secure",)
        found += [f"a cookie without {one}" for one in needed if one not in cookie]
    return found


STEERING: Final = ("Location", "HX-Redirect", "HX-Location", "HX-Replace-Url", "HX-Push-Url")


def steered(answer: Answer) -> list[str]:
    """Every address an answer sends the browser to."""
    found = [value for name in STEERING for value in answer.headers.getlist(name)]
    return [*found, *answer.headers.getlist("Refresh")]


def is_foreign(url: str, home: str) -> bool:
    """As a browser reads it: backslashes are slashes, tabs and line ends are nothing."""
    seen = "".join(sign for sign in url.strip() if sign.isprintable()).replace("\\", "/")
    if seen.lower() in ("false", "true"):  # HX-Push-Url: false
        return False
    if seen.startswith(f"{home}/"):
        return False
    return not seen.startswith("/") or seen.startswith("//") or "\\" in url or url != url.strip()


def main() -> dict[str, float]:
    """`KONTOR_FUZZ_SEED` sends others; a finding prints the request that made it."""
    seed = int(os.environ.get("KONTOR_FUZZ_SEED", str(SEED)))
    logging.getLogger("webapp").setLevel(logging.ERROR)  # it refuses hooks by the hundred
    with opened("web", "follower") as house:
        # Nobody works behind the upload: waiting for a worker would be all that is measured.
        statements.PATIENCE_S = 0.0  # type: ignore[misc]  # for this process only
        app = create_app(dataclasses.replace(house.settings))
        result = fuzz(app, REQUESTS, seed)
        app.extensions["kontor"].database.close()
    for finding in result.findings[:SHOWN]:
        print(finding.told())
    numbers = {
        "requests": result.requests,
        "answers 5xx": len(result.broken),
        "other findings": len(result.findings) - len(result.broken),
        "routes": len(result.reached),
        "answered well (2xx, 3xx)": sum(n for s, n in result.statuses.items() if s < 400),
        "requests/s": result.requests / result.seconds,
    }
    return report.show("fuzz", numbers, LIMITS)
