"""From a provider that stopped answering to one that answers again: people are told once, and a
worker asks from time to time."""

from domain.flows.flow import Flow, Reaction
from domain.kernel.message import Effect, Event
from domain.kernel.time import berlin_date
from domain.payments import provider_events as e
from domain.work.commands import CloseCase, OpenCaseWhileWaiting, case_id
from domain.work.events import CaseType

BY = "flow:incidents"


def react(event: Event, _state: object) -> list[Reaction]:
    match event:
        case e.CircuitOpened():
            return [_probe(event), _incident(event)]
        case e.CircuitClosed():
            return [CloseCase(by=BY, case_id=_case(event))]
        case _:
            return []


def _case(event: e.ProviderEvent) -> str:
    """Each outage is an occasion of its own."""
    return case_id(CaseType.PROVIDER_INCIDENT, event.provider_id, str(event.opening))


def _probe(event: e.CircuitOpened) -> Effect:
    """Its payload does not say `provider`: it alone does not wait for the circuit to close."""
    return Effect(
        kind="probe_provider",
        stream=event.provider_id,
        due_at=event.at,
        payload={"probes": event.provider, "opening": str(event.opening)},
    )


def _incident(event: e.CircuitOpened) -> OpenCaseWhileWaiting:
    return OpenCaseWhileWaiting(
        by=BY,
        case_id=_case(event),
        case_type=CaseType.PROVIDER_INCIDENT,
        subject=event.provider_id,
        until=berlin_date(event.at),
        details={"provider": event.provider, "reason": event.reason},
    )


INCIDENTS = Flow(name="incidents", watches=frozenset({"prv"}), react=react)
