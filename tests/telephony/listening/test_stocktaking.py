"""Who waited through a gap, or came in it, and gives up while stock is taken, is lost like anybody: at each moment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

from telephony.ami.protocol import Message
from telephony.calls.call import Call, Verdict
from telephony.listening import gap
from telephony.pbx import Pbx
from telephony.queue_log.between import calls_between, open_log
from telephony.queue_log.entries import Entry
from telephony.queue_log.files import LogFiles
from telephony.queue_log.sieve import Sieve
from tests.telephony.test_pbx import CALLER, SECOND, Connection, Ear, T, in_a_loop, line_of, listed, message, passes

BACK: Final = 60.0
"""When the connection is back, in seconds; it was lost at 20."""
WHO: Final = f"{T + 30}.7"
MOMENTS: Final = 14
Judgement = tuple[Call, Verdict]


class World(Connection):
    """A PBX with one caller, who joined in the gap and gives up at a moment of the stocktaking.

    Each question has two: before it is answered, and when the answer is on its way.
    """

    def begin(self, log: Path, leaves_at: int, unheard: int) -> None:
        self.log, self.leaves_at, self.unheard = log, leaves_at, unheard
        self.moments, self.there, self.pbx_clock = 0, True, BACK
        self.write(30, "ENTERQUEUE||0901|1")

    def write(self, at: float, told: str) -> None:
        event, _, data = told.partition("|")
        with self.log.open("a") as file:
            file.write(f"{T + int(at)}|{WHO}|support|NONE|{event}|{data}\n")

    async def moment(self) -> None:
        self.moments += 1
        if self.moments == self.leaves_at:
            await self.leaves()

    async def leaves(self) -> None:
        """He hangs up; of what is said of it, the first so many pieces were said before anybody listened again."""
        self.there, at = False, self.pbx_clock
        self.write(at, f"ABANDON|1|1|{int(at) - 30}")
        of_queue = {"CallerIDNum": "0901", "Queue": "support"}
        said = [
            message("HangupRequest", at, WHO, CallerIDNum="0901"),
            message("QueueCallerAbandon", at, WHO, HoldTime=str(int(at) - 30), **of_queue),
            message("QueueCallerLeave", at, WHO, **of_queue),
            message("Hangup", at, WHO, CallerIDNum="0901", Cause="16"),
        ]
        for piece in said[self.unheard :]:
            await self.on_message(piece, int((T + at) * SECOND))

    async def action(self, name: str, _headers: object = (), **_limits: float) -> Message:
        await self.moment()
        if name != "Getvar":
            answer = await super().action(name)
        elif self.there:
            answer = Message(b"Response: Success\r\nValue: 0901")
        else:
            answer = Message(b"Response: Error\r\nMessage: No such channel")
        await self.moment()
        return answer

    async def listing(self, name: str, _headers: object = (), **limits: float) -> list[Message]:
        await self.moment()
        self.lists = listed(WHO, int(self.pbx_clock) - 30) if self.there else {}
        found = await super().listing(name, **limits)
        await self.moment()
        return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Ear, Pbx, World]:
    monkeypatch.setattr("telephony.pbx.Client", World)
    ear = Ear(tmp_path / "journal")
    (tmp_path / "queue_log").write_text(f"{T - 9}|NONE|NONE|NONE|QUEUESTART|\n")
    pbx = ear.pbx(heard_at=int((T + 20) * SECOND), newest=f"{T + 10}.1", log=open_log(tmp_path / "queue_log"))
    connection = line_of(pbx)
    assert isinstance(connection, World)
    return ear, pbx, connection


def best(ear: Ear) -> list[Judgement]:
    """What was made of him; of several verdicts the one that is to be believed."""
    told = [judged for heard in ear.heard for judged in heard.calls if judged[0].call_id == WHO]
    return sorted(told, key=lambda judged: judged[1].rank)[-1:]


async def reading_takes_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moments pass while the log is read."""
    loop, read = asyncio.get_running_loop(), calls_between

    def between(*where: Any, **how: Any) -> Any:
        asyncio.run_coroutine_threadsafe(world.moment(), loop).result(5)
        told = read(*where, **how)
        asyncio.run_coroutine_threadsafe(world.moment(), loop).result(5)
        return told

    monkeypatch.setattr("telephony.listening.gap.calls_between", between)


