"""The stream as a list: its filters and its columns."""

from __future__ import annotations

from typing import Final

from domain.kernel.message import Refused
from domain.readmodels.lists import Order
from domain.readmodels.stream import EVENTS, KINDS, SERVICES
from webapp.lists import Column, Listing
from webapp.lists import filters as f
from webapp.sentences import people
from webapp.texts import N_
from webapp.typed import position

MACHINES: Final = (
    "stripe",
    "worker",
    "timer",
    "ticker",
    "follower",
    "flow:collecting",
    "flow:refunding",
    "flow:settling",
    "demo",
)
"""Actors that are no people, for the filter."""
BY_TIME: Final = Order(sort="when", down=True)


def _types() -> list[tuple[str, str]]:
    return [(kind, kind) for kind in sorted(KINDS)]


def _services() -> list[tuple[str, str]]:
    return [(service, service) for service in sorted(set(SERVICES.values()))]


def _actors() -> list[tuple[str, str]]:
    return [*people(), *((actor, actor) for actor in MACHINES)]


def _position(name: str, label: str, condition: str) -> f.Field:
    def read(typed: str) -> f.Conditions:
        found = position(typed)
        if found is None:
            raise Refused("This is not a position. Write it like 1.204.881.")
        return {condition: found}

    attrs = {"inputmode": "numeric", "size": 8}
    return f.Field(name=name, label=label, read=f.one(read), attrs=attrs, aside=True)


LIST: Final = Listing(
    name="stream",
    label=N_("Stream"),
    endpoint="stream.index",
    act="stream.read",
    source=EVENTS,
    order=Order(sort="position", down=True),
    # By position a range of time could lie behind a million others.
    order_when={"from": BY_TIME, "to": BY_TIME},
    fields=(
        f.several("type", N_("Type"), _types, "type", "types"),
        f.choice("service", N_("Service"), _services, "service"),
        f.Field(
            name="actor",
            label=N_("Who"),
            read=f.one(lambda typed: {"actor": typed}),
            shape="choice",
            options=_actors,
        ),
        f.text("stream", N_("Stream id"), "stream", size=24),
        f.text("customer", N_("Customer id"), "customer", size=24),
        f.instant_from("from", N_("Happened from"), "at_from", aside=True),
        f.instant_to("to", N_("Happened to"), "at_to", aside=True),
        _position("cause", N_("Caused by position"), "cause"),
        _position("until", N_("Up to position"), "until"),
        f.text("command", N_("Command id"), "command", aside=True, size=36),
    ),
    columns=(
        Column(N_("Position"), "position", "num"),
        Column(N_("When"), "when"),
        Column(N_("What happened"), "type"),
        Column(N_("Stream"), "stream"),
        Column(N_("Who"), "who"),
        Column(N_("Caused by"), "", "num"),
        Column(N_("Led to"), "", "num"),
    ),
)
