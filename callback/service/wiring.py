"""How the PBX of the settings is reached, in telephony's own terms."""

from __future__ import annotations

from callback.settings.sections import Settings
from callback.site.context import Sites
from scheduler.clock import zone
from telephony.cdr import Cdr
from telephony.listening.wiring import Wiring
from telephony.queue_log.between import open_log


def wiring_of(settings: Settings, sites: Sites) -> Wiring:
    """What telephony needs to know of the settings, and of the rules in force."""
    pbx = settings.pbx
    return Wiring(
        pbx.name,
        pbx.host,
        pbx.port,
        pbx.username,
        pbx.secret,
        trunks=tuple(trunk.channel for trunk in settings.trunks.values()),
        detect=lambda queue: sites.last.rules.queue(queue).detect_silence,
        log=open_log(pbx.queue_log, zone(pbx.queue_log_zone)) if pbx.queue_log else None,
        cdr=Cdr(pbx.cdr, zone(pbx.cdr_zone)) if pbx.cdr else None,
        tls=pbx.trust,
    )
