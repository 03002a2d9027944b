"""Who still calls while a campaign runs is told by the dialplan, and led to the queue for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam

from callback.campaigns.campaign import CAMPAIGNS, read
from callback.site.work import Work
from callback.store import tables as t

_C = t.campaign.c
_HOOKED: Final = CAMPAIGNS.where(
    _C.pbx == bindparam("of_pbx"), t.CAMPAIGN_HOOKED, _C.hook_until_at > bindparam("now")
).order_by(_C.id)


def queues(work: Work) -> Mapping[str, str]:
    """In which queues callers are told now, each with the queue to which they are led.

    These are the queues whose callers were hit, and the campaign's own. Of several campaigns the newest one leads.
    """
    rules, led = work.site.rules, dict[str, str]()
    for one in read(work, _HOOKED.params(of_pbx=work.pbx, now=work.now)):
        own = rules.queue(one.queue).care
        if own.campaigns:
            leads_to = own.hook_queue or one.queue
            led |= dict.fromkeys((*one.criteria.queues, one.queue), leads_to)
    return led
