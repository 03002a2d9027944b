"""A call centre that the service's own use cases live through, call by call: every row is one that they write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from callback.attempts import forecast, settle, snapshot
from callback.attempts.snapshot import Live
from callback.decisions import replies
from callback.losses import incidents, intake, wangiri
from callback.settings.care import Care, Compensation, Department, QueueCare
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import Trunk
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from callback.texts import compose
from scheduler.policy import QueueLoad
from scheduler.promise_forecast import PromiseForecast
from sms import reports
from sms.delivery import DeliveryRules, deliver
from sms.gateway import Receipt, Refused, Report
from sms.inbound import Inbound
from telephony.calls.call import Call, Kind, QueueVisit, Side, Verdict, VisitEnd, moment
from tests.callback.world import US, World, at
from tests.sms.gateways import book, finished

DAY: Final = 24  # a Tuesday of November 2026
NOW: Final = at("13:42", DAY)
"""When the console is looked at. Clocks of the site show Tokyo's time."""

HOSTILE: Final = (
    "<img src=x onerror=alert(1)>",
    "\u202egnp.exe {{7*7}} ${7*7}",
    '=HYPERLINK("http://evil.example","x")',
    "\x00\x1b[31m red \U0001f4a5 '\"><script>alert(1)</script>",
    "长" * 3000,
)
"""What strangers may send: shown as text everywhere."""
AGENT: Final = "王芳 <b>1004</b>"  # the PBX's name of an agent


CARE: Final = Care(
    topics={
        "billing": "Billing",
        "billing/wrong-amount": "A wrong amount on the bill",
        "line": "The line",
        "line/slow": "The line is slow",
    },
    products=("Fibre 100", "Mobile M"),
    departments={"billing": Department(mail="billing@example.org", responsible="Anna"), "network": Department()},
    compensations={
        "month-free": Compensation(title="A month free", value=3000, who="manager"),
        "voucher": Compensation(title="A voucher of 500", value=500, who="agent"),
    },
)
"""What the site has for customers who are not content."""


def _queue(group: str, language: str, caller_id: str) -> QueueRules:
    care = QueueCare(cases=True, flags=True)
    return QueueRules(texts="on", calls="on", group=group, language=language, caller_id=caller_id, care=care)


RULES: Final = SiteRules(
    zone="Asia/Tokyo",
    opening=dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-18:00"),
    incident_losses=6,
    ask_after=True,
    care=CARE,
    dids={"0570001122": "support"},
    queues={
        "support": _queue("support", "en", "0312345678"),
        "billing": _queue("support", "en", "0312345679"),
        "sales": _queue("sales", "en", "0312345680"),
        "华语客服": _queue("china", "zh-Hans", "0312345681"),
    },
)
TRUNKS: Final = {
    "kddi": Trunk(channel="PJSIP/kddi", region="JP", form="national", allowed_countries=("JP", "CN", "US")),
    "ntt": Trunk(channel="PJSIP/ntt", region="JP", form="national", allowed_countries=("JP", "CN", "US")),
}
GROUPS: Final = frozenset({"support", "sales", "china"})


def picture(*, free: Mapping[str, set[str]] | None = None, numbers: frozenset[str] = frozenset()) -> Live:
    """What the PBX shows: by default nobody is free, eleven agents are at work, and two callers wait."""
    agents = {queue: frozenset((free or {}).get(queue, ())) for queue in RULES.queues}
    there = {
        "support": {f"PJSIP/10{n:02}" for n in range(1, 8)},
        "billing": {"PJSIP/1006", "PJSIP/1007"},
        "sales": {"PJSIP/1101", "PJSIP/1102"},
        "华语客服": {"PJSIP/1201", "PJSIP/1202"},
    }
    pools = {"support": ("support", "billing"), "billing": ("support", "billing")}
    loads = {
        queue: QueueLoad(len(phones), len(agents[queue]), 0.01, 240.0, 90.0, frozenset(pools.get(queue, (queue,))))
        for queue, phones in there.items()
    }
    phones = {queue: frozenset(names) for queue, names in there.items()}
    return Live(
        None,
        agents,
        {"support": 2} if free is None else {},
        numbers,
        "boot 1",
        loads=loads,
        at_work=phones,
        phones=phones,
    )


