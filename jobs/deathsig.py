"""Lets a process die with its parent, so that kill -9 of a worker leaves nothing behind.
Linux only; elsewhere it does nothing and the parent's own clean-up has to do."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Called in the child right after the fork; `parent` is the pid taken before it."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # The parent died before the signal was armed.
        os.kill(os.getpid(), signal.SIGKILL)
