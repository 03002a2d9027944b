"""One fault after another, and what each did: how long until calls, callbacks and texts went on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lab.faults.catalogue import Fault, Sign
from lab.faults.records import SECOND
from lab.faults.site import Site

_CALM_S: Final = 4.0  # of undisturbed work before each fault
_RECOVERS_S: Final = 60.0
_COMES_BACK_S: Final = 45.0
_CLAIM_UNDER_WAY_S: Final = 3.0
_SEEN_LATE_S: Final = 0.6  # a claim is seen so late at most
_LOOK_S: Final = 0.1


@dataclass
class Struck:
    """What became of one fault: `recovered_s` by sign, from the strike on; `complaints`, what must not be."""

    fault: Fault
    at: int
    recovered_s: dict[Sign, float] = field(default_factory=dict[Sign, float])
    complaints: list[str] = field(default_factory=list[str])
    mended: float | None = None


def strike(site: Site, fault: Fault) -> Struck:
    """Let a fault happen and pass, and wait until everything went on."""
    site.wait(lambda: site.whole, "have all its nodes at work")
    _wait(site, _CALM_S, lambda: False)
    site.say(f"{fault.name}: {fault.words}")
    began, struck = time.time(), Struck(fault, time.time_ns() // 1000)
    site.watch.since(struck.at)
    fault.strike(site)
    _observe(site, struck, began, lambda: time.time() - began >= fault.lasts_s)
    fault.mend(site)
    struck.mended = mended = time.time()
    if fault.lasts_s:
        site.say(f"{fault.name}: over after {mended - began:.1f} s")
    _observe(
        site, struck, began, lambda: len(struck.recovered_s) == len(fault.signs) or time.time() - mended > _RECOVERS_S
    )
    struck.complaints += [
        f"no {sign} within {_RECOVERS_S:g} s" for sign in fault.signs if sign not in struck.recovered_s
    ]
    if fault.quiet:
        _was_quiet(site, struck, began, mended)
    _come_back(site, struck)
    for complaint in struck.complaints:
        site.say(f"{fault.name}: WRONG: {complaint}")
    return struck


def _observe(site: Site, struck: Struck, began: float, done: Callable[[], bool]) -> None:
    while not done():
        site.centre.check()
        for sign, seen_at in _signs(site, struck).items():
            if seen_at is not None and sign in struck.fault.signs and sign not in struck.recovered_s:
                struck.recovered_s[sign] = round(max(0.0, seen_at - began), 1)
                site.say(f"{struck.fault.name}: first {sign} after {struck.recovered_s[sign]:.1f} s")
        time.sleep(_LOOK_S)


def _signs(site: Site, struck: Struck) -> dict[Sign, float | None]:
    """When each sign that the service works again was seen first: what was heard, decided, lost after the strike."""
    lost = {call.number: call.ended_at for call in list(site.centre.calls) if call.lost and call.ended_at > struck.at}
    claims = dict(sorted(site.watch.claims.values(), key=lambda claim: claim[1]))
    work_begins = struck.mended if struck.fault.quiet else struck.at / SECOND  # of quiet ones: dialling goes on
    since = {number for number, at in claims.items() if work_begins is not None and at > work_begins + _SEEN_LATE_S}
    rings = [at for number, at in site.centre.rung() if number in since and at > struck.at]
    texts = [text.at for text in site.gateway.texts() if text.at > lost.get(text.number, text.at)]
    found: dict[Sign, int | None] = {"callback": min(rings, default=None), "text": min(texts, default=None)}
    seconds: dict[Sign, float | None] = {sign: None if at is None else at / SECOND for sign, at in found.items()}
    waits_for_door = "door" in struck.fault.signs and "door" not in struck.recovered_s
    door = time.time() if waits_for_door and site.opens() else None
    return {"verdict": site.watch.first_verdict, "door": door, **seconds}


def _come_back(site: Site, struck: Struck) -> None:
    """Wait until every node is at work or stands by again; one that is not is begun anew, as an operator would."""
    _wait(site, _COMES_BACK_S, lambda: site.whole)
    for node in site.missing():
        struck.complaints.append(f"{node.name} did not come back within {_COMES_BACK_S:g} s")
        site.nodes.kill(node)


def _was_quiet(site: Site, struck: Struck, began: float, mended: float) -> None:
    """Whether nobody was dialled while nobody may be."""
    claims = [at for _, at in site.watch.claims.values() if began + _CLAIM_UNDER_WAY_S < at < mended]
    if claims:
        after = ", ".join(f"{at - began:.1f} s" for at in claims)
        struck.complaints.append(f"callbacks were claimed all the same, after {after}")
    else:
        site.say(f"{struck.fault.name}: nobody was dialled while it lasted")


def _wait(site: Site, seconds: float, done: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not done():
        site.centre.check()
        time.sleep(_LOOK_S)


def calm(site: Site) -> None:
    """Let everybody finish, and the service with them."""
    site.centre.stop_calling()
    site.say("nobody calls any more; those at the phone go on")
    _wait(site, 60, lambda: site.centre.busy == 0)
    _wait(site, 6, lambda: False)  # the last losses are judged, and read from logs
    _wait(site, 30, lambda: site.centre.busy == 0 and site.watch.in_flight == 0)
    site.centre.check()
