"""One file per screen: its tables, how events change them, and the queries. All of it can be thrown
away and rebuilt from the stream of updates."""
