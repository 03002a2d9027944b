"""One Asterisk: what is heard, handed on and kept, with the connection played by the test."""

from __future__ import annotations

import asyncio
import functools
import math
import os
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from telephony.ami.client import Account, Handlers
from telephony.ami.link import Stats
from telephony.ami.protocol import Message
from telephony.ami.wanted import accepts
from telephony.calls.call import Call, Verdict
from telephony.cdr import Cdr
from telephony.dialling.dialler import AttemptEnd, Order
from telephony.errors import NotLevel
from telephony.listening.gap import NO_LOG, Gap
from telephony.listening.journal import Journal, JournalFull
from telephony.listening.pipeline import WANTED
from telephony.pbx import Consumer, LastRun, Pbx, Stretch, Wiring
from telephony.queue_log.between import Log, open_log
from telephony.simulator.server import Simulator
from tests.telephony.wire import written

SECOND: Final = 1_000_000
T: Final = 1_795_307_000
CALLER: Final = f"{T}.1"
Lines = list[tuple[float, Message]]


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine."""

    @functools.wraps(test)
    def ran(*args: Any, **fixtures: Any) -> None:
        asyncio.run(test(*args, **fixtures))

    return ran


def message(kind: str, at: float | None = None, who: str = CALLER, link: str = "", **headers: str) -> Message:
    stamp = {} if at is None else {"Timestamp": f"{T + at:.6f}"}
    own = {"Uniqueid": who, "Linkedid": link or who, "Channel": f"PJSIP/trunk-{who}"}
    return Message(written({"Event": kind, **stamp, **own, **headers}.items()))


def waiting(at: float, who: str = CALLER) -> Lines:
    return [
        (at, message("Newchannel", at, who, CallerIDNum="0901", Exten="500")),
        (at + 0.1, message("QueueCallerJoin", at + 0.1, who, CallerIDNum="0901", Queue="support")),
    ]


def gives_up(at: float, who: str = CALLER) -> Lines:
    return [
        (at, message("QueueCallerAbandon", at, who, Queue="support", HoldTime="9")),
        (at, message("HangupRequest", at, who)),
        (at, message("Hangup", at, who, Cause="0")),
    ]


def listed(who: str = CALLER, wait_s: int = 20) -> dict[str, list[Message]]:
    entry = message("QueueEntry", None, who, CallerIDNum="0901", Queue="support", Wait=str(wait_s))
    shown = message("CoreShowChannel", None, who, CallerIDNum="0901", Application="Queue", ApplicationData="support")
    return {"QueueStatus": [entry], "CoreShowChannels": [shown]}


def own(kind: str, leg: str, **headers: str) -> Message:
    return message(kind, None, leg, "lcr-a-1", **headers)


class Connection:
    """Stands in for the client: the test says what comes, and what is answered."""

    def __init__(self, _account: Account, handlers: Handlers) -> None:
        self._handlers, self.on_up = handlers, handlers.on_up
        self.stats = Stats()
        self.lists: dict[str, list[Message]] = {}
        self.asked: list[str] = []
        self.boot = "10:00:00"
        self.refuses = False

    @property
    def held_bytes(self) -> int:
        return self.stats.held_bytes

    async def on_message(self, message: Message, arrived_at: int) -> None:
        if accepts(WANTED, message.raw):
            await self._handlers.on_messages([message], arrived_at)

    async def action(self, name: str, _headers: object = ()) -> Message:
        self.asked.append(name)
        return Message(f"Response: Success\r\nCoreStartupDate: 2026-11-22\r\nCoreStartupTime: {self.boot}".encode())

    async def listing(self, name: str, _headers: object = (), **_limits: float) -> list[Message]:
        self.asked.append(name)
        self.stats.forged += self.refuses
        return self.lists.get(name, [])

    async def ping(self) -> Message:
        return Message(b"Response: Success")


class Ear:
    """A Pbx with its journal, what it handed on and told, and the hands of a clock."""

    def __init__(self, directory: Path, *, max_bytes: int = 1 << 20, segment_bytes: int | None = None) -> None:
        self.journal = Journal(directory, max_bytes=max_bytes, segment_bytes=segment_bytes)
        self.directory, self.now, self.room = directory, float(T), True
        self.heard: list[Stretch] = []
        self.told: list[tuple[str, str]] = []

    def pbx(
        self,
        boot: str = "",
        heard_at: int | None = None,
        newest: str = "",
        log: Log | None = None,
        trunks: tuple[str, ...] = (),
        cdr: Cdr | None = None,
    ) -> Pbx:
        wiring = Wiring("main", "127.0.0.1", 1, "user", "secret", log=log, trunks=trunks, cdr=cdr)
        return Pbx(
            wiring,
            self.journal,
            lambda: 10,
            Consumer(self.take, lambda *told: self.told.append(told), lambda: self.room),
            LastRun(boot, heard_at, newest),
            clock=lambda: int(self.now * SECOND),
        )

    async def take(self, heard: Stretch) -> None:
        """What a checkpoint lets go of must be on file by then."""
        last = max(self.directory.glob("*.journal"))
        assert heard.checkpoint <= int(last.stem) + last.stat().st_size
        self.heard.append(heard)

    def verdicts(self) -> list[tuple[str, str, str | None]]:
        return [(call.call_id, v.kind, v.reason) for heard in self.heard for call, v in heard.calls]


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    monkeypatch.setattr("telephony.pbx.Client", Connection)
    made = Ear(tmp_path / "journal")
    yield made
    made.journal.close()


def line_of(pbx: Pbx) -> Connection:
    connection: Any = pbx._client  # noqa: SLF001 - the stand-in
    assert isinstance(connection, Connection)
    return connection


async def hears(pbx: Pbx, lines: Lines) -> None:
    for at, line in lines:
        await line_of(pbx).on_message(line, int((T + at) * SECOND))


async def comes_up(ear: Ear, pbx: Pbx, at: float, **lists: list[Message]) -> None:
    ear.now = T + at
    line_of(pbx).lists = lists
    await line_of(pbx).on_up()


async def passes(pbx: Pbx, at: float) -> None:
    pbx._grow_old(int((T + at) * SECOND))  # noqa: SLF001 - what `run` does again and again
    await pbx._pass_time(int((T + at) * SECOND))  # noqa: SLF001


def again(pbx: Pbx, begin: int) -> list[tuple[list[str], int]]:
    return [([call.call_id for call, _ in heard.calls], heard.checkpoint) for heard in pbx.recall(begin)]


# The journal and its checkpoint


def test_recall_hands_on_no_checkpoint_beyond_what_was_heard_again(ear: Ear) -> None:
    first, second, third = (f"{T}.{number}" for number in (1, 2, 3))
    late = [(25.0, gives_up(20, first)[-1][1])]  # opens no call, so that none is open when it is heard
    lines = [*waiting(0, first), *gives_up(20, first), *late, *waiting(30, second), *gives_up(40, second)]
    ends = []
    for at, line in [*lines, *waiting(50, third)]:
        ear.journal.append(line.raw, int((T + at) * SECOND))
        ends.append(ear.journal.end)
    assert again(ear.pbx(), 0) == [([first], ends[5]), ([second], ends[10])]


@in_a_loop
async def test_a_caller_in_the_tail_survives_a_second_kill_in_the_middle_of_recall(ear: Ear) -> None:
    first, last = f"{T}.1", f"{T}.2"
    late = [(25.0, gives_up(20, first)[-1][1])]
    for at, line in [*waiting(0, first), *gives_up(20, first), *late, *waiting(30, last), *gives_up(40, last)]:
        ear.journal.append(line.raw, int((T + at) * SECOND))
    heard = next(ear.pbx().recall(0))  # committed; then the kill
    pbx = ear.pbx()
    assert again(pbx, heard.checkpoint) == []
    await passes(pbx, 60)
    assert ear.verdicts() == [(last, "abandoned", "gave-up-waiting")]


@in_a_loop
async def test_what_is_handed_on_is_on_file_and_all_is_settled_afterwards(ear: Ear) -> None:
    pbx = ear.pbx()
    await hears(pbx, [*waiting(0), *gives_up(9)])
    await passes(pbx, 20)
    assert [heard.checkpoint for heard in ear.heard] == [ear.journal.end]
    assert ear.verdicts() == [(CALLER, "abandoned", "gave-up-waiting")]


@in_a_loop
async def test_a_full_disk_buries_no_call(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    pbx = ear.pbx()
    await hears(pbx, [*waiting(0), *gives_up(9)])

    def no_space(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", no_space)
        with pytest.raises(JournalFull, match="No space left"):
            await hears(pbx, waiting(30, f"{T}.2"))  # whose arrival is past the grace
    await passes(pbx, 40)
    assert ear.verdicts() == [(CALLER, "abandoned", "gave-up-waiting")]


@in_a_loop
async def test_only_what_tracker_and_dialler_read_is_kept(ear: Ear) -> None:
    pbx = ear.pbx()
    status = {"Queue": "support", "Interface": "PJSIP/a", "Status": "1", "Paused": "0"}
    for line in (
        own("VarSet", "lcr-a-1", Variable="LCR_LEFT", Value="20"),
        own("Newexten", "lcr-a-1", Application="Set"),
        message("QueueMemberStatus", 0, MemberName="A", **status),
    ):
        await hears(pbx, [(0, line)])
    assert ear.journal.end == 0
    assert pbx.agents.free("support", T * SECOND) == ["PJSIP/a"]
    await hears(pbx, [(0, own("UserEvent", "lcr-a-1", UserEvent="LcrAgent", CallbackId="a"))])
    assert ear.journal.end > 0


# A full journal


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    monkeypatch.setattr("telephony.pbx.Client", Connection)
    made = Ear(tmp_path / "small", max_bytes=6_000, segment_bytes=500)
    yield made
    made.journal.close()


async def fill(pbx: Pbx) -> int:
    """Calls that do not end, until there is no room; give how many there were."""
    for number in range(1, 100):
        try:
            await hears(pbx, waiting(number, f"{T}.{number}"))
        except JournalFull:
            return number
    raise AssertionError("it never was full")


@in_a_loop
async def test_a_full_journal_lets_go_of_the_oldest_and_hears_again(small: Ear) -> None:
    pbx = small.pbx()
    await hears(pbx, [(0, own("Newchannel", "lcr-a-1"))])
    last = await fill(pbx)
    assert [state for state, _ in small.told] == ["journal-full"]
    assert pbx.gaps == 1
    assert small.verdicts()[0] == (f"{T}.1", "unknown", "hangup-missing")  # of our own call its attempt tells
    assert 1 < len(small.verdicts()) < last
    assert pbx.dialler.oldest_offset() is None
    small.journal.forget_before(small.heard[-1].checkpoint)  # the application has committed it
    await comes_up(small, pbx, 200, **listed(f"{T}.{last}"))
    assert pbx.ready
    await hears(pbx, gives_up(210, f"{T}.{last}"))
    await passes(pbx, 220)
    assert small.verdicts()[-1] == (f"{T}.{last}", "abandoned", "gave-up-waiting")


@in_a_loop
async def test_a_full_journal_is_told_once_until_it_takes_something_again(small: Ear) -> None:
    pbx = small.pbx()
    await fill(pbx)
    for _ in range(3):
        with pytest.raises(JournalFull):
            await hears(pbx, waiting(150, f"{T}.777"))
    assert [state for state, _ in small.told] == ["journal-full"]
    assert pbx.gaps == 4


@in_a_loop
async def test_what_is_not_written_needs_no_room_in_a_full_journal(small: Ear) -> None:
    pbx = small.pbx()
    last = f"{T}.{await fill(pbx)}"
    given_up = small.verdicts()
    await hears(pbx, [(150, message("RTCPReceived", 150, last))] * 100)
    assert (small.verdicts(), pbx.gaps) == (given_up, 1)


@in_a_loop
async def test_a_journal_full_of_what_is_settled_is_freed_by_a_checkpoint_alone(small: Ear) -> None:
    pbx = small.pbx()
    lone = own("UserEvent", "lcr-a-1", UserEvent="LcrAgent", CallbackId="a")
    with pytest.raises(JournalFull):
        await hears(pbx, [(0, lone)] * 100)
    assert (small.heard[-1].calls, small.heard[-1].checkpoint) == ((), small.journal.end)


@in_a_loop
async def test_a_journal_without_room_for_the_listings_is_freed_too(small: Ear) -> None:
    pbx = small.pbx()
    await fill(pbx)
    small.journal.forget_before(small.heard[-1].checkpoint)
    shown = [piece for number in range(50) for piece in listed(f"{T}.{900 + number}")["CoreShowChannels"]]
    with pytest.raises(JournalFull):
        await comes_up(small, pbx, 200, CoreShowChannels=shown)
    assert (pbx.ready, pbx.gaps) == (False, 2)
    assert small.heard[-1].checkpoint > small.heard[0].checkpoint > 0


@in_a_loop
async def test_it_hears_on_after_its_journal_was_full(tmp_path: Path) -> None:
    """With a true connection: calls that never end fill the journal, then one is lost and must come out."""
    small = Ear(tmp_path / "journal", max_bytes=12_000, segment_bytes=1000)
    recording = Path(__file__).parents[1] / "streams" / "13a1-before-connection-loss.ami.gz"
    abandoned = recording.with_name("03a-abandon-ringing.ami.gz")
    heard = asyncio.Event()

    async def take(piece: Stretch) -> None:
        small.heard.append(piece)
        small.journal.forget_before(piece.checkpoint)
        if any(kind == "abandoned" for _, kind, _ in small.verdicts()):
            heard.set()

    async with Simulator(recordings=[recording, abandoned]) as simulator:
        pbx = Pbx(
            Wiring("main", "127.0.0.1", simulator.port, "lab", "lab"),
            small.journal,
            lambda: 10,
            Consumer(take, lambda *told: small.told.append(told)),
        )
        running = asyncio.ensure_future(pbx.run())
        async with asyncio.timeout(20):
            await simulator.somebody()
            while not pbx.gaps:
                await simulator.play(recording, speed=math.inf)
                await asyncio.sleep(0.01)
            while not heard.is_set():
                await simulator.play(abandoned, speed=math.inf)
                with suppress(TimeoutError):
                    await asyncio.wait_for(heard.wait(), 0.5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [state for state, _ in small.told].count("up") > 1
    small.journal.close()


# Slow is not lost


@in_a_loop
async def test_what_cannot_be_stored_yet_is_kept_and_judged_in_order_later(ear: Ear) -> None:
    pbx = ear.pbx()
    calls = [f"{T}.{number}" for number in range(1, 6)]
    ear.room = False
    for number, who in enumerate(calls):
        await hears(pbx, [*waiting(100 * number, who), *gives_up(100 * number + 50, who)])
    await passes(pbx, 1000)
    assert (ear.verdicts(), pbx.is_level) == ([], False)
    ear.room = True
    catching_up = asyncio.ensure_future(pbx._pipeline.catch_up())  # noqa: SLF001 - part of `run`
    async with asyncio.timeout(5):
        await pbx.level()
    catching_up.cancel()
    await passes(pbx, 1000)
    assert ear.verdicts() == [(who, "abandoned", "gave-up-waiting") for who in calls]
    assert pbx.checkpoint() == ear.journal.end


@in_a_loop
async def test_what_was_only_kept_survives_a_kill(ear: Ear) -> None:
    pbx = ear.pbx()
    await hears(pbx, waiting(0))
    before = pbx.checkpoint()
    ear.room = False
    await hears(pbx, gives_up(50))
    assert pbx.checkpoint() == before
    later = ear.pbx()
    assert again(later, before) == []
    await passes(later, 100)
    assert ear.verdicts() == [(CALLER, "abandoned", "gave-up-waiting")]


def by_hand(at: float) -> Lines:
    """An agent rings a customer over the trunk, they talk for twelve seconds, and the agent's channel lives on."""
    phone, dialled = {"Channel": "PJSIP/agent1-01"}, f"{T}.2"
    to = {"DestUniqueid": dialled, "DestLinkedid": CALLER, "DestChannel": "PJSIP/trunk-02"}
    ours, theirs = {"who": CALLER, **phone}, {"who": dialled, "link": CALLER, "Channel": "PJSIP/trunk-02"}
    joined = {"BridgeType": "basic", "BridgeUniqueid": "b"}
    return [
        (at, message("Newchannel", at, ChannelState="4", CallerIDNum="1001", **ours)),
        (at + 1, message("Newchannel", at + 1, ChannelState="0", **theirs)),
        (at + 1, message("DialBegin", at + 1, DialString="09012345678@trunk", **to, **ours)),
        (at + 3, message("BridgeEnter", at + 3, **joined, **theirs)),
        (at + 3, message("BridgeEnter", at + 3, **joined, **ours)),
        (at + 15, message("Hangup", at + 15, Cause="16", **theirs)),
    ]


