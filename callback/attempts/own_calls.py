"""What an agent's own call to a customer settles: who was talked with is owed no callback any more.

Settled is what rule "reached" asks for, by the same figures: an agent of the queue's group and the number that is owed
were joined for `reached_after_s`, and neither side was mute where that can be told. The number is the one that the
trunk's rules read without doubt in what Asterisk dialled. Whatever is less than that gives the customer a rest: we do
not ring at once the phone that an agent has just rung. Nothing here rests on what a caller sends.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import bindparam, or_, select

from callback.attempts import snapshot
from callback.customers import numbers as phone_numbers
from callback.events import CalledByHand, RestsAfterOwnCall
from callback.reservations import moves, times
from callback.site.context import Site
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler.clock import SECOND
from telephony.calls.facts.agent_call import AgentCall

CALLED: Final = "called-by-hand"
AGENT: Final = By(audit.SERVICE, "an agent rang the customer, and they talked")


@dataclass(frozen=True, slots=True)
class _Owed:
    """A reservation of a number that an agent may have rung: open, or given up."""

    id: int
    open: bool
    kind: str
    queue_group: str
    last_lost_at: int
    not_before_at: int
    number: str
    shared: bool  # the number is many people's


_R, _P = t.reservation.c, t.person.c
_OWED = (
    select(*(_P[field.name] if field.name in {"number", "shared"} else _R[field.name] for field in fields(_Owed)))
    .select_from(t.reservation)
    .join(t.person)
    .where(_P.number.in_(bindparam("numbers", expanding=True)), or_(t.OPEN, _R.state == "given-up"))
    .order_by(_R.id)
    .with_for_update(of=t.reservation)
)


def heard(work: Work, call: AgentCall) -> None:
    """Settle what an agent's own call answered, and let those rest whose phone it rang, or may have rung."""
    if work.site.rules.own_calls == "ignore":
        return
    trunks = _trunks(work.site, call)
    numbers = {
        e164 for trunk in work.site.trunks.values() for e164 in phone_numbers.perhaps_dialled(call.dial_string, trunk)
    }
    if not numbers:
        return
    owed = [_Owed(*row) for row in work.connection.execute(_OWED, {"numbers": sorted(numbers)})]
    sure = {phone_numbers.dialled(call.dial_string, work.site.trunks[name]) for name in trunks} - {None}
    talked = bool(owed) and len(sure) == 1 and _talked(work.site, call)
    groups = _groups(work, call) if talked else frozenset()
    for one in owed:
        if talked and one.number in sure and _answers(work.site, call, one, groups):
            _settled(work, call, one)
        elif one.open:
            _rests(work, call, one)


def audited(work: Work) -> None:
    """Keep in the audit what was settled, once all the other work of a transaction is done: see `wangiri.audited`."""
    for event in (happened.event for happened in work.told):
        if isinstance(event, CalledByHand):
            facts = {"call_id": event.call_id, "phone": event.phone, "talked_s": event.talked_s}
            audit.add(work.connection, work.pbx, AGENT, CALLED, event.reservation, facts, work.now)


def _trunks(site: Site, call: AgentCall) -> list[str]:
    """The trunks whose channel it may be: those of the longest beginning that fits."""
    fitting = {name: trunk.channel for name, trunk in site.trunks.items() if call.channel.startswith(trunk.channel)}
    longest = max(map(len, fitting.values()), default=0)
    return [name for name, beginning in fitting.items() if len(beginning) == longest]


def _talked(site: Site, call: AgentCall) -> bool:
    """Whether it was a talk, by the rule that holds for our own callbacks."""
    return call.talked_at is not None and call.talked_s >= site.rules.reached_after_s and call.mute is None


def _groups(work: Work, call: AgentCall) -> frozenset[str]:
    """The groups of the queues in which this phone is an agent's, as the PBX last told its members."""
    seen = snapshot.recall(work.connection, work.pbx)
    name = call.phone.rpartition("-")[0]
    queues = [queue for queue, phones in seen[0].phones.items() if name in phones] if seen else []
    return frozenset(work.site.rules.queue(queue).group for queue in queues)


def _answers(site: Site, call: AgentCall, one: _Owed, groups: frozenset[str]) -> bool:
    """Whether the talk answers this reservation: of the agent's group, lost before they talked, and one person's."""
    any_phone = site.rules.own_calls == "settle-any-phone" and _in_the_house(site, call)
    answers = site.rules.own_calls != "grace" and (any_phone or one.queue_group in groups)
    return answers and one.kind != t.FOLLOW_UP and not one.shared and one.last_lost_at <= (call.talked_at or 0)


def _in_the_house(site: Site, call: AgentCall) -> bool:
    return not call.phone.startswith(tuple(trunk.channel for trunk in site.trunks.values()))


def _settled(work: Work, call: AgentCall, one: _Owed) -> None:
    compose.withdraw(work, one.id, "an agent rang the customer")
    if not one.open:
        return
    moves.move(work, one.id, CALLED)
    work.tell(CalledByHand(one.id, call.call_id, call.phone.rpartition("-")[0], round(call.talked_s, 1)))


def _rests(work: Work, call: AgentCall, one: _Owed) -> None:
    """Dial a while after that call, at the earliest; heard again from the journal, it changes nothing."""
    until_at = call.ended_at + round(work.site.rules.own_call_grace_s * SECOND)
    if until_at <= max(one.not_before_at, work.now):
        return
    times.change(work.connection, one.id, retry_at=until_at)
    work.tell(RestsAfterOwnCall(one.id, call.phone.rpartition("-")[0], until_at))
