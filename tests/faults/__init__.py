"""Processes that are killed and protections that are switched off: what must hold nevertheless."""
