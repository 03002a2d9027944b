"""How one Asterisk is reached, and where its logs are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.ami.tls import Tls
from telephony.cdr import Cdr
from telephony.queue_log.between import Log


@dataclass(frozen=True, slots=True)
class Wiring:
    """How to reach a manager interface, and what its channels are called.

    `trunks` are what the names of customers' channels begin with. `detect` tells whether silence is to be detected in
    a queue. `log` is that PBX's queue_log, `cdr` are its call records. `tls`: the manager is reached by TLS.
    """

    name: str
    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    trunks: tuple[str, ...] = ()
    detect: Callable[[str], bool] = lambda _queue: False
    log: Log | None = None
    cdr: Cdr | None = None
    tls: Tls | None = None
