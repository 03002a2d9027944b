"""In which queues the dialplan may offer a callback now: only where the promise would be kept."""

from __future__ import annotations

from callback.site.context import Site
from scheduler.promise import CARRIED_OVER, promise


def queues(site: Site, now: int) -> list[str]:
    """The queues whose callbacks are switched on for everybody and not paused, while a caller lost now is called today.

    Registering is on for a queue in which `calls` are on. A queue tried with a few numbers first offers nothing: the
    caller who presses the key may be anybody.
    """
    pledge = promise("requested", now, now, site.hours, site.rules.promise_terms())
    if pledge.reason == CARRIED_OVER:
        return []
    on = [name for name, queue in site.rules.queues.items() if queue.calls == "on" and not queue.only_numbers]
    return [name for name in on if not site.paused("register", name) and not site.paused("call", name)]
