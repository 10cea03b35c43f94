"""The tests. They run against real servers, real sockets and real processes."""
