"""Processes between services: events in; commands, effects and timers out. Pure: a flow has no
stream of its own, its state is that of the thing it watches."""
