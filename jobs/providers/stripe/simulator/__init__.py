"""A sandbox Stripe with the bank behind it, in its own process with its own book, which Kontor
never opens. It speaks Stripe's wire protocol on one port and a small control protocol on another;
`control.py` lists the control routes, `faults.py` the faults, `history.py` how a demo is loaded."""
