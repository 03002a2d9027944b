"""The stand-in for an Asterisk: what it plays, what it answers, how it is started."""

import asyncio
import gzip
import math
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from telephony.ami.client import Account, ActionFailed, Client, Handlers, Limits, LoginRefused
from telephony.ami.protocol import Message, Parser
from telephony.simulator.recording import Recording, RecordingError
from telephony.simulator.server import CallbackPlay, Simulator
from tests.children import child
from tests.telephony.ami.manager import Ear, run, running

STREAMS = Path(__file__).parents[2] / "streams"
SERVED = STREAMS / "01-normal-caller-hangs-up.ami.gz"
ABANDONED = STREAMS / "03a-abandon-ringing.ami.gz"
CUT_SHORT = STREAMS / "13a1-before-connection-loss.ami.gz"
CALLBACK = STREAMS / "11a-agent-first-success.ami.gz"
BUSY = STREAMS / "11b-agent-first-customer-busy.ami.gz"
WITHOUT_TIMES = STREAMS / "03a-abandon-ringing-ast16.ami.gz"
LEGS = [("ChannelId", "lcr-42-1"), ("OtherChannelId", "lcr-42-2"), ("Channel", "Local/s@lcr-agent/n")]


def client_of(port: int, ear: Ear) -> Client:
    handlers = Handlers(ear.on_messages, ear.on_up, ear.on_down)
    return Client(Account("127.0.0.1", port, "lab", "lab"), handlers, Limits(backoff_s=(0.01, 0.05)))


@asynccontextmanager
async def listening(simulator: Simulator, ear: Ear) -> AsyncIterator[Client]:
    async with running(client := client_of(simulator.port, ear)):
        await ear.until(ups=1)
        yield client


def stamps(messages: list[Message]) -> list[float]:
    return [float(message.get("Timestamp")) for message in messages if message.get("Timestamp")]


# What it plays


@pytest.mark.parametrize("path", sorted(STREAMS.glob("*.ami.gz")), ids=lambda path: path.name)
def test_every_recording_can_be_told_anew(path: Path) -> None:
    recording = Recording.load(path)
    offsets = [after_s for after_s, _ in recording.events]

    assert offsets == sorted(offsets)
    assert offsets[0] == 0
    assert not {"FullyBooted", "QueueParams", "CoreShowChannel", ""} & {e.name for _, e in recording.events}


def test_playing_gives_the_recorded_events_in_order_with_new_names() -> None:
    async def main() -> None:
        ear = Ear()
        recorded = [event for _, event in Recording.load(SERVED).events]
        async with Simulator() as simulator, listening(simulator, ear):
            names = await simulator.play(SERVED, speed=math.inf)
            await ear.until(heard=1 + len(recorded))

            played = [message for message, _ in ear.heard[1:]]
            assert [event.name for event in played] == [event.name for event in recorded]
            assert len(names) == 5  # two calls' ids, two channels, one bridge
            for before, now in zip(recorded, played, strict=True):
                expected = before.raw
                for old, new in names.items():
                    expected = expected.replace(old.encode(), new.encode())
                assert _without_stamp(now.raw) == _without_stamp(expected)
            uniqueid = names["1795307133.7"]
            assert re.fullmatch(r"\d{10}\.\d+", uniqueid)
            assert abs(float(uniqueid) - time.time()) < 60

    run(main())


def _without_stamp(raw: bytes) -> bytes:
    return re.sub(rb"\r\nTimestamp: [\d.]+", b"", raw)


def test_each_playing_is_a_new_call() -> None:
    async def main() -> None:
        ear = Ear()
        async with Simulator() as simulator, listening(simulator, ear):
            first, second = [await simulator.play(SERVED, speed=math.inf) for _ in range(2)]

            assert first.keys() == second.keys()
            assert not set(first.values()) & set(second.values())

    run(main())


