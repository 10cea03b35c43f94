"""The metrics page. Gauges are asked of PostgreSQL at each scrape, so every web process tells the
same. Times of requests are counted where they happen: each process writes a mapped file of its own
below KONTOR_VAR/metrics, and whichever process is scraped adds all files up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, values
from prometheus_client import generate_latest as written
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from config import Settings
from domain.operating import bells, machinery
from domain.payments import signatures
from webapp.access import security
from webapp.kontor import kontor
from webapp.observing import readiness
from webapp.observing.gauges import GAUGES, Seen

# The library has no other way to be told where its files are.
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
FOLDER: Final = "metrics"
REQUEST_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
"""0.3 s is what a page may take at peak."""
ACK_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""0.5 s is what a provider may wait for its answer."""
STORED: Final = 200
HISTOGRAMS: Final = ("kontor_http_request_seconds", "kontor_webhook_ack_seconds")


def init_metrics(settings: Settings) -> None:
    """The first app of a process says where its files are; the parent's place is not ours."""
    _counting(settings.var / FOLDER)


@dataclass(frozen=True, slots=True)
class _Counting:
    folder: Path
    requests: Histogram
    acks: Histogram


_ours: list[_Counting] = []


def _counting(folder: Path) -> _Counting:
    if not _ours:
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[FOLDER_VARIABLE] = str(folder)
        # What the library does by itself when the variable was there before its import.
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]  # not typed there
        _ours.append(_Counting(folder, *_histograms()))
    return _ours[0]


def _histograms() -> tuple[Histogram, Histogram]:
    return (
        Histogram(
            HISTOGRAMS[0],
            "Time to answer, by part of the house and class of status",
            ("area", "status"),
            buckets=REQUEST_BUCKETS,
            registry=None,
        ),
        Histogram(
            HISTOGRAMS[1],
            "Time from a provider's notification to our 200, stored durably",
            ("provider",),
            buckets=ACK_BUCKETS,
            registry=None,
        ),
    )


def request_took(area: str, status: int, seconds: float) -> None:
    """`area` is a blueprint, so there are a few dozen."""
    _ours[0].requests.labels(area, f"{status // 100}xx").observe(seconds)


def webhook_took(provider: str, status: int, seconds: float) -> None:
    """Refused ones are not waited for; they are counted elsewhere."""
    if status == STORED and provider in signatures.CHECKS:
        _ours[0].acks.labels(provider).observe(seconds)


def page() -> bytes:
    """In Prometheus' text format."""
    registry, folder = CollectorRegistry(), _ours[0].folder
    folder.mkdir(parents=True, exist_ok=True)
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]  # not typed there
    registry.register(_Asked(see()))
    return written(registry)


def content_type() -> str:
    return CONTENT_TYPE_LATEST


def see() -> Seen:
    """Without PostgreSQL what is left is still told: that it is away."""
    settings = security.settings()
    checks = readiness.database()
    there = checks.get("database") != "does not answer" and checks.get("migration") == readiness.OK
    return Seen(
        settings=settings,
        system=machinery.look(kontor()) if there else None,
        rings=bells.rings(settings.redis_url),
        checks=checks,
    )


class _Asked:
    """A collector for one scrape."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in GAUGES:
            family = GaugeMetricFamily(gauge.name, gauge.what, labels=gauge.labels)
            for labels, value in gauge.read(self._seen):
                family.add_metric(labels, value)
            if family.samples:
                yield family
