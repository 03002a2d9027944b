"""What the console's process may take of the machine: less than the service, which listens to callers beside it.

Whatever the console is asked for, it gets the processor after the service, has a bound of memory at which it ends
alone, and is the first to go where the machine itself has none left.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

FULL: Final = 0.95
"""This part of the bound is full: near it, whatever is done fails for want of memory, and only an end helps."""
NO_MEMORY: Final = 71
"""The status of a process that ended because its memory was full."""
_LOOK_S: Final = 1.0
_NICE: Final = 5
_FIRST_TO_GO: Final = "500"  # of 1000, to Linux
_STATUS: Final = Path("/proc/self/status")
_RANK: Final = Path("/proc/self/oom_score_adj")


def keep_within(memory_mb: int) -> None:
    """Keep this process within its bounds from now on. What it asks for beyond them is refused to it.

    When its memory is full it says so and ends with NO_MEMORY, whatever its other threads do.
    """
    os.nice(_NICE)
    with suppress(OSError):  # where there is no such thing, or nobody may
        _RANK.write_text(_FIRST_TO_GO)
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    bound = memory_mb << 20
    resource.setrlimit(resource.RLIMIT_DATA, (bound if most == resource.RLIM_INFINITY else min(bound, most), most))
    if _STATUS.exists():
        threading.Thread(target=_end_when_full, name="memory", daemon=True).start()


def is_full() -> bool:
    """Whether the memory of this process is as good as full."""
    bound = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return bound != resource.RLIM_INFINITY and _taken() >= bound * FULL


def _taken() -> int:
    """Bytes that count against RLIMIT_DATA."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) << 10


def _end_when_full() -> None:
    waiting = threading.Event()
    try:
        while not is_full():
            waiting.wait(_LOOK_S)
    except MemoryError:
        pass
    os.write(sys.stderr.fileno(), _SAID)
    os._exit(NO_MEMORY)


_SAID: Final = b"the console ends: its memory is full; see [console] memory_max_mb\n"
