"""A floor full of desks on a real Asterisk, and a `Pbx` of the service's beside it: many calls are lost side by side.

A case is what the people of one call do. All cases of a table are played at once, each at a desk of its own; what
it makes of each call is then compared with what its people did.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lab import phone
from lab.asterisk import Asterisk, Habits
from lab.errors import LabError
from lab.fetch import AsteriskTree
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier
from lab.phone import Call as Line
from lab.rtp import Sound
from telephony.calls.call import Call, Verdict
from telephony.listening.journal import Journal
from telephony.pbx import Consumer, Pbx, Stretch, Wiring

USUAL, WATCHED, DIRECT, TIMED = range(10, 58, 2), range(58, 64, 2), range(64, 68, 2), range(68, 70, 2)
"""Desks, by their even numbers; the odd one after it is its neighbour. The PBX ends the calls of watched ones when no
voice comes for 2 s, lets the voice of direct ones go past itself, asks timed ones every 45 s whether they live."""
ALL = range(10, 70)

PATIENCE_S = 8
"""Within so many seconds after the last of them has ended, every call is to be judged."""

_NUMBERS = itertools.count(5700)
_SETTINGS = {
    WATCHED: {"rtp_timeout": "2"},
    DIRECT: {"direct_media": "yes"},
    TIMED: {"timers": "always", "timers_sess_expires": "90"},
}


def floor_pbx(
    folder: Path, tree: AsteriskTree, *, options: dict[str, str] | None = None, desks: Sequence[int] = ALL
) -> Asterisk:
    """Start an Asterisk with two queues for each desk: in one of them its agent stands behind a Local channel."""
    queues = {f"desk{number}": (f"agent{number}",) for number in desks}
    local = {f"local{number}": (f"Local/{number}@from-queue/n",) for number in desks}
    endpoints = {
        f"agent{n}": settings for range_, settings in _SETTINGS.items() for n in (*range_, *(x + 1 for x in range_))
    }
    habits = Habits(options=options or {}, endpoints=endpoints, patience_s=6.4)
    agents = [f"agent{number}" for number in desks]
    return Asterisk.start(folder, agents=agents, queues={**queues, **local}, habits=habits, tree=tree)


class Listener:
    """Listens as the service does, with the service's rights; keeps the verdict on every call."""

    def __init__(self, pbx: Asterisk, folder: Path, *, detect: bool = False) -> None:
        trunks = tuple(f"PJSIP/{name}-" for name in pbx.trunks)
        door = Wiring("lab", pbx.host, pbx.ami_port, pbx.username, pbx.secret, trunks, lambda _queue: detect)
        self.verdicts: list[tuple[Call, Verdict]] = []
        self._changed = threading.Condition()
        self._up = threading.Event()
        self._journal = Journal(folder, max_bytes=1 << 26)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._listen, args=(door,), name="listener", daemon=True)
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(20), f"the PBX is not up: {self._fault!r}"
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.call_soon_threadsafe(self._listening.cancel)
        self._thread.join(10)
        self._journal.close()
        assert self._fault is None, f"listening failed: {self._fault!r}"

    def verdict(self, number: str, timeout_s: float = PATIENCE_S) -> tuple[Call, Verdict]:
        """Wait for the verdict on the call from this number."""

        def heard() -> tuple[Call, Verdict] | None:
            return next((pair for pair in self.verdicts if pair[0].number == number), None)

        with self._changed:
            self._changed.wait_for(lambda: heard() is not None, timeout_s)
            found = heard()
        assert found is not None, f"no verdict on {number} within {timeout_s:.1f} s"
        return found

    def _listen(self, door: Wiring) -> None:
        asyncio.set_event_loop(self._loop)
        self._listening = self._loop.create_task(self._run(door))
        try:
            self._loop.run_until_complete(self._listening)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - told by whoever waits
            self._fault = error
        finally:
            self._loop.close()

    async def _run(self, door: Wiring) -> None:
        pbx = Pbx(door, self._journal, lambda: 10, Consumer(self._hear, self._state))
        await pbx.run()

    async def _hear(self, heard: Stretch) -> None:
        with self._changed:
            self.verdicts += heard.calls
            self._changed.notify_all()

    def _state(self, state: str, _why: str) -> None:
        if state == "up":
            self._up.set()


class Desk:
    """An agent with a phone, the queue in which he is alone, and the neighbour at the next desk."""

    def __init__(self, floor: Floor, number: int) -> None:
        self.number = number
        self.agent = floor.room.enter_context(floor.pbx.phone(f"agent{number}"))
        self.agent.script = phone.answer(0.1)
        self._floor = floor

    def did(self, kind: int = 540) -> str:
        """What a customer dials to come to this desk, in one of the ways of the dialplan."""
        return f"{kind}{self.number}"

    def neighbour(self) -> Desk:
        """The desk beside."""
        return Desk(self._floor, self.number + 1)

    def pause(self) -> None:
        """Take no calls from the queue until the test is over."""
        self._pause("true")
        self._floor.room.callback(self._pause, "false")

    def _pause(self, paused: str) -> None:
        self._floor.pbx.action("QueuePause", Interface=f"PJSIP/agent{self.number}", Paused=paused)

    def channel(self) -> str:
        """The name of the channel to this agent's phone."""
        prefix = f"PJSIP/agent{self.number}-"
        return next(one["Channel"] for one in self._floor.pbx.channels() if one["Channel"].startswith(prefix))


