"""What each kind of effect does. A handler settles its own lease, in the command that records what
came of it."""
