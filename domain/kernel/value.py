"""The base of every message and state: an immutable msgspec struct with keyword-only fields."""

from typing import dataclass_transform

import msgspec


class _Immutable(msgspec.StructMeta):
    """Makes `frozen` and `kw_only` what subclasses are without saying so."""

    def __new__(
        mcls: type["_Immutable"],
        name: str,
        bases: tuple[type, ...],
        body: dict[str, object],
        *,
        frozen: bool = True,
        kw_only: bool = True,
    ) -> "_Immutable":
        # What cannot be changed cannot become part of a cycle: the collector may pass it by.
        return super().__new__(mcls, name, bases, body, frozen=frozen, kw_only=kw_only, gc=False)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Value(msgspec.Struct, metaclass=_Immutable, frozen=True, kw_only=True):
    """Equal by content, safe to share, decoded from JSON in one step."""