@pytest.mark.parametrize("speed", [0.9, 1.0, 40.0, math.inf])
def test_times_are_of_the_present_and_a_call_keeps_its_length(speed: float) -> None:
    async def main() -> None:
        ear = Ear()
        path = ABANDONED if speed > 1 else STREAMS / "05a-congestion.ami.gz"
        recording = Recording.load(path)
        before, began = time.time(), time.monotonic()
        async with Simulator() as simulator, listening(simulator, ear):
            await simulator.play(path, speed=speed)
            took_s, after = time.monotonic() - began, time.time()
            await ear.until(heard=1 + len(recording.events))

            told = stamps([message for message, _ in ear.heard])
            assert took_s >= recording.lasts_s / speed
            assert before - recording.lasts_s - 1 <= told[0]
            assert all(stamp <= at / 1e6 + 0.01 for (m, at) in ear.heard for stamp in stamps([m]))  # not ahead
            assert told[-1] <= after
            spans = [later - earlier for earlier, later in pairwise(told)]
            then = stamps([event for _, event in recording.events])
            assert spans == pytest.approx([b - a for a, b in pairwise(then)], abs=1e-5)

    run(main())


def test_a_recording_without_timestamps_is_played_without_pauses() -> None:
    async def main() -> None:
        ear = Ear()
        async with Simulator() as simulator, listening(simulator, ear):
            async with asyncio.timeout(3):  # it took 4 s
                names = await simulator.play(WITHOUT_TIMES)
            await ear.until(heard=61)

            assert not stamps([message for message, _ in ear.heard])
            assert all(abs(float(new) - time.time()) < 60 for old, new in names.items() if "." in old)

    run(main())


def test_a_play_can_be_given_another_caller() -> None:
    async def main() -> None:
        ear = Ear()
        async with Simulator() as simulator, listening(simulator, ear):
            await simulator.play(SERVED, speed=math.inf, rename=lambda raw: raw.replace(b"09012345678", b"08099998888"))
            await ear.until(heard=148)

            joined = next(message for message, _ in ear.heard if message.name == "QueueCallerJoin")
            assert joined.get("CallerIDNum") == "08099998888"

    run(main())


@pytest.mark.parametrize("content", [None, b"", b"no stream at all", gzip.compress(b"x", mtime=0)[:-9]])
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.ami.gz"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RecordingError, match=r"broken\.ami\.gz"):
        Recording.load(path)


def test_a_plain_file_and_a_systemname_before_the_ids(tmp_path: Path) -> None:
    stream = gzip.decompress(ABANDONED.read_bytes())
    path = tmp_path / "plain.ami"
    path.write_bytes(stream.replace(b"id: 1795", b"id: tokyo-1795"))

    async def main() -> None:
        async with Simulator() as simulator:
            names = await simulator.play(path, speed=math.inf)

            ids = {old: new for old, new in names.items() if old.startswith("tokyo-")}
            assert len(ids) == 2
            assert all(re.fullmatch(r"tokyo-\d{10}\.\d+", new) for new in ids.values())

    run(main())


# What it answers


