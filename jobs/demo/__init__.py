"""The demo insurer of the sandbox: three months of ordinary business and one of each thing that
needs a person, made by the real commands in Clock order."""
