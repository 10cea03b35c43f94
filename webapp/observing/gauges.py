"""Every gauge of /metrics as a row: name, what it says, labels, where its values come from. Labels
are names of ours (kinds, states, readers), never an id and nothing of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from config import Settings
from domain.operating.machinery import Books, Machinery, System
from webapp.observing import build, readiness

Sample: TypeAlias = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that one scrape knows; `system` is None while PostgreSQL does not answer."""

    settings: Settings
    system: System | None
    rings: Mapping[str, int] | None
    checks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Gauge:
    """`read` gives a value for each combination of labels; none leaves the metric out."""

    name: str
    what: str
    labels: tuple[str, ...]
    read: Callable[[Seen], Iterable[Sample]]


BREAKER: Final = {"closed": 0, "half-open": 1, "open": 2}
NEVER: Final = float("inf")
"""The age of what never happened: an alert on age needs no second rule."""
WORKING: Final = ("waiting", "leased")
AGES: Final = ("under_1h", "1h_to_24h", "over_24h")


def _of(read: Callable[[Machinery], Iterable[Sample]]) -> Callable[[Seen], Iterable[Sample]]:
    return lambda seen: read(seen.system.machinery) if seen.system else ()


def _system(read: Callable[[System], Iterable[Sample]]) -> Callable[[Seen], Iterable[Sample]]:
    return lambda seen: read(seen.system) if seen.system else ()


def _books(read: Callable[[Books], Iterable[Sample]]) -> Callable[[Seen], Iterable[Sample]]:
    return lambda seen: read(seen.system.books) if seen.system and seen.system.books else ()


def _one(value: float) -> list[Sample]:
    return [((), value)]


def _age(kind: str) -> Callable[[Seen], Iterable[Sample]]:
    def read(seen: Machinery) -> Iterable[Sample]:
        age = seen.age_of(kind)
        return _one(NEVER if age is None else age)

    return _of(read)


def _oldest(seen: Machinery) -> float:
    return max((one.oldest_s for one in seen.effects if one.state in WORKING), default=0.0)


def _by_age(found: Iterable[tuple[str, str, int]], providers: Iterable[str]) -> list[Sample]:
    """Every age always, so that a rule sees 0 and not an absence."""
    counts = {(provider, age): 0 for provider in providers for age in AGES}
    counts |= {(provider, age): number for provider, age, number in found}
    return [(labels, number) for labels, number in counts.items()]


def _unknown(system: System) -> list[Sample]:
    found = ((one.provider, one.age, one.number) for one in system.machinery.unknown)
    return _by_age(found, (one.provider for one in system.providers))


def _polled(system: System) -> list[Sample]:
    ages = {one.name: one.age_s for one in system.machinery.polls}
    return [((one.provider,), ages.get(one.provider, NEVER)) for one in system.providers]


def _refused_today(seen: Machinery) -> list[Sample]:
    providers = dict.fromkeys((one.provider for one in seen.refusals), 0)
    for one in seen.refusals:
        providers[one.provider] += one.today
    return [((name,), times) for name, times in providers.items()]


def _unmatched(books: Books) -> list[Sample]:
    counts = dict.fromkeys(AGES, 0) | {one.age: one.number for one in books.unmatched}
    return [((age,), number) for age, number in counts.items()]