def test_it_says_what_it_is() -> None:
    async def main() -> None:
        ear = Ear()
        async with Simulator() as simulator, listening(simulator, ear) as client:
            settings = await client.action("CoreSettings")
            status = await client.action("CoreStatus")
            pong = await client.ping()

            assert settings.get("SystemName") == status.get("SystemName") == "recorded-streams"
            assert "simulator" in settings.get("AsteriskVersion")
            began = f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}"
            began_at = datetime.strptime(began, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - an AMI says it without a zone
            # Where clocks went back within the hour, the same words stand for two moments.
            assert min(abs(began_at.replace(fold=fold).timestamp() - time.time()) for fold in (0, 1)) < 60
            assert abs(float(pong.get("Timestamp")) - time.time()) < 10

    run(main())


def test_queues_and_members_of_its_recordings_are_there_and_free_before_anything_is_played() -> None:
    async def main() -> None:
        ear = Ear()
        known = [SERVED, STREAMS / "10a-blind-transfer-to-sales.ami.gz"]
        async with Simulator(recordings=known) as simulator, listening(simulator, ear) as client:
            items = await client.listing("QueueStatus")
            only = await client.listing("QueueStatus", [("Queue", "sales")])

            members = {(m.get("Queue"), m.get("Location")): m for m in items if m.name == "QueueMember"}
            agent = members["support", "PJSIP/agent1"]
            assert {queue for queue, _ in members} == {"support", "sales", "full", "leave"}
            assert (agent.get("Name"), agent.get("Status"), agent.get("Paused")) == ("Agent One", "1", "0")
            assert [item.name for item in only] == ["QueueParams", "QueueMember"]
            assert await client.listing("CoreShowChannels") == []

    run(main())


def test_calls_whose_end_was_not_recorded_go_on() -> None:
    async def main() -> None:
        ear = Ear()
        async with Simulator() as simulator, listening(simulator, ear) as client:
            names = await simulator.play(CUT_SHORT, speed=math.inf)
            channels = await client.listing("CoreShowChannels")
            entries = [one for one in await client.listing("QueueStatus") if one.name == "QueueEntry"]
            caller = channels[0]
            found = await client.action("Setvar", [("Channel", caller.get("Channel")), ("Variable", "A")])
            simulator.state.clear()
            everywhere = await client.action("Setvar", [("Variable", "A"), ("Value", "1")])

            assert caller.get("Uniqueid") in names.values()
            assert caller.get("Linkedid") == caller.get("Uniqueid")
            assert (caller.get("Application"), caller.get("ApplicationData")) == ("Queue", "support,,,,60")
            assert re.fullmatch(r"00:00:0\d", caller.get("Duration"))
            assert caller.get("BridgeId") in names.values()
            assert [entry.get("Position") for entry in entries] == ["1"]
            assert entries[0].get("Uniqueid") in {channel.get("Uniqueid") for channel in channels}
            assert (found.get("Response"), everywhere.get("Response")) == ("Success", "Success")
            assert await client.listing("CoreShowChannels") == []
            with pytest.raises(ActionFailed, match="No such channel"):
                await client.action("Setvar", [("Channel", caller.get("Channel")), ("Variable", "A")])

    run(main())


def test_a_call_changes_the_state_step_by_step() -> None:
    simulator = Simulator()
    state, waiting, channels, busy = simulator.state, [], [], []
    for after_s, event in Recording.load(ABANDONED).events:
        state.feed(event, after_s)
        waiting.append(len(state.waiting))
        channels.append(len(state.channels))
        busy.append({member["Status"] for member in state.members.values()})

    assert max(waiting) == 1
    assert max(channels) == 2
    assert any(statuses - {"1"} for statuses in busy)  # ringing
    assert (waiting[-1], channels[-1]) == (0, 0)
    assert [name for name, _ in state.queue_status(0)] == ["QueueParams", "QueueMember"] * len(state.queues)


def test_after_a_recording_its_agents_are_free_however_it_ended() -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            await simulator.play(CUT_SHORT, speed=math.inf)

            assert {member["Status"] for member in simulator.state.members.values()} == {"1"}

    run(main())


@pytest.mark.parametrize(
    ("action", "headers", "sentence"),
    [
        ("Nosuch", [], "Invalid/unknown command: Nosuch"),
        ("DBGet", [("Family", "lcr"), ("Key", "1")], "Database entry not found"),
        ("DBGet", [("Family", "other"), ("Key", "42")], "Database entry not found"),
        ("Originate", LEGS, "no recording of such a call"),
    ],
)
def test_what_it_cannot_do_is_an_error(action: str, headers: list[tuple[str, str]], sentence: str) -> None:
    async def main() -> None:
        ear = Ear()
        async with Simulator(tickets={"42": "ringing"}) as simulator, listening(simulator, ear) as client:
            with pytest.raises(ActionFailed, match=sentence):
                await client.action(action, headers)

    run(main())


def test_a_wrong_secret_is_refused() -> None:
    async def main() -> None:
        async with Simulator(account=("lab", "other")) as simulator:
            with pytest.raises(LoginRefused, match="Authentication failed"):
                await client_of(simulator.port, Ear()).run()

    run(main())


# Placing a callback


def test_an_originate_of_ours_plays_the_recorded_callback_as_that_attempt() -> None:
    async def main() -> None:
        ear = Ear()
        recorded = Recording.load(CALLBACK)
        async with (
            Simulator(callback=CallbackPlay(CALLBACK, math.inf, talk_s=12)) as simulator,
            listening(simulator, ear) as client,
        ):
            answer = await client.action("Originate", [("ActionID", "o1"), *LEGS])
            await simulator.idle()
            await ear.until(heard=1 + len(recorded.events))
            (ticket,) = await client.listing("DBGet", [("Family", "lcr"), ("Key", "42")])

            events = [message for message, _ in ear.heard[1:]]
            linked = {event.get("Linkedid") for event in events if event.get("Linkedid")}
            (response,) = [event for event in events if event.name == "OriginateResponse"]
            variables = {e.get("Variable"): e.get("Value") for e in events if e.get("Uniqueid") == "lcr-42-1"}
            assert answer.get("Message") == "Originate successfully queued"
            assert [event.name for event in events] == [event.name for _, event in recorded.events]
            assert linked == {"lcr-42-1"}
            assert {"lcr-42-1", "lcr-42-2"} < {event.get("Uniqueid") for event in events}
            assert response.get("ActionID") == "o1"
            assert (response.get("Response"), response.get("Uniqueid")) == ("Success", "lcr-42-1")
            assert variables["__CALLBACK_ID"] == "42"
            assert ticket.get("Val") == "ended:ANSWER:16:12"
            assert not any(b"cb11a" in event.raw for event in events)

    run(main())


def test_the_ticket_takes_its_course() -> None:
    written = []

    class Tickets(dict[str, str]):
        def __setitem__(self, attempt: str, value: str) -> None:
            written.append((attempt, value))
            super().__setitem__(attempt, value)

    async def main() -> None:
        async with Simulator(callback=CallbackPlay(CALLBACK, math.inf), tickets=Tickets()) as simulator:
            simulator.originate(Message(b"Action: Originate"), "42")
            await simulator.idle()

    run(main())
    assert list(dict.fromkeys(written)) == [
        *(("42", "ringing"), ("42", "answered"), ("42", "ended:ANSWER:16:30")),
    ]


@pytest.mark.parametrize(("given", "ended"), [({}, "ended:BUSY::"), ({"42": "ringing"}, "ringing")])
def test_a_ticket_that_the_test_gives_stays(given: dict[str, str], ended: str) -> None:
    async def main() -> None:
        async with Simulator(callback=CallbackPlay(BUSY, math.inf), tickets=given) as simulator:
            simulator.originate(Message(b"Action: Originate"), "42")
            await simulator.idle()

            assert given == {"42": ended}

    run(main())


def test_our_own_contexts_say_how_it_ended(tmp_path: Path) -> None:
    ended = (
        b"Event: UserEvent\r\nUniqueid: cb11a-1\r\nLinkedid: cb11a-1\r\nUserEvent: LcrEnded\r\n"
        b"CallbackId: cb11a\r\nDialStatus: ANSWER\r\nHangupCause: 16\r\nAnsweredTime: 4\r\n\r\n"
    )
    path = tmp_path / "own.ami"
    path.write_bytes(gzip.decompress(CALLBACK.read_bytes()) + ended)

    async def main() -> None:
        ear = Ear()
        async with (
            Simulator(callback=CallbackPlay(path, math.inf)) as simulator,
            listening(simulator, ear) as client,
        ):
            await client.action("Originate", LEGS)
            await simulator.idle()
            await ear.until(heard=2 + len(Recording.load(CALLBACK).events))

            last = ear.heard[-1][0]
            assert (last.get("CallbackId"), last.get("Uniqueid")) == ("42", "lcr-42-1")
            assert simulator.tickets["42"] == "ended:ANSWER:16:4"

    run(main())


def test_the_id_of_a_live_channel_is_refused_as_asterisk_does() -> None:
    async def main() -> None:
        ear = Ear()
        async with (
            Simulator(callback=CallbackPlay(CALLBACK, 1.0)) as simulator,
            listening(simulator, ear) as client,
        ):
            await client.action("Originate", LEGS)
            await client.action("Setvar", [("Channel", "lcr-42-1"), ("Variable", "A")])  # it lives
            await client.action("Originate", [("ActionID", "again"), *LEGS])
            heard = len(ear.heard)
            while not any(m.name == "OriginateResponse" for m, _ in ear.heard):
                heard += 1
                await ear.until(heard=heard)

            refused = next(m for m, _ in ear.heard if m.name == "OriginateResponse")
            assert (refused.get("ActionID"), refused.get("Response")) == ("again", "Failure")
            assert (refused.get("Reason"), refused.get("Uniqueid")) == ("0", "lcr-42-1")

    run(main())


def test_a_played_recording_of_a_callback_becomes_one_of_ours() -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            first, second = [await simulator.play(CALLBACK, speed=math.inf) for _ in range(2)]

            assert first["cb11a-1"] == "lcr-cb11a0001-1"
            assert re.fullmatch(r"lcr-cb11a\d{4,}-2", second["cb11a-2"])
            assert first["cb11a-1"] != second["cb11a-1"]

    run(main())


# Its clients


async def _raw(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def _until_closed(reader: asyncio.StreamReader) -> list[Message]:
    parser, messages = Parser(), []
    while data := await reader.read(65536):
        messages += parser.feed(data)
    return messages


def test_before_the_login_nothing_but_it_is_answered() -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            reader, writer = await _raw(simulator.port)
            writer.write(b"Action: Ping\r\n\r\nAction: Login\r\nUsername: lab\r\nSecret: wrong\r\n\r\n")
            messages = await _until_closed(reader)
            writer.close()

            said = [(message.get("Response"), message.get("Message")) for message in messages]
            assert said == [("Error", "Permission denied"), ("Error", "Authentication failed")]

    run(main())


def test_events_can_be_switched_off() -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            reader, writer = await _raw(simulator.port)
            writer.write(b"Action: Login\r\nUsername: lab\r\nSecret: lab\r\nEvents: off\r\n\r\n")
            await simulator.somebody()
            await simulator.play(SERVED, speed=math.inf)
            writer.write(b"Action: Events\r\nEventMask: on\r\n\r\nAction: Logoff\r\n\r\n")
            messages = await _until_closed(reader)
            writer.close()

            assert [message.name or message.get("Response") for message in messages] == [
                *("Success", "FullyBooted", "Success", "Goodbye"),
            ]
            assert [action.get("Action") for action in simulator.actions] == ["Login", "Events", "Logoff"]

    run(main())


def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def main() -> None:
        async with Simulator(write_timeout_s=0.05) as simulator:
            with socket.create_connection(("127.0.0.1", simulator.port)) as deaf:
                deaf.sendall(b"Action: Login\r\nUsername: lab\r\nSecret: lab\r\n\r\n")
                await simulator.somebody()
                for _ in range(40):
                    await simulator.send(b"Event: Flood\r\nPad: " + b"x" * 500_000 + b"\r\n\r\n")
                reader, writer = await _raw(simulator.port)  # others are served
                writer.write(b"Action: Logoff\r\n\r\n")
                (goodbye,) = await _until_closed(reader)
                writer.close()

                assert goodbye.get("Response") == "Goodbye"
                assert _cut(deaf)

    run(main())


def _cut(connection: socket.socket) -> bool:
    connection.settimeout(1)
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionError:
        return True
    return True


def test_everybody_can_be_cut_off_and_come_back() -> None:
    async def main() -> None:
        ear = Ear()
        async with Simulator() as simulator, listening(simulator, ear) as client:
            await simulator.disconnect()
            await ear.until(downs=1, ups=2)
            await simulator.somebody()

            assert client.up

    run(main())


# The command line


def test_the_command_line_prints_its_port_first_and_plays() -> None:
    command = [sys.executable, "-m", "telephony.simulator", "--play", str(ABANDONED), str(SERVED), "--speed", "inf"]
    with child(command) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())

        async def main() -> None:
            ear = Ear()
            async with running(client_of(port, ear)):
                await ear.until(heard=1 + 77 + 147)

            assert ear.names.count("QueueCallerAbandon") == 1
            assert ear.names.count("AgentComplete") == 1

        run(main())
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [(["--help"], 0, "It is no Asterisk"), (["--play", "nosuch.ami.gz"], 1, "nosuch.ami.gz cannot be read")],
)
def test_the_command_line_explains_itself(arguments: list[str], status: int, said: str) -> None:
    command = [sys.executable, "-m", "telephony.simulator", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == status
    assert said in done.stdout + done.stderr