@in_a_loop
async def test_a_call_by_hand_is_handed_on_at_its_end_and_again_after_a_kill(ear: Ear) -> None:
    """The number is on the line until then, and what that call answered is committed before anything is decided."""
    trunks = ("PJSIP/trunk",)
    pbx = ear.pbx(trunks=trunks)
    begin = pbx.checkpoint()
    *before, end = by_hand(0)
    await hears(pbx, before)
    assert "09012345678" in pbx.tracker.live_numbers()
    assert ear.heard == []
    await hears(pbx, [end])
    assert "09012345678" not in pbx.tracker.live_numbers()
    (heard,) = ear.heard
    assert [(call.dial_string, call.talked_s) for call in heard.agent_calls] == [("09012345678@trunk", 12.0)]
    assert heard.checkpoint == begin
    later = ear.pbx(trunks=trunks)
    assert [found.agent_calls for found in later.recall(begin)] == [heard.agent_calls]


@in_a_loop
async def test_what_is_said_only_once_is_kept_too_while_others_wait(ear: Ear) -> None:
    pbx = ear.pbx()
    ear.room = False
    await hears(pbx, waiting(0))
    await hears(pbx, [(5, message("QueueCallerLeave", 5, Queue="support"))])
    await hears(pbx, [(5.1, message("UserEvent", 5.1, UserEvent="LcrRequested", Queue="support"))])
    await hears(pbx, gives_up(6)[-1:])
    ear.room = True
    catching_up = asyncio.ensure_future(pbx._pipeline.catch_up())  # noqa: SLF001 - part of `run`
    async with asyncio.timeout(5):
        await pbx.level()
    catching_up.cancel()
    await passes(pbx, 10)
    assert ear.verdicts() == [(CALLER, "requested", "digit-in-queue")]


