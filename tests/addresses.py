"""Addresses with made-up ids, for tests that want every rule of the app and nothing behind it."""

from __future__ import annotations

from uuid import UUID

from werkzeug.routing import IntegerConverter, Rule, UUIDConverter

# A number is also a good enough text.
NUMBER, NOBODY = 1, UUID(int=1)


def made_up(rule: Rule) -> str:
    values = {name: _value(rule, name) for name in rule.arguments}
    built = rule.build(values)
    return str(built[1]) if built else rule.rule


def _value(rule: Rule, name: str) -> object:
    converter = rule._converters[name]
    if isinstance(converter, UUIDConverter):
        return NOBODY
    return NUMBER if isinstance(converter, IntegerConverter) else str(NUMBER)
