"""The PBX is asked whether a caller is really there, and to tell when somebody talks; what it answers is noted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from telephony.ami.client import ActionFailed, NotConnected
from telephony.ami.protocol import Message
from telephony.dialling import enquiries
from telephony.dialling.enquiries import Enquiries, WaitingCaller
from telephony.events import AgentConnect, ChannelEvent, Confirmed, Denied, Detecting, QueueCallerJoin

Answer = Callable[[str, str], str]


def join(uniqueid: str, channel: str = "PJSIP/trunk-1") -> QueueCallerJoin:
    return QueueCallerJoin(1, uniqueid, uniqueid, channel, "support", "0901")


def talk(queue: str = "support") -> AgentConnect:
    return AgentConnect(1, "1.1", "1.1", "PJSIP/trunk-1", queue, "1.2", "A", "PJSIP/a", 3)


class Pbx:
    """Answers by `answer(action, uniqueid)`: the message's text, or an exception's name."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.notes = answer, list[ChannelEvent]()
        self.asked: list[tuple[str, str, str]] = []
        legs = [ChannelEvent(1, uniqueid, "1.1", f"PJSIP/{uniqueid}") for uniqueid in ("1.1", "1.2")]
        self.enquiries = Enquiries(
            self.ask,
            self.note,
            clock=lambda: 77,
            detect=lambda queue: queue == "support",
            legs=lambda _: legs,
            there=self.there,
        )
        self.callers: list[str] = []

    async def ask(self, name: str, headers: Iterable[tuple[str, str]], *, timeout_s: float) -> Message:
        assert timeout_s > 0
        given = dict(headers)
        self.asked.append((name, given["Channel"], given["Variable"]))
        if len(self.asked) == self.wanted:
            self.enough.set()
        await asyncio.sleep(0)
        said = self.answer(name, given["Channel"])
        if said == "gone":
            raise NotConnected("Not connected to the PBX.")
        if said.startswith("no"):
            raise ActionFailed("refused", Message(f"Response: Error\r\nMessage: {said.capitalize()}".encode()))
        return Message(f"Response: Success\r\nVariable: CALLERID(num)\r\nValue: {said}".encode())

    async def there(self, caller: WaitingCaller) -> None:
        self.callers.append(caller.uniqueid)
        if caller.uniqueid == "6.6":
            raise OSError("the database is away")

    async def note(self, note: ChannelEvent) -> None:
        self.notes.append(note)

    def hears(self, *events: ChannelEvent, answers: int, behind_s: float = 0) -> None:
        """Let it hear these, told so long ago, and answer so many questions."""

        async def run() -> None:
            self.enough, self.wanted = asyncio.Event(), answers
            for event in events:
                self.enquiries.hear(event, behind_s=behind_s)
            running = asyncio.ensure_future(self.enquiries.run())
            async with asyncio.timeout(5):
                await self.enough.wait()
            for _ in range(20):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        asyncio.run(run())


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("0901", Confirmed(77, "1.1", "1.1", "PJSIP/trunk-1", "0901")),
        ("no such channel", Denied(77, "1.1", "1.1", "PJSIP/trunk-1")),
    ],
)
def test_who_joins_a_queue_is_confirmed_or_denied(said: str, note: ChannelEvent) -> None:
    pbx = Pbx(lambda _name, _channel: said)
    pbx.hears(join("1.1"), answers=1)
    assert pbx.asked == [("Getvar", "1.1", "CALLERID(num)")]
    assert pbx.notes == [note]
    assert pbx.callers == (["1.1"] if isinstance(note, Confirmed) else [])


@pytest.mark.parametrize("said", ["gone", "no permission"])
def test_what_nobody_answered_is_noted_as_nothing(said: str) -> None:
    pbx = Pbx(lambda _name, _channel: said)
    pbx.hears(join("1.1"), answers=1)
    assert pbx.notes == []
    assert dict(pbx.enquiries.refused) == ({"Getvar: No permission": 1} if said == "no permission" else {})


