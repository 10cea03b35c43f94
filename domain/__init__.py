"""What is true and what may be decided: no Flask, no network, no provider."""