@in_a_loop
async def test_a_report_waits_for_no_room(ear: Ear) -> None:
    pbx = ear.pbx()
    await hears(pbx, [*waiting(0), *gives_up(5)])
    ear.room = False
    await hears(pbx, [(60, message("RTCPReceived", 60))])
    assert ear.verdicts() == []


@in_a_loop
async def test_level_is_what_is_level_now(ear: Ear) -> None:
    pbx = ear.pbx()
    ear.room = False
    await hears(pbx, waiting(0))
    waits = asyncio.ensure_future(pbx.level())
    await asyncio.sleep(0)
    pbx._pipeline._level.set()  # noqa: SLF001 - as it is when all is digested
    await hears(pbx, gives_up(5))
    await asyncio.sleep(0.01)
    assert not waits.done()
    waits.cancel()


@in_a_loop
async def test_who_waits_for_it_to_be_level_is_told_when_nobody_listens_any_more(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    pbx = ear.pbx()
    ear.room = False
    await hears(pbx, waiting(0))
    monkeypatch.setattr(pbx._pipeline, "_digest_until", lambda _: asyncio.Event().wait())  # noqa: SLF001 - it takes long
    catching_up = asyncio.ensure_future(pbx._pipeline.catch_up())  # noqa: SLF001 - part of `run`
    waits = asyncio.ensure_future(pbx.level())
    await asyncio.sleep(0)
    catching_up.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(NotLevel):
            await waits


@in_a_loop
async def test_a_connection_lost_while_the_log_is_read_loses_nobody(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, read_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slowly(*_: object, **__: object) -> tuple[Gap, tuple[()]]:
        loop.call_soon_threadsafe(reading.set)
        read_on.wait(5)
        return Gap(0, 0, 0, ""), ()

    monkeypatch.setattr("telephony.pbx.gap.look_back", slowly)
    pbx = ear.pbx(boot="2026-11-22 09:00:00", heard_at=T * SECOND)
    await hears(pbx, waiting(0))
    coming_up = asyncio.ensure_future(comes_up(ear, pbx, 60))
    async with asyncio.timeout(5):
        await reading.wait()
    coming_up.cancel()
    read_on.set()
    await asyncio.gather(coming_up, return_exceptions=True)
    await comes_up(ear, pbx, 70)
    assert ear.verdicts() == [(CALLER, "blocked", "pbx-restarted")]


@in_a_loop
async def test_stock_is_taken_when_all_that_was_heard_is_digested(ear: Ear) -> None:
    pbx = ear.pbx()
    ear.room = False
    await hears(pbx, waiting(0))
    coming_up = asyncio.ensure_future(comes_up(ear, pbx, 60))
    await asyncio.sleep(0.05)
    assert (line_of(pbx).asked, pbx.ready) == ([], False)
    ear.room = True
    catching_up = asyncio.ensure_future(pbx._pipeline.catch_up())  # noqa: SLF001 - part of `run`
    async with asyncio.timeout(5):
        await coming_up
    catching_up.cancel()
    assert ear.verdicts() == [(CALLER, "unknown", "ended-unseen")]


@in_a_loop
async def test_a_lag_is_told_and_its_end_too(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.pbx.LOOK_EVERY_S", 0.001)
    pbx = ear.pbx()
    ear.room = False
    await hears(pbx, waiting(0))
    ear.now = T + 9
    at_work = [asyncio.ensure_future(work) for work in (pbx._look_around(),)]  # noqa: SLF001 - part of `run`
    async with asyncio.timeout(5):
        while not ear.told:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        ear.room = True
        at_work.append(asyncio.ensure_future(pbx._pipeline.catch_up()))  # noqa: SLF001
        while len(ear.told) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    for work in at_work:
        work.cancel()
    await asyncio.gather(*at_work, return_exceptions=True)
    assert [state for state, _ in ear.told] == ["behind", "level"]
    assert ear.told[0][1].startswith("9 s")


# Gaps


@in_a_loop
async def test_a_gap_is_told(ear: Ear) -> None:
    pbx = ear.pbx(boot="2026-11-22 10:00:00", heard_at=T * SECOND)
    await comes_up(ear, pbx, 600)
    assert [heard.gap for heard in ear.heard] == [Gap(T * SECOND, (T + 600) * SECOND, 0, NO_LOG)]


@in_a_loop
async def test_the_log_is_asked_by_the_clock_of_the_pbx(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def look_back(_log: object, _name: str, since: int, until: int, **_: object) -> tuple[Gap, tuple[()]]:
        asked.append((since, until))
        return Gap(since, until, 0, ""), ()

    async def ping() -> Message:
        return Message(f"Response: Success\r\nTimestamp: {T + 690}.000000".encode())

    monkeypatch.setattr("telephony.pbx.gap.look_back", look_back)
    pbx = ear.pbx(heard_at=T * SECOND)
    monkeypatch.setattr(line_of(pbx), "ping", ping)
    await comes_up(ear, pbx, 600)
    assert asked == [((T + 90) * SECOND, (T + 690) * SECOND)]
    assert [heard.gap for heard in ear.heard] == [Gap(T * SECOND, (T + 600) * SECOND, 0, "")]


@pytest.mark.parametrize(("count", "doubtful"), [(8, False), (881, True)])
@in_a_loop
async def test_of_a_call_that_only_the_log_tells_of_its_count_is_the_proof(
    ear: Ear, tmp_path: Path, count: int, doubtful: bool
) -> None:
    who, log = f"{T + 40}.{count}", tmp_path / "queue_log"
    lines = [f"{T}|NONE|NONE|NONE|QUEUESTART|", f"{T + 40}|{who}|support|NONE|ENTERQUEUE||0902|1"]
    log.write_text("\n".join([*lines, f"{T + 50}|{who}|support|NONE|ABANDON|1|1|10"]) + "\n")
    pbx = ear.pbx(log=open_log(log))
    await comes_up(ear, pbx, 0)
    await hears(pbx, [*waiting(1, f"{T}.7"), *gives_up(9, f"{T}.7")])
    await passes(pbx, 20)
    await pbx._on_down("cut")  # noqa: SLF001 - what the client does
    await comes_up(ear, pbx, 60)
    (found,) = [call for call, _ in ear.heard[-1].calls if call.call_id == who]
    assert found.doubtful == doubtful
    gap = ear.heard[-1].gap
    assert gap is not None
    assert (gap.calls, gap.unproved) == (1, int(doubtful))


TRUNKS: Final = ("PJSIP/trunk",)


def record_of(who: str, application: str, disposition: str) -> str:
    at = f'"{datetime.fromtimestamp(T + 40, UTC):%F %T}"'
    of_caller = f'"","0902","505","from-trunk","0902","PJSIP/trunk-00000001","","{application}",""'
    return f'{of_caller},{at},,{at},10,0,"{disposition}","DOCUMENTATION","{who}"\n'


async def told_of_the_gap(ear: Ear, pbx: Pbx, who: str) -> tuple[Call, Verdict]:
    """A gap of 40 s in which that call came and went; nothing was heard of it."""
    await comes_up(ear, pbx, 0)
    await hears(pbx, [*waiting(1, f"{T}.7"), *gives_up(9, f"{T}.7")])
    await passes(pbx, 20)
    await pbx._on_down("cut")  # noqa: SLF001 - what the client does
    await comes_up(ear, pbx, 60)
    (found,) = [judged for judged in ear.heard[-1].calls if judged[0].call_id == who]
    return found


@in_a_loop
async def test_a_call_record_proves_a_call_whose_count_does_not(ear: Ear, tmp_path: Path) -> None:
    who, log, cdr = f"{T + 40}.881", tmp_path / "queue_log", tmp_path / "Master.csv"
    lines = [f"{T}|NONE|NONE|NONE|QUEUESTART|", f"{T + 40}|{who}|support|NONE|ENTERQUEUE||0902|1"]
    log.write_text("\n".join([*lines, f"{T + 50}|{who}|support|NONE|ABANDON|1|1|10"]) + "\n")
    cdr.write_text(record_of(who, "Queue", "NO ANSWER"))
    call, verdict = await told_of_the_gap(ear, ear.pbx(log=open_log(log), trunks=TRUNKS, cdr=Cdr(cdr)), who)
    assert (verdict.kind, call.doubtful) == ("abandoned", False)


@in_a_loop
async def test_a_call_of_which_records_alone_tell_needs_no_other_proof(ear: Ear, tmp_path: Path) -> None:
    """Who calls can write no record; and of who came to no queue the queue_log tells nothing."""
    who, cdr = f"{T + 40}.881", tmp_path / "Master.csv"
    cdr.write_text(record_of(who, "Dial", "BUSY"))
    call, verdict = await told_of_the_gap(ear, ear.pbx(trunks=TRUNKS, cdr=Cdr(cdr)), who)
    assert (verdict.kind, verdict.reason, call.doubtful) == ("blocked", "busy", False)


@in_a_loop
async def test_a_log_in_a_table_needs_no_proof(ear: Ear, tmp_path: Path) -> None:
    """What a caller sends stays in its column."""
    who, file = f"{T + 40}.881", tmp_path / "log.db"
    data = [("", "0902", "1"), ("1", "1", "10")]
    rows = [
        (str(T + at), who, "support", "NONE", name, *words)
        for at, name, words in ((40, "ENTERQUEUE", data[0]), (50, "ABANDON", data[1]))
    ]
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE queue_log (time, callid, queuename, agent, event, data1, data2, data3)")
        connection.executemany("INSERT INTO queue_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    call, verdict = await told_of_the_gap(ear, ear.pbx(log=open_log(f"sqlite:///{file}")), who)
    assert (verdict.kind, call.number, call.doubtful) == ("abandoned", "0902", False)


@in_a_loop
async def test_who_never_listened_has_no_gap(ear: Ear) -> None:
    pbx = ear.pbx()
    await comes_up(ear, pbx, 600)
    assert [heard.gap for heard in ear.heard] == [None]


# Taking stock


@in_a_loop
async def test_while_messages_are_held_their_arrivals_tell_the_time(ear: Ear) -> None:
    pbx = ear.pbx()
    await hears(pbx, [*waiting(0), gives_up(9)[-1]])
    line_of(pbx).stats.held_bytes = 1
    await passes(pbx, 60)
    assert ear.verdicts() == []
    await hears(pbx, gives_up(9)[:2])
    line_of(pbx).stats.held_bytes = 0
    await passes(pbx, 61)
    assert ear.verdicts() == [(CALLER, "abandoned", "gave-up-waiting")]


@in_a_loop
async def test_while_messages_are_only_kept_nobody_looks_at_graces(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    pbx, looked = ear.pbx(), asyncio.Event()
    monkeypatch.setattr(pbx.tracker, "next_grace_ends_at", looked.set)
    await hears(pbx, [*waiting(0), *gives_up(5)])
    ear.room = False
    await hears(pbx, [*waiting(5, f"{T}.2"), *gives_up(5.5, f"{T}.2")])
    ear.now, ear.room = T + 60, True
    passing = asyncio.ensure_future(pbx._let_pass())  # noqa: SLF001 - part of `run`
    for _ in range(10):
        await asyncio.sleep(0)
    assert not looked.is_set()
    catching_up = asyncio.ensure_future(pbx._pipeline.catch_up())  # noqa: SLF001 - part of `run`
    async with asyncio.timeout(5):
        await looked.wait()
    passing.cancel()
    catching_up.cancel()


@in_a_loop
async def test_a_restart_while_the_service_was_down_is_known(ear: Ear) -> None:
    pbx = ear.pbx(boot="2026-11-22 09:00:00")
    await hears(pbx, waiting(0))
    await comes_up(ear, pbx, 60)
    assert ear.verdicts() == [(CALLER, "blocked", "pbx-restarted")]
    assert pbx.boot == "2026-11-22 10:00:00"
    assert "restarted" in ear.told[-1][1]


@in_a_loop
async def test_without_a_restart_a_caller_who_is_gone_ended_unseen(ear: Ear) -> None:
    pbx = ear.pbx(boot="2026-11-22 10:00:00")
    await hears(pbx, waiting(0))
    await comes_up(ear, pbx, 60)
    assert ear.verdicts() == [(CALLER, "unknown", "ended-unseen")]


@in_a_loop
async def test_who_hears_of_the_restart_finds_the_new_stamp(ear: Ear) -> None:
    pbx, seen = ear.pbx(boot="2026-11-22 09:00:00"), []

    async def look(_heard: Stretch) -> None:
        seen.append(pbx.boot)

    pbx._pipeline._on_stretch = look  # noqa: SLF001
    await hears(pbx, waiting(0))
    await comes_up(ear, pbx, 60)
    assert seen == ["2026-11-22 10:00:00"]


@in_a_loop
async def test_queues_are_asked_for_last(ear: Ear) -> None:
    pbx = ear.pbx()
    await comes_up(ear, pbx, 0)
    assert line_of(pbx).asked == ["CoreStatus", *["CoreShowChannels", "QueueStatus"] * 2]


@in_a_loop
async def test_a_caller_known_from_a_listing_alone_survives_a_kill(ear: Ear) -> None:
    pbx = ear.pbx()
    await comes_up(ear, pbx, 60, **listed(wait_s=20))
    assert pbx.checkpoint() < ear.journal.end
    later = ear.pbx()
    assert again(later, pbx.checkpoint()) == []
    await hears(later, gives_up(70))
    await passes(later, 80)
    assert ear.verdicts() == [(CALLER, "abandoned", "gave-up-waiting")]
    [(call, verdict)] = ear.heard[-1].calls
    assert call.number == "0901"
    assert 29 < verdict.waited_s < 31


@in_a_loop
async def test_forged_messages_are_told(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.pbx.LOOK_EVERY_S", 0.001)
    pbx, told = ear.pbx(), asyncio.Event()

    def tell(state: str, why: str) -> None:
        ear.told.append((state, why))
        told.set()

    pbx._on_state = tell  # noqa: SLF001
    forged = Message(waiting(0)[1][1].raw + b"\r\nUniqueid: 1.2")
    for _ in range(3):
        await hears(pbx, [(0, forged)])
    ticking = asyncio.ensure_future(pbx._look_around())  # noqa: SLF001
    async with asyncio.timeout(5):
        await told.wait()
    await asyncio.sleep(0.02)  # in which nothing more is to be told
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    ((state, said),) = ear.told
    assert (state, said[:42]) == ("refused", "messages refused since the start: 3 forged")
    assert said.endswith(r"\r\nQueue: support\r\nUniqueid: 1.2")


# Our attempts


@in_a_loop
async def test_an_adopted_attempt_ends_with_its_last_channel(ear: Ear) -> None:
    """Its leg -2 hung up before the listing, which nobody heard."""
    pbx = ear.pbx()
    shown = [own("CoreShowChannel", leg, Application="Dial", ApplicationData="") for leg in ("lcr-a-1", f"{T}.9")]
    await comes_up(ear, pbx, 60, CoreShowChannels=shown)
    assert pbx.own_live() == {"a"}
    await hears(pbx, [(70, own("Hangup", "lcr-a-1", Cause="16"))])
    assert pbx.own_live() == {"a"}
    await hears(pbx, [(71, own("Hangup", f"{T}.9", Cause="16"))])
    assert pbx.own_live() == set()
    assert ear.heard[-1].attempts == (AttemptEnd("a", None, (), 0),)
    assert pbx.dialler.oldest_offset() is None


@in_a_loop
async def test_what_is_forged_or_resolved_holds_the_journal_no_more(ear: Ear) -> None:
    pbx = ear.pbx()
    await hears(pbx, [(0, message("Newchannel", 0, "lcr-zz-1")), (0, message("Newchannel", 0, "lcr-b-1"))])
    pbx.forget("b")
    await passes(pbx, 1)
    assert pbx.dialler.oldest_offset() == 0
    await passes(pbx, 12 * 3600 + 2)
    assert pbx.dialler.oldest_offset() is None
    assert pbx.own_live() == set()


@in_a_loop
async def test_an_originate_does_not_outlast_the_last_ring_by_the_clock_of_the_pbx(ear: Ear) -> None:
    pbx = ear.pbx()
    sent: list[str] = []

    async def action(_name: str, headers: Any) -> None:
        sent.extend(value for key, value in headers if key == "Timeout")

    line_of(pbx).action = action  # type: ignore[assignment, method-assign]
    pbx.clock_off_s = 1.5
    await pbx.commands.place(Order("a", "support", "PJSIP/1@trunk", T + 20, 30, 25, "03", "Us", "0901"))
    assert sent == ["18500"]


@in_a_loop
async def test_the_roll_call_ends_what_is_gone_unless_a_line_of_it_was_refused(ear: Ear) -> None:
    pbx = ear.pbx()
    await comes_up(ear, pbx, 0)
    await hears(pbx, waiting(1))
    ear.now = T + 60
    line_of(pbx).refuses = True
    await pbx._compare_channels()  # noqa: SLF001 - what `run` does now and then
    assert ear.verdicts() == []
    line_of(pbx).refuses = False
    await pbx._compare_channels()  # noqa: SLF001
    assert ear.verdicts() == [(CALLER, "unknown", "ended-unseen")]
