"""How a measurement is shown: one row per number with what it has to reach, and one JSON line."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<=": operator.le,
}


def show(
    name: str, numbers: Mapping[str, float], wanted: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Prints the numbers; `wanted` holds limits such as `>= 0.75`. `met` is 1 or 0 for all."""
    limits = dict(wanted or {})
    met = all(meets(numbers[key], limit) for key, limit in limits.items())
    for key, value in numbers.items():
        limit = limits.get(key, "")
        mark = "" if not limit else "ok" if meets(value, limit) else "MISSED"
        print(f"{name:<14} {key:<34} {value:>14,.2f}  {limit:<12} {mark}")
    result = {**numbers, "met": float(met)}
    print(json.dumps({"bench": name, **result}), flush=True)
    return result


def meets(value: float, limit: str) -> bool:
    sign, number = limit.split()
    return _HOLDS[sign](value, float(number))