@dataclass
class Centre:
    """A world, when it is looked at, and its reservations by the names that a test gave them."""

    world: World
    now: int = NOW
    reservation: dict[str, int] = field(default_factory=dict)
    call: dict[str, str] = field(default_factory=dict)  # the call of each loss, and of other calls that have a name
    number: dict[str, str] = field(default_factory=dict)  # E.164, of each reservation's customer
    attempt: dict[str, str] = field(default_factory=dict)  # the last one of a reservation
    cases: dict[str, int] = field(default_factory=dict)  # of customers who are not content, by name
    incident: int = 0
    _calls: int = 0
    _texts: int = 0

    def on(self, url: str) -> Centre:
        """The same centre on a copy of its database; what is added to one is not in the other."""
        world = copy(self.world)
        world.store = Store(url)
        return replace(
            self,
            world=world,
            reservation=dict(self.reservation),
            call=dict(self.call),
            number=dict(self.number),
            attempt=dict(self.attempt),
            cases=dict(self.cases),
        )

    def do(self, when: int, act: Callable[[Work], object]) -> None:
        """Do something in one transaction at that moment."""
        with self.world.store.write() as connection:
            act(self.world.work(connection, when))

    def decide(self, when: int, decision: Callable[..., object], name: str, by: By, *more: object) -> None:
        """Let a person decide about a reservation."""
        self.do(when, lambda work: decision(work, self.reservation[name], *more, by))

    def lose(
        self,
        name: str,
        number: str,
        when: int,
        kind: Kind = "abandoned",
        *,
        reason: str = "gave-up-waiting",
        queue: str = "support",
        waited_s: int = 250,
        menu_s: int = 36,
        takes_texts: bool = True,
        told_after_s: int = 30,
    ) -> None:
        """Somebody is lost, whose reservation gets this name; texts leave so long afterwards, if not after `NOW`."""
        talked_s = 11 if kind in {"dropped", "silent"} else None
        call = self._heard(self._made(number, when, queue, (menu_s, waited_s, talked_s)), kind, reason)
        self.call[name] = call
        with self.world.store.read() as connection:
            row = connection.execute(
                t.reservation.select().join(t.loss, t.loss.c.reservation_id == t.reservation.c.id)
                .where(t.loss.c.call_id == call)
            ).first()  # fmt: skip
            if row is None:
                return
            self.reservation[name] = row.id
            self.number[name] = connection.execute(
                t.person.select().where(t.person.c.id == row.person_id)
            ).one().number  # fmt: skip
        if (told_at := when + told_after_s * US) < self.now:
            self.send(told_at, *(() if takes_texts else (self.number[name],)))

    def serve(self, name: str, number: str, when: int, queue: str = "support") -> None:
        """Somebody is served."""
        self.call[name] = self._heard(self._made(number, when, queue, (36, 30, 180)), "served", None)

    def _heard(self, call: Call, kind: Kind, reason: str | None) -> str:
        when, visit = call.seen_until, call.visits[0]
        side: Side | None = "network" if kind == "dropped" else "customer" if kind == "silent" else None
        seconds = (visit.waited(when) / US, visit.talked(when) / US)
        verdict = Verdict(kind, reason, side, *seconds, call.evidence, "live-complete", "as the centre says")

        def record(work: Work) -> None:
            intake.record(work, call, verdict)
            wangiri.audited(work)

        self.do(when, record)
        return call.call_id

    def _made(self, number: str, when: int, queue: str, lasted_s: tuple[int, int, int | None]) -> Call:
        """A call that ended then, after so long in the menu, in the queue, and with an agent."""
        menu_s, waited_s, talked_s = lasted_s
        self._calls += 1
        joined_at = when - (waited_s + (talked_s or 0)) * US
        started_at = joined_at - menu_s * US
        connected_at = None if talked_s is None else joined_at + waited_s * US
        end: VisitEnd = "abandoned" if talked_s is None else "connected"
        visit = QueueVisit(queue, joined_at, connected_at, AGENT if connected_at else None, when, end)
        lines = [f"QueueCallerJoin {queue} at {moment(joined_at)}"]
        if connected_at is None:
            lines += [f"QueueCallerAbandon {queue} at {moment(when)}", f"Hangup caller cause 16 at {moment(when)}"]
        else:
            lines += [f"AgentConnect {queue} at {moment(connected_at)}"]
            lines += [f"AgentComplete {queue} by caller at {moment(when)}"]
            lines += [f"HangupRequest caller cause 16 at {moment(when)}", f"Hangup caller cause 16 at {moment(when)}"]
        uniqueid = f"{started_at // US}.{self._calls}"
        return Call(
            pbx="main", call_id=uniqueid, linkedid=uniqueid, channel=f"PJSIP/kddi-{self._calls:08}", number=number,
            did="0570001122", started_at=started_at, ended_at=when, seen_until=when, visits=(visit,),
            evidence=tuple(lines),
        )  # fmt: skip

    def claim(self, name: str, when: int) -> None:
        """An attempt to reach this one is claimed: one agent is free, and all the other customers are on the line."""
        with self.world.store.read() as connection:
            row = connection.execute(
                t.reservation.select().where(t.reservation.c.id == self.reservation[name])
            ).one()  # fmt: skip
        others = frozenset(e164 for e164 in self.number.values() if e164 != self.number[name])
        order = self.world.claim(when, replace(picture(free={row.queue: {"PJSIP/1004"}}, numbers=others), loads={}))
        assert order is not None, f"nobody may be called: {name}"
        assert order.agent_sees == self.number[name]
        self.attempt[name] = order.attempt

    def step(self, name: str, step: str, when: int) -> None:
        """An attempt goes on."""
        self.do(when, lambda work: settle.progress(work, self.attempt[name], step, when, AGENT))

    def end(self, name: str, outcome: str, when: int) -> None:
        """An attempt is over."""
        self.world.end(self.attempt[name], outcome, when, (f"LcrEnded {outcome} cause 16 after 20 s",))

    def try_it(self, name: str, when: int, outcome: str) -> None:
        """Claim an attempt, and let it end half a minute later."""
        self.claim(name, when)
        if outcome in settle.RANG:
            self.step(name, "agent_connected_at", when + 3 * US)
            self.step(name, "customer_dialled_at", when + 4 * US)
        if outcome == "reached":
            self.step(name, "customer_answered_at", when + 12 * US)
        self.end(name, outcome, when + 32 * US)

    def send(self, when: int, *refused: str) -> None:
        """Send what is due; the gateway refuses these numbers, and what it took arrives four seconds later."""
        gateway = _Gateway(refused)
        rules = DeliveryRules(pbx="main")
        finished(deliver(self.world.store.write, gateway, book(self._address), lambda: when, 20, rules))
        self.do(when, lambda work: gateway.report(work.connection, when + 4 * US))

    def _address(self, recipient: str) -> str:
        with self.world.store.read() as connection:
            return compose.number_of(connection, self.world.site, recipient)

    def write_us(self, name: str, when: int, body: str) -> None:
        """A customer answers by text."""
        self._texts += 1
        inbound = Inbound("main", f"SM{self._texts}", self.number[name], "", body)
        self.do(when, lambda work: replies.take(work, inbound))

    def tick(self, when: int) -> None:
        """What time alone brings: broken promises, incidents, alarms, texts."""
        self.world.carry_over(when)
        self.do(when, incidents.tend)
        self.do(when, lambda work: forecast.tell(work, _forecasts(work)))
        self.send(when)

    def show(self, when: int | None = None, live: Live | None = None) -> None:
        """Keep what the PBX shows, as the service does each second."""
        seen_at = self.now if when is None else when
        self.do(seen_at, lambda work: snapshot.store(work.connection, "main", live or picture(), seen_at))


class _Gateway:
    """Takes texts, but to some numbers."""

    name, paces = "console", ()

    def __init__(self, refused: tuple[str, ...]) -> None:
        self._refused = refused
        self.took: list[str] = []

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        assert body
        assert line == ""
        if to in self._refused:
            raise Refused("this number takes no texts")
        self.took.append(ref)
        return Receipt(f"gw-{ref}")

    def report(self, connection: Connection, when: int) -> None:
        """Say that all that was taken has arrived."""
        for ref in self.took:
            reports.take(connection, ref, self.name, Report(f"gw-{ref}", "delivered"), when)


def _forecasts(work: Work) -> Mapping[str, PromiseForecast]:
    live = picture()
    return forecast.forecasts(work, forecast.crews(live.at_work, live.loads, work.site))
