"""How the system is seen from outside: health, metrics, logs of requests, the build."""