def test_whoever_is_told_of_a_caller_and_fails_keeps_nobody_from_asking() -> None:
    pbx = Pbx(lambda _name, _channel: "0901")
    pbx.hears(*[join("6.6") for _ in range(9)], join("1.1"), answers=10)
    assert pbx.callers == [*["6.6"] * 9, "1.1"]


def test_our_own_legs_are_not_asked_about() -> None:
    pbx = Pbx(lambda _name, _channel: "0901")
    pbx.hears(join("lcr-a-2", "Local/s@lcr-agent-1;2"), join("1.9", "Local/5@x-1;2"), join("1.1"), answers=1)
    assert [channel for _, channel, _ in pbx.asked] == ["1.1"]


def test_a_talk_is_listened_to_on_each_of_its_channels_where_the_queue_asks_for_it() -> None:
    pbx = Pbx(lambda _name, _channel: "done")
    pbx.hears(talk("sales"), talk(), answers=2)
    assert pbx.asked == [("Setvar", uniqueid, "TALK_DETECT(set)") for uniqueid in ("1.1", "1.2")]
    assert [type(note) for note in pbx.notes] == [Detecting, Detecting]


def test_a_module_that_is_missing_is_counted() -> None:
    pbx = Pbx(lambda _name, _channel: "no such function")
    pbx.hears(talk(), answers=2)
    assert pbx.notes == []
    assert dict(pbx.enquiries.refused) == {"Setvar TALK_DETECT: No such function": 2}


def test_in_a_flood_whom_nobody_could_ask_about_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiries, "WAITING", 3)
    pbx = Pbx(lambda _name, _channel: "0901")
    pbx.hears(*[join(f"1.{number}") for number in range(5)], answers=3)
    assert sorted(note.uniqueid for note in pbx.notes if isinstance(note, Confirmed)) == ["1.0", "1.1", "1.2"]
    assert sorted(note.uniqueid for note in pbx.notes if isinstance(note, Denied)) == ["1.3", "1.4"]


def test_who_joined_some_time_ago_and_is_gone_was_not_forged() -> None:
    pbx = Pbx(lambda _name, channel: "no such channel" if channel == "1.1" else "0902")
    pbx.hears(join("1.1"), join("1.2"), answers=2, behind_s=enquiries.PROMPT_S + 0.1)
    assert pbx.notes == [Confirmed(77, "1.2", "1.2", "PJSIP/trunk-1", "0902")]
    assert not pbx.enquiries.refused


def test_a_pbx_that_does_not_answer_denies_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line fills up because nothing comes back, not because too many join at once."""
    monkeypatch.setattr(enquiries, "WAITING", 3)
    pbx = Pbx(lambda _name, _channel: "0901")
    pbx.hears(*[join(f"1.{number}") for number in range(5)], answers=3, behind_s=enquiries.PROMPT_S + 0.1)
    assert sorted(note.uniqueid for note in pbx.notes) == ["1.2", "1.3", "1.4"]
    assert dict(pbx.enquiries.refused) == {"asked too late": 2}


def test_a_slow_greeting_keeps_nobody_from_being_confirmed() -> None:
    """Forty join at once, and what is done about the first of them never comes to an end."""
    pbx = Pbx(lambda _name, _channel: "0901")

    async def never_ends(caller: WaitingCaller) -> None:
        pbx.callers.append(caller.uniqueid)
        await asyncio.Event().wait()

    pbx.enquiries._there = never_ends  # noqa: SLF001
    pbx.hears(*[join(f"1.{number}") for number in range(40)], answers=40)
    assert len({note.uniqueid for note in pbx.notes if isinstance(note, Confirmed)}) == 40
    assert len(pbx.callers) == enquiries.CALLER_WORKERS


def test_callers_who_cannot_be_greeted_in_time_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiries, "CALLER_WORKERS", 0)
    monkeypatch.setattr(enquiries, "WAITING", 3)
    pbx = Pbx(lambda _name, _channel: "0901")
    for number in range(5):
        pbx.hears(join(f"1.{number}"), answers=number + 1)
    waiting = pbx.enquiries._callers  # noqa: SLF001
    assert [waiting.get_nowait().uniqueid for _ in range(waiting.qsize())] == ["1.2", "1.3", "1.4"]
