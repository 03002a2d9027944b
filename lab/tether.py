"""Run a command that ends with its parent, even when that is killed: `tether.py PARENT_PID COMMAND ...`.

It becomes the command by exec, so the pid stays. Run as a script by path: it imports nothing of the project.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):  # the parent was killed before we could ask
        sys.exit(1)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - that is its whole purpose