class Floor:
    """The desks of one test, the two carriers, and the listener."""

    def __init__(self, pbx: Asterisk, listener: Listener, room: ExitStack) -> None:
        self.pbx, self.listener, self.room = pbx, listener, room
        self.carriers: dict[str, Carrier] = {name: room.enter_context(pbx.carrier(name)) for name in pbx.trunks}
        self.callers: dict[str, str] = {}  # by number: what he dialled
        self._lock = threading.Lock()
        self._free = {kind: iter(kind) for kind in (USUAL, WATCHED, DIRECT, TIMED)}

    @property
    def old(self) -> bool:
        """Whether this is Asterisk 16, which says less."""
        return self.pbx.tree.version.startswith("16")

    def desk(self, kind: range = USUAL) -> Desk:
        """Take a desk that nobody else uses in this test."""
        with self._lock:
            return Desk(self, next(self._free[kind]))

    def call(self, did: str, *, sound: Sound = "tone", trunk: str = "trunk") -> Line:
        """Let a new customer call."""
        with self._lock:
            number = f"0901234{next(_NUMBERS)}"
            self.callers[number] = did
        return self.carriers[trunk].call(did, caller=number, sound=sound)

    def talk(self, desk: Desk, kind: int = 540, *, trunk: str = "trunk", sound: Sound = "tone") -> tuple[Line, Line]:
        """Let a new customer be put through to the desk: his end of the call, and the agent's."""
        caller = self.call(desk.did(kind), sound=sound, trunk=trunk)
        agent = desk.agent.wait_call().wait_answered()
        return caller, agent

    def converse(self, desk: Desk, kind: int = 540, *, trunk: str = "trunk") -> tuple[Line, Line]:
        """Let a new customer be put through, and both hear each other."""
        caller, agent = self.talk(desk, kind, trunk=trunk)
        caller.wait_heard(AGENT_HZ)
        agent.wait_heard(CUSTOMER_HZ)
        return caller, agent

    def channel_of(self, caller: Line) -> str:
        """The name of a customer's channel."""
        return next(one["Channel"] for one in self.pbx.channels() if one["CallerIDNum"] == caller.caller_id)


@contextmanager
def open_floor(pbx: Asterisk, folder: Path, *, detect: bool = False) -> Iterator[Floor]:
    """Listen, and let people come in."""
    with Listener(pbx, folder, detect=detect) as listener, ExitStack() as room:
        yield Floor(pbx, listener, room)


NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Case:
    """What people do, giving the customer's end of the call that is judged; and the verdict that is true.

    Kind NOBODY: it is no customer's call, and none is judged.
    """

    play: Callable[[Floor], Line]
    kind: str
    reason: str | None = None
    side: str | None = None
    on_16: tuple[str, str | None, str | None] | None = None  # where Asterisk 16 says less


def play(floor: Floor, cases: Sequence[Case]) -> None:
    """Play all cases at once; fail with a line for each that went otherwise than it should."""
    with ThreadPoolExecutor(len(cases), thread_name_prefix="case") as pool:
        played = [(case, pool.submit(case.play, floor)) for case in cases]
    until = time.monotonic() + PATIENCE_S
    faults = [fault for case, line in played for fault in _faults(floor, case, line, until)]
    try:
        floor.pbx.wait_quiet()
    except LabError as error:
        faults.append(str(error))
    judged = Counter(str(call.number) for call, _ in floor.listener.verdicts)
    faults += [
        f"{number}, who dialled {floor.callers.get(number)}, has {times} verdicts"
        for number, times in judged.items()
        if times != 1 or number not in floor.callers
    ]
    assert not faults, "\n".join(faults)


def _faults(floor: Floor, case: Case, line: Future[Line], until: float) -> list[str]:
    name = case.play.__name__
    try:
        number = line.result().caller_id
        if case.kind == NOBODY:
            floor.callers.pop(number, None)  # whoever is judged and is no caller is one too many
            return []
        _, verdict = floor.listener.verdict(number, max(0.0, until - time.monotonic()))
    except Exception as error:  # noqa: BLE001 - every case is to be told of
        at = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{name}: {type(error).__name__} at {Path(at.filename).name}:{at.lineno}: {error}"]
    told = (verdict.kind, verdict.reason, verdict.side)
    true = case.on_16 if floor.old and case.on_16 else (case.kind, case.reason, case.side)
    return [] if told == true else [f"{name}: {told}, not {true}; {verdict.because}; {verdict.evidence}"]
