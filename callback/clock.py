"""What this machine says of itself: its clock, and who uses it."""

from __future__ import annotations

import os
import pwd
import time
from typing import Final

from callback.errors import CallbackError

CLOCK_MAY_BE_OFF_S: Final = 2.0
"""So far apart may the clocks of this machine, of the PBX and of the database be."""


def now_us() -> int:
    """This machine's clock, microseconds UTC."""
    return time.time_ns() // 1000


def user() -> str:
    """The user of this machine, who decides where nobody else is named."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError as error:
        raise CallbackError("this user has no name on this machine: say who decides with --by NAME") from error
