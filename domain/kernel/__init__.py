"""Words every service shares: money, time, ids, messages. It knows nobody."""
