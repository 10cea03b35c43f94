"""The routes that no link and no form leads to, and why; each with an address to ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from flask import Flask
from werkzeug.routing import Rule

from bench.atlas import Atlas, family

T = TypeVar("T")

EXPLAINED: Final = {
    "static": ("/static/app.css", "stylesheets and scripts are no pages"),
    "hooks.receive": ("/hooks/stripe", "for providers, who sign their bodies"),
    "account.factor_off": ("/account/factor/off", "where the role may go without a factor"),
    "staff.confirm": ("/staff/changes/x/confirm", "shown to a second admin"),
    "health.prometheus": ("/metrics", "for Prometheus, with its token"),
    "health.livez": ("/livez", "for the supervisor"),
    "health.readyz": ("/readyz", "for the load balancer"),
    "system.ask": ("/system/ask", "shown while a provider does not answer"),
    "sandbox.stop": ("/sandbox/clock/stop", "shown while the Clock moves"),
}
"""Endpoint -> an address, and why nobody finds it by walking."""


def shared(app: Flask, payloads: Sequence[T]) -> Iterator[tuple[Rule, T]]:
    """Every route with every payload; relatives share them."""
    families: dict[str, list[Rule]] = {}
    for rule in app.url_map.iter_rules():
        one = family(rule.endpoint)
        families.setdefault(one if one != rule.endpoint else rule.rule, []).append(rule)
    for relatives in families.values():
        for number in range(max(len(payloads), len(relatives))):
            yield relatives[number % len(relatives)], payloads[number % len(payloads)]


def address(app: Flask, atlas: Atlas, rule: Rule) -> str:
    """An address of this route: one that exists where there is one."""
    if rule.endpoint in EXPLAINED:
        return EXPLAINED[rule.endpoint][0]
    plain = [url for url in atlas.urls.get(rule.endpoint, ()) if "?" not in url]
    if plain:
        return plain[0]
    built = rule.build(dict.fromkeys(rule.arguments, "1"))
    return str(built[1]) if built else rule.rule


def hostile_address(rule: Rule, text: str) -> list[str]:
    """The address with this text in place of every argument; none where it takes numbers only."""
    if not rule.arguments or any(
        "int" in type(c).__name__.lower() for c in rule._converters.values()
    ):
        return []
    built = rule.build(dict.fromkeys(rule.arguments, text))
    return [str(built[1])] if built else []
