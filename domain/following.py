"""Flows as readers of the stream: each has a cursor and answers events with commands. Who feeds
them is the follower's business, and a release's."""

from domain.dispatch import Dispatcher
from domain.flows.flow import Flow
from domain.kernel.message import Recorded
from domain.kernel.value import Value
from domain.registry import FLOWS

FLOW_VERSION = 1
"""Raising it answers every event again; what was sent before is known by its command id."""


class FlowReader(Value):
    """Sends commands, each in its own transaction; sending them again is harmless."""

    name: str
    version: int
    flow: Flow
    dispatcher: Dispatcher

    def send(self, recorded: Recorded) -> None:
        self.dispatcher.follow(self.flow, recorded)


def flow_readers(dispatcher: Dispatcher) -> tuple[FlowReader, ...]:
    return tuple(
        FlowReader(name=f"flow:{flow.name}", version=FLOW_VERSION, flow=flow, dispatcher=dispatcher)
        for flow in FLOWS
    )
