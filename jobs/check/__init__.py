"""`./run check`: the promises of the design as questions to the live database. What is not checked
is a way to tamper unseen, so each question has a test that breaks its answer."""
