"""The recorded streams as endless traffic of a busy PBX: every play of a recording is new calls of new callers.

What is kept is what Asterisk sends to the manager user of our `manager.conf`: the classes of its `read`, without
TestEvent (only a PBX built for tests has it). Ids are made new as `telephony.simulator.recording` does it; callers'
numbers too, because a thousand calls from one number are not what a database sees. A call keeps its recorded length:
its last event is the present one.
"""

from __future__ import annotations

import heapq
import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from benchmarks.errors import BenchmarkError
from telephony import parsing
from telephony.ami.protocol import MESSAGE_END, Message
from telephony.calls.call import Call
from telephony.calls.tracker import GRACE_S, Tracker
from telephony.calls.verdict import judge
from telephony.dialling.dialler import attempt_of_message
from telephony.ids import SECOND
from telephony.simulator.recording import Playback, Recording

STREAMS: Final = Path(__file__).parents[1] / "tests" / "streams"
CLASSES: Final = frozenset({"system", "call", "agent", "user", "dialplan", "reporting"})
"""`read` of the manager user that we ship."""
TRUNKS: Final = ("PJSIP/trunk",)
"""What the names of customers' channels begin with in the recordings."""
NOW_S: Final = 1_800_000_000.0  # any instant at which Asterisk gives ids of ten digits
OTHERS_FROM: Final = 1_000_000_000
"""Serial numbers of all that is no customer's call; those of customers' calls count up from 0."""

_MARK: Final = re.compile(rb"\0(\d+)\0|(?<=\r\nTimestamp: )\d+\.\d+|(?<![0-9.])(?:0|\+81)(90[0-9]{8})(?![0-9.])")
_CALL: Final = re.compile(r"(.+-)?\d+\.\d+")
_CHANNEL: Final = re.compile(r"(.+-)[0-9a-f]{8}")
_BRIDGE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STAMP: Final = -1
_HANGUP: Final = b"Event: Hangup\r\n"
_NONE: Final[list[int]] = []


@dataclass(slots=True)
class Serials:
    """Numbers never given before, for ids and for callers."""

    calls: Iterator[int] = field(default_factory=itertools.count)
    others: Iterator[int] = field(default_factory=lambda: itertools.count(OTHERS_FROM))
    phones: Iterator[int] = field(default_factory=itertools.count)


@dataclass(frozen=True, slots=True)
class Play:
    """One play: its events with their empty lines, and which of them end which customers' calls, by serial number."""

    events: list[bytes]
    ends: dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class _Name:
    """What every play makes new, and what of it stays."""

    kind: Literal["judged", "call", "channel", "bridge", "attempt", "leg", "phone"]  # judged: a customer's call
    rest: str = ""


class Template:
    """A recording cut where ids, numbers and times stand. `after` says when each event happens, 0 to 1."""

    def __init__(self, path: Path) -> None:
        recording = Recording.load(path)
        kept = [(after_s, event) for after_s, event in recording.events if _in_production(event)]
        playback = Playback(recording, itertools.count(1), 0.0)
        self.title = path.name.removesuffix(".ami.gz")
        self._lasts_s = recording.lasts_s
        self._after_s = [after_s for after_s, _ in kept]
        self._names: list[_Name] = []
        self._phones: dict[bytes, int] = {}
        for old, new in playback.names.items():
            playback.names[old] = f"\0{self._slot(_named(new))}\0"
        playback.attempt = f"\0{self._slot(_Name('attempt'))}\0"
        self._pieces = [self._cut(playback.tell(event, after_s)) for after_s, event in kept]
        self.after = self._spacing()
        self._ends: dict[int, list[int]] = {}
        self.whole = bool(kept) and self._find_ends()

    def __len__(self) -> int:
        return len(self._pieces)

    def play(self, serials: Serials, now_s: float) -> Play:
        """Make it happen again; its last event is at `now_s` (epoch)."""
        values = self._values(serials, int(now_s - self._lasts_s))
        began_s = now_s - self._lasts_s
        told = []
        for pieces, after_s in zip(self._pieces, self._after_s, strict=True):
            values[_STAMP] = b"%.6f" % (began_s + after_s)
            told.append(b"".join([piece if isinstance(piece, bytes) else values[piece] for piece in pieces]))
        return Play(told, {at: [_serial(values[slot]) for slot in slots] for at, slots in self._ends.items()})

    def _slot(self, name: _Name) -> int:
        self._names.append(name)
        return len(self._names) - 1

    def _cut(self, raw: bytes) -> list[bytes | int]:
        pieces: list[bytes | int] = []
        at = 0
        for found in _MARK.finditer(raw):
            slot, begin = _STAMP, found.start()
            if found[1] is not None:
                slot = int(found[1])
            elif found[2] is not None:
                slot, begin = self._phone(found[2]), found.start(2)
            pieces += [raw[at:begin], slot]
            at = found.end()
        return [*pieces, raw[at:]]

    def _phone(self, digits: bytes) -> int:
        if digits not in self._phones:
            self._phones[digits] = self._slot(_Name("phone"))
        return self._phones[digits]

    def _spacing(self) -> list[float]:
        """Give when each event happens; evenly where the recording does not say (Asterisk 16 writes no times)."""
        if self._lasts_s:
            return [after_s / self._lasts_s for after_s in self._after_s]
        return [at / len(self) for at in range(len(self))]

    def _values(self, serials: Serials, epoch_s: int) -> list[bytes]:
        attempt = f"b{next(serials.others)}"
        given = [_new(name, serials, epoch_s, attempt) for name in self._names]
        return [*(value.encode() for value in given), b""]

    def _find_ends(self) -> bool:
        """Find the events that end customers' calls; False where a call or a channel has no end in the recording.

        An event ends a call where, with it and whatever else of the play, the call is over a grace later, and
        without it is not. So says the tracker itself.
        """
        values = self._values(Serials(), int(NOW_S))
        slot_of = {value.decode(): slot for slot, value in enumerate(values)}
        raws = self.play(Serials(), NOW_S + self._lasts_s).events
        hangups = [at for at, raw in enumerate(raws) if raw.startswith(_HANGUP)]
        prefixes = [(at, _over(raws[: at + 1])) for at in hangups]
        if not prefixes or _left_open(raws):
            return False
        for call_id in prefixes[-1][1]:
            at = max((at for at, over in prefixes if call_id not in over), default=-1)
            at = next(hangup for hangup in hangups if hangup > at)
            slot = slot_of[call_id]
            self._names[slot] = _Name("judged", self._names[slot].rest)
            self._ends.setdefault(at, []).append(slot)
        return True


