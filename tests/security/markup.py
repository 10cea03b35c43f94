"""Says whether a text has become markup: raw in the answer, or as an element, an attribute, a
script or an address of the parsed page."""

from __future__ import annotations

from collections.abc import Sequence

import lxml.html

from bench.browser import Answer
from bench.hostile import EVALUATED, MARK, MARKUP, TEMPLATES

TEXTUAL = frozenset({"value", "title", "aria-label", "alt", "placeholder", "content", "label"})
"""Attributes that hold a text and are never run or followed."""
ADDRESSES = frozenset({"href", "action", "formaction", "hx-get", "hx-post", "src", "xlink:href"})
GROUP = 16


def groups(texts: Sequence[str] = MARKUP, size: int = GROUP) -> list[str]:
    """Several in one text: each breaks out of wherever it stands, or none does."""
    return [" | ".join(texts[n : n + size]) for n in range(0, len(texts), size)]


HOSTILE = (*groups(), *groups(TEMPLATES))


def escaped(answer: Answer) -> list[str]:
    """What of the hostile texts is more than text in this answer; nothing, it is hoped."""
    found = [f"{EVALUATED} was calculated"] if EVALUATED in answer.text else []
    if answer.kind != "text/html" or MARK not in answer.text:
        return found
    found += [f"raw: {one}" for one in MARKUP if "<" in one and one in answer.text]
    for element in lxml.html.fragment_fromstring(answer.text, create_parent=True).iter():
        if not isinstance(element.tag, str):
            found += ["a comment"] * (MARK in str(element.text))
            continue
        if MARK in element.tag:
            found.append(f"element {element.tag}")
        if element.tag in ("script", "style") and MARK in (element.text or ""):
            found.append(f"inside {element.tag}")
        found += [
            f"{name}={value!r} on {element.tag}"
            for name, value in element.attrib.items()
            if _runs(str(name), str(value))
        ]
    return found


def _runs(name: str, value: str) -> bool:
    if MARK in name or (name.startswith(("on", "hx-on")) and MARK in value):
        return True
    if MARK not in value or name in TEXTUAL or name.startswith("data-"):
        return False
    # A quoted part of an address of ours is a text, too.
    return not (name in ADDRESSES and value.startswith("/") and not value.startswith("//"))
