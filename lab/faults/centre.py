"""The people of `make faults`: they call all the time, give up, are served, are called back, and keep what they saw.

One thread looks at every live call five times a second and lets people act. Nothing here knows of the service.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Final, Self

from lab import phone
from lab.asterisk import Asterisk
from lab.errors import LabError, PhoneError
from lab.faults.fates import Fate, fates
from lab.faults.records import SECOND, SILENT_S, CallIn, Course, Ring
from lab.people import DID
from lab.phone import AGENT_HZ, Call, Carrier, Phone

AGENTS: Final = tuple(f"agent{number}" for number in range(1, 11))
_LOOK_S: Final = 0.2
_LISTEN_S: Final = 0.5
_PICKS_UP_S: Final = (2.6, 3.2)  # longer than the impatient wait: they are lost while agents are free
_STEADY: Final = (0.6, 1.4)  # of the pause between two callers
_NO_WORD_S: Final = 6.0  # then a caller thinks that the line is dead
_CALLBACK: Final = "CB "  # how the agent's display names a callback of ours


@dataclass
class _Caller:
    """A customer at the phone."""

    fate: Fate
    call: Call
    patience_s: float
    began: float = field(default_factory=time.monotonic)
    up: float | None = None
    talks: float | None = None
    course: Course | None = None


@dataclass
class _Called:
    """A customer whose phone we ring."""

    call: Call
    heard_s: float = 0.0
    cut: bool = False


class Centre:
    """Everybody, as a context manager: agents are there at once, customers from `begin` on."""

    def __init__(self, pbx: Asterisk, seed: int, calls_per_s: float) -> None:
        self._pbx, self._calls_per_s = pbx, calls_per_s
        self._chance = random.Random(seed)
        self._fates = fates(self._chance)
        self._next = float("inf")
        self._room = ExitStack()
        self._over = threading.Event()
        self._lock = threading.RLock()
        self._callers: list[_Caller] = []
        self._again: list[tuple[float, Fate]] = []
        self._called: list[_Called] = []
        self._taken = 0
        self._ringing: dict[int, tuple[Call, float]] = {}
        self._agents_seen: dict[str, int] = {}
        self._mute: set[str] = set()
        self._picked_up: dict[str, int] = {}  # for whom an agent picked up last, and when
        self._fault: BaseException | None = None
        self.calls: list[CallIn] = []
        self.rings: list[Ring] = []

    def __enter__(self) -> Self:
        with ExitStack() as room:
            self._carrier: Carrier = room.enter_context(self._pbx.carrier())
            self._phones: list[Phone] = [
                room.enter_context(self._pbx.phone(agent, phone.no_answer())) for agent in AGENTS
            ]
            self._thread = threading.Thread(target=self._live, name="lab-centre", daemon=True)
            self._thread.start()
            self._room = room.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)
        self._room.close()

    def begin(self) -> None:
        """Let customers call."""
        with self._lock:
            self._next = time.monotonic()

    def stop_calling(self) -> None:
        """Let nobody call any more; who is at the phone goes on."""
        with self._lock:
            self._next = float("inf")
            self._again.clear()

    @property
    def busy(self) -> int:
        """How many customers are at the phone."""
        with self._lock:
            return len(self._callers) + len(self._called)

    def rung(self) -> list[tuple[str, int]]:
        """Whose phones rang so far, and when, those that ring now too."""
        with self._lock:
            ringing = [(e164(one.call.number), one.call.at) for one in self._called]
            return [*((ring.number, ring.at) for ring in self.rings), *ringing]

    def lines_died(self) -> None:
        """The PBX was killed: everybody hears that the line is dead, and puts the phone down."""
        with self._lock:
            for caller in self._callers:
                if caller.call.known and caller.course is None:
                    caller.course = "turned-away" if caller.talks is None else "cut"
                    caller.call.vanish()
            for called in self._called:
                called.cut = called.call.state != "ended"
                called.call.vanish()
            for agent in self._phones:
                for call in agent.calls:
                    call.vanish()

    def check(self) -> None:
        """Raise what went wrong with the phones, if anything did."""
        if self._fault is not None:
            raise LabError(f"the phones went wrong: {self._fault!r}") from self._fault

    # What everybody does, five times a second

    def _live(self) -> None:
        try:
            before = time.monotonic()
            while not self._over.wait(_LOOK_S):
                now = time.monotonic()
                with self._lock:
                    self._call_in(now)
                    self._agents_act(now)
                    self._callers = [one for one in self._callers if self._acts(one, now)]
                    self._called_back(now - before)
                before = now
        except BaseException as error:  # noqa: BLE001 - told by whoever runs the centre
            self._fault = error

    def _call_in(self, now: float) -> None:
        for due, fate in [one for one in self._again if one[0] <= now]:
            self._again.remove((due, fate))
            if not self._carrier.rings_of(fate.number):  # who was called back meanwhile does not call again
                self._place(fate, fate.again_patience_s)
        if now >= self._next:
            fate = next(self._fates)
            self._carrier.behave(fate.number, *fate.called_back)
            if fate.mute_agent:
                self._mute.add(fate.number)
            self._place(fate, fate.patience_s)
            self._next = now + self._chance.uniform(*_STEADY) / self._calls_per_s

    def _place(self, fate: Fate, patience_s: float) -> None:
        call = self._carrier.call(DID, caller=fate.number)
        self._callers.append(_Caller(fate, call, patience_s))

    def _acts(self, one: _Caller, now: float) -> bool:
        """Let a caller act; whether the call goes on."""
        if one.call.state == "answered":
            self._listens(one, now)
        elif one.call.state != "ended" and now - one.began > _NO_WORD_S:
            one.course = "turned-away" if one.call.known else "no-line"
            one.call.hang_up()
        if one.call.state != "ended":
            return True
        self._hung_up(one, now)
        return False

    def _listens(self, one: _Caller, now: float) -> None:
        one.up = one.up or now
        if one.talks is None and one.call.heard(AGENT_HZ, _LISTEN_S):
            one.talks = now
        if one.talks is not None and now - one.talks >= one.fate.talk_s:
            one.course = "served"
            one.call.hang_up()
        elif one.talks is None and now - one.up >= one.patience_s:
            one.course = "gave-up"
            one.call.hang_up()

    def _hung_up(self, one: _Caller, now: float) -> None:
        course: Course = one.course or ("turned-away" if one.talks is None else "cut")
        waited_s = (one.talks or now) - (one.up or now)
        ended_at = one.call.ended_at or one.call.at
        if course == "gave-up" and self._picked_up.get(one.fate.number, 0) > one.call.at:
            course = "crossed"
        silence = one.fate.mute_agent and one.talks is None and waited_s >= SILENT_S
        self.calls.append(CallIn(e164(one.fate.number), one.call.at, ended_at, course, waited_s, silence))
        fate = one.fate
        if course == "gave-up" and fate.again_after_s is not None and self._next != float("inf"):
            self._again.append((now + fate.again_after_s, fate))
            fate.again_after_s = None

    def _agents_act(self, now: float) -> None:
        for agent in self._phones:
            for call in agent.calls[self._agents_seen.get(agent.address[0], 0) :]:
                self._ringing[id(call)] = (call, now + self._chance.uniform(*_PICKS_UP_S))
            self._agents_seen[agent.address[0]] = len(agent.calls)
        for key, (call, due) in list(self._ringing.items()):
            if call.state not in {"calling", "ringing"}:
                del self._ringing[key]
            elif now >= due:
                mute = call.caller_id in self._mute and not call.caller_name.startswith(_CALLBACK)
                with suppress(PhoneError):  # it was taken back in this very moment
                    call.answer("none" if mute else "tone")
                    if not mute:
                        self._picked_up[call.caller_id] = call.answered_at or 0

    def _called_back(self, passed_s: float) -> None:
        rings = self._carrier.rings
        self._called += [_Called(call) for call in rings[self._taken :]]
        self._taken = len(rings)
        for one in list(self._called):
            if one.call.state == "answered" and one.call.heard(AGENT_HZ, _LISTEN_S):
                one.heard_s += passed_s
            elif one.call.state == "ended":
                self._called.remove(one)
                self.rings.append(_ring(one))


def e164(number: str) -> str:
    """A Japanese number as the service keeps it."""
    return f"+81{number.removeprefix('0')}"


def _ring(one: _Called) -> Ring:
    call = one.call
    ended_at = call.ended_at or call.at
    answered_s = 0.0 if call.answered_at is None else (ended_at - call.answered_at) / SECOND
    answered = call.answered_at is not None
    code = None if answered else call.code
    return Ring(e164(call.number), call.at, ended_at, answered, code, one.heard_s, one.cut, answered_s)