def load(every: int = 1) -> tuple[list[Template], list[str]]:
    """Read each so-manieth recording; give those that can be played again and again, and the titles of the others."""
    paths = sorted([*STREAMS.glob("*.ami.gz"), *STREAMS.glob("callbacks/*.ami.gz")])  # not those of hostile callers
    templates = [Template(path) for path in paths[::every]]
    if not templates:
        raise BenchmarkError(f"there is no recorded stream in {STREAMS}")
    return [one for one in templates if one.whole], [one.title for one in templates if not one.whole]


def share_skipped(templates: list[Template]) -> float:
    """Give the share of messages that how they begin lets skip: nothing of them is split, kept or followed."""
    messages = [Message(raw) for template in templates for raw in template.play(Serials(), NOW_S).events]
    skipped = sum(parsing.read(message, 0) is None and attempt_of_message(message) is None for message in messages)
    return skipped / len(messages)


Due = tuple[float, int, bytes, list[int]]
"""When (counted in events since the beginning), on which connection, what, and the serial numbers of calls it ends."""


def traffic(
    templates: list[Template],
    serials: Serials,
    *,
    connections: int,
    spread: float,
    events_wanted: float,
    ends_at_s: Callable[[float], float],
) -> Iterator[Due]:
    """Give the events of many calls at a time, in order, one for each unit of time once the first calls have ended.

    A call lasts `spread` units, its events spaced as recorded. No call begins after `events_wanted` units.
    `ends_at_s` gives the epoch second of a unit.
    """
    chance = random.Random(7)  # noqa: S311 - the same order at each run
    alive: list[tuple[float, int, int, Play, Template]] = []
    began, number = 0.0, 0
    order: list[Template] = []
    while alive or began < events_wanted:
        while began < events_wanted and (not alive or began <= alive[0][0]):
            order = order or chance.sample(templates, len(templates))
            template = order.pop()
            play = template.play(serials, ends_at_s(began + spread))
            heapq.heappush(alive, (began, number, 0, play, template))
            began, number = began + len(template), number + 1
        due, which, at, play, template = alive[0]
        yield due, which % connections, play.events[at], play.ends.get(at, _NONE)
        if at + 1 < len(template):
            began_at = due - template.after[at] * spread
            heapq.heapreplace(alive, (began_at + template.after[at + 1] * spread, which, at + 1, play, template))
        else:
            heapq.heappop(alive)


def _in_production(event: Message) -> bool:
    return event.name != "TestEvent" and event.get("Privilege").partition(",")[0] in CLASSES


def _named(new: str) -> _Name:
    """Tell of a name that `Playback` made what kind it is."""
    if new.startswith("lcr-"):
        return _Name("leg", new[-2:])
    if _BRIDGE.fullmatch(new):
        return _Name("bridge")
    if found := _CALL.fullmatch(new):
        return _Name("call", found[1] or "")
    return _Name("channel", new[: -len("00000000")])


def _new(name: _Name, serials: Serials, epoch_s: int, attempt: str) -> str:
    if name.kind == "phone":
        high, low = divmod(next(serials.phones), 10_000_000)
        return f"90{1 + high % 9}{low:07d}"
    if name.kind in {"attempt", "leg"}:
        return f"lcr-{attempt}{name.rest}" if name.kind == "leg" else attempt
    number = next(serials.calls if name.kind == "judged" else serials.others)
    if name.kind == "channel":
        return f"{name.rest}{number:08x}"
    if name.kind == "bridge":
        return f"{number:08x}-0000-4000-8000-000000000000"
    return f"{name.rest}{epoch_s}.{number}"


def _serial(call_id: bytes) -> int:
    return int(call_id.rpartition(b".")[2])


def _fed(raws: Iterable[bytes]) -> tuple[Tracker, list[Call]]:
    """Give a tracker that heard these events, and what is over a grace later."""
    tracker, now = Tracker("bench", trunks=TRUNKS), int(NOW_S) * SECOND
    for raw in raws:
        event = parsing.read(Message(raw.removesuffix(MESSAGE_END)), now)
        if event is not None:
            tracker.feed(event, now)
    return tracker, tracker.tick(now + int(GRACE_S * SECOND))


def _over(raws: Iterable[bytes]) -> set[str]:
    """Give the calls that are over and come into the books: customers', if they reached a queue."""
    return {call.call_id for call in _fed(raws)[1] if judge(call).kind != "callback" and call.queue}


def _left_open(raws: Iterable[bytes]) -> bool:
    tracker, _ = _fed(raws)
    return len(tracker.channels) > 0 or bool(tracker.finish(int(NOW_S + 60) * SECOND))
