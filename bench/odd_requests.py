"""Makes requests that nobody's browser would send, from the app's own map: every route and method,
valid and broken ids, forms with one thing wrong, odd headers and bodies. The same dice, the same
requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Final
from urllib.parse import quote, quote_from_bytes, urlencode

from flask import Flask
from werkzeug.routing import Rule

from bench.atlas import Atlas, Form, family
from bench.browser import FORM, Request
from bench.hostile import ELSEWHERE, ODD, TEXTS

METHODS: Final = (
    *("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"),
    *("TRACE", "PROPFIND", "CONNECT", "FOO"),
)
LARGE: Final = 1_100_000
"""Above the limit of every body but an upload's."""
STEERING: Final = ("next", "back", "url", "return", "redirect", "page", "after", "sort", "q", "v")
TARGETS: Final = ("dialog#dialog", "tbody#rows", "body", "#toasts", "")
BOUNDARY: Final = "xq7boundary"
_XML: Final = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><Document>&a;</Document>'
_PLAIN: Final = (
    {"Accept": "application/json"},
    {"Accept": "\ud800, */*;q=x"},
    {"Accept-Language": "de-DE,de;q=0.9,*;q=\ud800" + ",x" * 2_000},
    {"If-None-Match": '"x", W/"' + "y" * 5_000},
    {"If-Modified-Since": "Tue, 99 Foo 2026 99:99:99 GMT"},
    {"Range": "bytes=0-,-1,5-2,999999999999999999999-"},
    {"Content-Length": "-1"},
    {"Content-Length": "99999999999999999999"},
    {"Content-Length": "0"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary=" + "x" * 300},
    {"Content-Type": "text/plain; charset=utf-7"},
    {"Content-Type": f"{FORM}; charset=no-such-charset"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript"},
    {"X-Forwarded-For": "' OR 1=1, \0, evil.example"},
    {"Forwarded": "for=evil.example;host=evil.example"},
    {"Host": "evil.example"},
    {"Host": "[::1"},
    {"Host": "127.0.0.1:99999999"},
    {"Host": ""},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Referer": "https://evil.example/\ud800"},
    {"Referer": "//["},
    {"User-Agent": "\x1b[31m" + "x" * 20_000},
    {"Authorization": "Basic \ud800="},
    {"Cookie": "theme=\x22><xq7>; keys=\0; kontor-session=" + "x" * 8_000},
    {"Cookie": ";;;=;a;b=\ud800"},
    {"Stripe-Signature": "t=1,v1=" + "0" * 64},
    {"Stripe-Signature": "t=9" * 500 + ",v1=\ud800,v1="},
    {"traceparent": "00-" + "0" * 32 + "-" + "x" * 16 + "-zz"},
)


@dataclass(frozen=True)
class Kit:
    """What the dice choose from."""

    app: Flask
    atlas: Atlas
    arguments: Mapping[str, Mapping[str, list[object]]]
    families: tuple[tuple[Rule, ...], ...]

    @classmethod
    def of(cls, app: Flask, atlas: Atlas) -> Kit:
        found: dict[tuple[str, str], list[Rule]] = {}
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
            one = family(rule.endpoint)
            # Of one endpoint with two addresses each is a route of its own.
            found.setdefault((one, rule.rule if one == rule.endpoint else ""), []).append(rule)
        return cls(app, atlas, atlas.arguments(app), tuple(map(tuple, found.values())))


def odd_request(kit: Kit, rule: Rule, dice: Random, csrf: str) -> Request:
    """One request to this route; half of them are as valid as we know how, but for one thing."""
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    method = dice.choice(methods) if dice.random() < 0.85 else dice.choice(METHODS)
    request = Request(method, _path(kit, rule, dice), _query(kit, rule, dice))
    headers: dict[str, str] = {}
    if dice.random() < 0.3:
        headers |= _htmx(dice)
    if method not in ("GET", "HEAD", "OPTIONS") or dice.random() < 0.03:
        request, kind = _with_body(kit, rule, request, dice, csrf)
        headers |= {"Content-Type": kind} if kind else {}
        if dice.random() < 0.4:
            headers["X-CSRF-Token"] = csrf
    if dice.random() < 0.25:
        headers |= dice.choice(_PLAIN)
    return replace(request, headers=headers, chunked=dice.random() < 0.02)


def _path(kit: Kit, rule: Rule, dice: Random) -> str:
    valid = kit.arguments.get(rule.endpoint, {})
    values = {name: _argument(valid.get(name, []), dice) for name in rule.arguments}
    path = ""
    for converter, part in rule._trace:
        path += quote(values[part], safe="", errors="surrogatepass") if converter else part
    path = path.removeprefix("|")
    if dice.random() < 0.02:
        path += dice.choice(("/", "//", "/..", "%2f..", "%00", "%ff", ";x=1", ".pdf", "?"))
    return path if path.startswith("/") else f"/{path}"


def _argument(valid: list[object], dice: Random) -> str:
    """An id that exists, one that nearly does, or a text that is none."""
    if valid and dice.random() < 0.7:
        text = str(dice.choice(valid))
        if dice.random() < 0.8:
            return text
        at = dice.randrange(len(text) + 1)
        return text[:at] + dice.choice(("", "x", "\0", "é", "%", "/", " ")) + text[at + 1 :]
    return dice.choice(TEXTS)[:2_000] or "x"


def _query(kit: Kit, rule: Rule, dice: Random) -> str:
    if dice.random() < 0.4:
        return ""
    known = sorted(kit.atlas.parameters.get(rule.endpoint, ()))
    names = [*known, *known, *STEERING]
    pairs = [(dice.choice(names), _value(dice)) for _ in range(dice.choice((1, 1, 2, 3, 8)))]
    if dice.random() < 0.1:
        pairs += [pairs[0]] * dice.choice((1, 50))
    if dice.random() < 0.05:
        return quote_from_bytes(dice.randbytes(30), safe="&=%")
    return urlencode(pairs, errors="surrogatepass")


def _value(dice: Random) -> str:
    return dice.choice(TEXTS if dice.random() < 0.6 else ODD)


def _htmx(dice: Random) -> dict[str, str]:
    return {
        "HX-Request": "true",
        "HX-Request-Type": dice.choice(("partial", "full", "\ud800")),
        "HX-Target": dice.choice(TARGETS),
        "HX-Current-URL": dice.choice((*ELSEWHERE, "http://[", "/work")),
    }


def _with_body(
    kit: Kit, rule: Rule, request: Request, dice: Random, csrf: str
) -> tuple[Request, str]:
    forms = [one for one in kit.atlas.forms.get(rule.endpoint, ()) if one.method == "POST"]
    form = dice.choice(forms) if forms else None
    pairs = _pairs(form, dice)
    if dice.random() < 0.9:
        pairs.append(("csrf_token", csrf))
    make = dice.choices(tuple(_BODIES), weights=tuple(_BODIES.values()))[0]
    body, kind = make(pairs, form, dice)
    if form and dice.random() < 0.6:
        request = replace(request, path=form.action.partition("?")[0])
    return replace(request, body=body), kind


def _pairs(form: Form | None, dice: Random) -> list[tuple[str, str]]:
    """The form as it stands on the page, with some fields changed, missing, doubled or added."""
    if form is None:
        return [(dice.choice(STEERING), _value(dice)) for _ in range(dice.randint(0, 4))]
    chosen: dict[str, list[str]] = {}
    for name, value in form.values:
        chosen.setdefault(name, []).append(value)
    pairs = [(name, dice.choice(values)) for name, values in chosen.items()]
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        if not pairs:
            break
        at = dice.randrange(len(pairs))
        name = pairs[at][0]
        change = dice.random()
        if change < 0.7:
            pairs[at] = (name, _value(dice))
        elif change < 0.85:
            del pairs[at]
        else:
            pairs.append((name, _value(dice)))
    if dice.random() < 0.1:
        pairs += [("role", "admin"), ("id", "1"), ("is_admin", "true")]
    return pairs


def _urlencoded(pairs: list[tuple[str, str]], _form: Form | None, _dice: Random) -> _Body:
    return urlencode(pairs, errors="surrogatepass").encode(), FORM


def _multipart(pairs: list[tuple[str, str]], form: Form | None, dice: Random) -> _Body:
    parts = [_part(f'name="{name}"', value.encode("utf-8", "replace")) for name, value in pairs]
    for name in sorted(form.files) if form else ("file",):
        file = dice.choice((b"", b"<Document/>", _XML, b"PK\3\4", dice.randbytes(500)))
        shown = dice.choice(("a.xml", "../../x.xml", "a\0.xml", "x" * 3_000, "\u202elmx.exe", ""))
        parts.append(_part(f'name="{name}"; filename="{shown}"', file))
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    if dice.random() < 0.2:
        body = body[: dice.randrange(len(body))]
    return body, f"multipart/form-data; boundary={BOUNDARY}"


def _part(disposition: str, value: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode("utf-8", "replace") + value + b"\r\n"


def _json(pairs: list[tuple[str, str]], _form: Form | None, _dice: Random) -> _Body:
    return json.dumps(dict(pairs)).encode(), "application/json"


def _garbage(_pairs: list[tuple[str, str]], _form: Form | None, dice: Random) -> _Body:
    return dice.randbytes(dice.choice((1, 50, 4_000))), dice.choice((FORM, "", "text/xml", "x"))


def _many(pairs: list[tuple[str, str]], form: Form | None, dice: Random) -> _Body:
    return _urlencoded([*pairs, *[("id", "x")] * 3_000], form, dice)


def _huge(_pairs: list[tuple[str, str]], _form: Form | None, _dice: Random) -> _Body:
    return b"note=" + b"x" * LARGE, FORM


_Body = tuple[bytes, str]
_BODIES: Final[dict[Callable[[list[tuple[str, str]], Form | None, Random], _Body], int]] = {
    _urlencoded: 70,
    _multipart: 18,
    _json: 4,
    _garbage: 4,
    _many: 2,
    _huge: 2,
}