GAUGES: Final = (
    Gauge(
        "kontor_build_info",
        "Which Kontor this is; always 1",
        ("version", "commit", "mode"),
        lambda seen: [((build.version(), build.commit(), seen.settings.mode), 1)],
    ),
    Gauge(
        "kontor_ready",
        "1 when /readyz would say ready or degraded",
        (),
        lambda seen: _one(all(said == readiness.OK for said in seen.checks.values())),
    ),
    Gauge(
        "kontor_database_up",
        "1 when PostgreSQL takes writes",
        (),
        lambda seen: _one(seen.checks.get("database") == readiness.OK),
    ),
    Gauge(
        "kontor_redis_up",
        "1 when Valkey answers; without it Kontor is slower",
        (),
        lambda seen: _one(seen.rings is not None),
    ),
    Gauge(
        "kontor_queue_rings",
        "Rings that no worker has heard yet",
        ("queue",),
        lambda seen: [((name,), n) for name, n in (seen.rings or {}).items()],
    ),
    Gauge(
        "kontor_stream_position",
        "The last position of the stream of updates",
        (),
        _of(lambda m: _one(m.position)),
    ),
    Gauge(
        "kontor_projection_lag_seconds",
        "How long ago the first event was recorded that this reader has not seen",
        ("consumer",),
        _of(lambda m: [((one.name,), one.lag_s) for one in m.readers]),
    ),
    Gauge(
        "kontor_projection_behind_events",
        "How many positions this reader is behind",
        ("consumer",),
        _of(lambda m: [((one.name,), one.behind) for one in m.readers]),
    ),
    Gauge(
        "kontor_effects",
        "Effects that are not done: planned, waiting, leased, unknown, parked",
        ("kind", "state"),
        _of(lambda m: [((one.kind, one.state), one.number) for one in m.effects]),
    ),
    Gauge(
        "kontor_outbox_oldest_age_seconds",
        "How long the oldest effect is due that no worker has finished",
        (),
        _of(lambda m: _one(_oldest(m))),
    ),
    Gauge(
        "kontor_inbox_waiting",
        "Notifications that are stored and not read yet",
        (),
        _of(lambda m: _one(m.inbox.waiting)),
    ),
    Gauge(
        "kontor_inbox_oldest_age_seconds",
        "How long the oldest notification waits to be read",
        (),
        _of(lambda m: _one(m.inbox.oldest_s)),
    ),
    Gauge(
        "kontor_poll_age_seconds",
        "How long ago a provider was asked for notifications that got lost",
        ("provider",),
        _system(_polled),
    ),
    Gauge(
        "kontor_unknown_intents",
        "Orders whose outcome nobody knows, by how long ago they fell due",
        ("provider", "age"),
        _system(_unknown),
    ),
    Gauge(
        "kontor_breaker_state",
        "Circuit of a provider: 0 closed, 1 asking, 2 open",
        ("provider",),
        _system(lambda s: [((one.provider,), BREAKER[one.circuit]) for one in s.providers]),
    ),
    Gauge(
        "kontor_breaker_waiting_effects",
        "Effects that are due and would call this provider",
        ("provider",),
        _system(lambda s: [((one.provider,), one.waiting) for one in s.providers]),
    ),
    Gauge(
        "kontor_clearing_balance_cents",
        "What a provider holds: confirmed and not paid out, paid-out and not settled",
        ("provider", "state"),
        _books(lambda b: [((one.provider, one.state), one.cents) for one in b.clearing]),
    ),
    Gauge(
        "kontor_unmatched_bank_lines",
        "Lines of bank statements that nobody knows, by age",
        ("age",),
        _books(_unmatched),
    ),
    Gauge(
        "kontor_open_cases",
        "Cases in Work",
        ("type",),
        _books(lambda b: [((one.case_type,), one.number) for one in b.cases]),
    ),
    Gauge(
        "kontor_late_cases",
        "Cases past their day",
        ("type",),
        _books(lambda b: [((one.case_type,), one.late) for one in b.cases]),
    ),
    Gauge(
        "kontor_jobs_parked",
        "What was set aside and waits for a release",
        ("what",),
        _of(
            lambda m: [
                (("effects",), len(m.parked_effects)),
                (("streams",), len(m.parked_streams)),
                (("notifications",), len(m.quarantined)),
            ]
        ),
    ),
    Gauge(
        "kontor_timers_planned",
        "Timers that are not due yet",
        (),
        _of(lambda m: _one(m.timers.planned)),
    ),
    Gauge(
        "kontor_timers_overdue",
        "Timers that are due and have not fired",
        (),
        _of(lambda m: _one(m.timers.overdue)),
    ),
    Gauge(
        "kontor_timer_oldest_overdue_seconds",
        "How long ago the oldest of them fell due",
        (),
        _of(lambda m: _one(m.timers.oldest_s)),
    ),
    Gauge(
        "kontor_heartbeat_age_seconds",
        "How long ago a process said that it lives",
        ("process",),
        _of(lambda m: [((one.name,), one.age_s) for one in m.beats]),
    ),
    Gauge(
        "kontor_webhook_refusals_today",
        "Notifications refused since midnight in Berlin",
        ("provider",),
        _of(_refused_today),
    ),
    Gauge(
        "kontor_invariant_violations",
        "Violations that the last ./run check found",
        ("name",),
        _of(lambda m: [((one.name,), one.value) for one in m.observations if one.kind == "check"]),
    ),
    Gauge(
        "kontor_check_age_seconds",
        "How long ago the last ./run check ended; infinite when there was none",
        (),
        _age("check"),
    ),
    Gauge(
        "kontor_backup_age_seconds",
        "How long ago the last ./run backup ended well; infinite when there was none",
        (),
        _age("backup"),
    ),
    Gauge(
        "kontor_restore_test_age_seconds",
        "How long ago a backup was last restored and checked; infinite when never",
        (),
        _age("restore-test"),
    ),
)
