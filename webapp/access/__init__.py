"""Who may come in and what they may do: sessions, passwords, the second factor, permissions, the
audit."""
