"""How a process tells what it does: logs and traces, with ids and without personal data. It knows
nothing of ours and reads no setting."""