@pytest.mark.parametrize("unheard", [0, 2, 3], ids=["all-heard", "two-heard", "hangup-heard"])
@pytest.mark.parametrize("moment", range(1, MOMENTS + 1))
@in_a_loop
async def test_who_gives_up_while_stock_is_taken_is_lost_with_a_number(
    world: tuple[Ear, Pbx, World], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moment: int, unheard: int
) -> None:
    ear, pbx, connection = world
    connection.begin(tmp_path / "queue_log", moment, unheard if moment == 1 else 0)
    await reading_takes_time(connection, monkeypatch)
    ear.now = T + BACK
    enquiries = asyncio.ensure_future(pbx._enquiries.run())  # noqa: SLF001 - part of `run`
    await connection.on_up()
    await asyncio.sleep(0)
    if connection.there:  # the last moment: all questions had been answered
        await connection.leaves()
    await passes(pbx, BACK + 5)
    enquiries.cancel()
    await asyncio.gather(enquiries, return_exceptions=True)
    [(call, verdict)] = best(ear)
    assert (verdict.kind, verdict.reason) == ("abandoned", "gave-up-waiting")
    assert call.number == "0901"
    assert call.confirmed is not False
    assert not call.doubtful
    assert verdict.waited_s == 30
    ear.journal.close()


@pytest.mark.parametrize("moment", range(1, MOMENTS + 1))
@in_a_loop
async def test_a_caller_from_before_the_gap_who_gives_up_then_is_lost_too(
    world: tuple[Ear, Pbx, World], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moment: int
) -> None:
    """His join was heard; so much of his call is known that nobody need look far back in the log."""
    ear, pbx, connection = world
    connection.begin(tmp_path / "queue_log", moment, 0)
    monkeypatch.setattr(gap, "NEAR_S", 1.0)
    joined = {"CallerIDNum": "0901", "Queue": "support"}
    for line in (message("Newchannel", 10, WHO, Exten="500", **joined), message("QueueCallerJoin", 10, WHO, **joined)):
        await connection.on_message(line, int((T + 10) * SECOND))
    ear.now = T + BACK
    await connection.on_up()
    if connection.there:
        await connection.leaves()
    await passes(pbx, BACK + 5)
    [(call, verdict)] = best(ear)
    assert (call.number, verdict.kind) == ("0901", "abandoned")
    assert call.did == "500"
    ear.journal.close()


@in_a_loop
async def test_who_was_listed_twice_is_there_and_is_not_asked_about(world: tuple[Ear, Pbx, World]) -> None:
    ear, pbx, connection = world
    connection.begin(Path(str(pbx._wiring.log)), 0, 0)  # noqa: SLF001
    ear.now = T + BACK
    await connection.on_up()
    assert "Getvar" not in connection.asked
    await connection.leaves()
    await passes(pbx, BACK + 5)
    assert [call.confirmed for call, _ in best(ear)] == [True]
    ear.journal.close()


def test_a_long_log_is_read_from_where_it_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand calls before the gap, one in it, which began before."""
    path, calls = tmp_path / "queue_log", 10_000
    with path.open("w") as file:
        for number in range(calls):
            at = T - 40_000 + 4 * number
            file.write(
                f"{at}|{at}.{number}|support|NONE|ENTERQUEUE||0901|1\n{at}|{at}.{number}|support|NONE|ABANDON|1|1|1\n"
            )
        file.write(f"{T + 30}|{CALLER}|support|NONE|ABANDON|1|1|30\n")
    read, feed = [0], Sieve.feed

    def counting(sieve: Sieve, text: str) -> list[Entry]:
        read[0] += len(text)
        return feed(sieve, text)

    monkeypatch.setattr(Sieve, "feed", counting)
    times = (int((T + 20) * SECOND), int((T + 60) * SECOND))
    found, told = gap.look_back(LogFiles(path), "main", *times, known=CALLER.__eq__)
    assert [call.call_id for call, _ in told] == [CALLER]
    assert found.why_not == ""
    assert read[0] < path.stat().st_size / 50


def test_a_beginning_that_nobody_heard_is_looked_for_further_back(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    lines = [f"{T - 900}|NONE|NONE|NONE|QUEUESTART|", f"{T - 600}|{CALLER}|support|NONE|ENTERQUEUE||0901|1"]
    lines.append(f"{T + 30}|{CALLER}|support|NONE|ABANDON|1|1|630")
    path.write_text("\n".join(lines) + "\n")
    times = (int((T + 20) * SECOND), int((T + 60) * SECOND))
    _, told = gap.look_back(LogFiles(path), "main", *times)
    assert [call.number for call, _ in told] == ["0901"]
