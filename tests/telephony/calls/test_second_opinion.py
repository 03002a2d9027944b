"""asterisk-ami 0.1.7 reads what we read: an independent client beside our parser, and a guest of our server.

The two tables name every difference between the readings. One that is in neither fails the test, and so does
a line of the tables that no longer holds. docs/adr/0002 shows both.
"""

import asyncio
import gzip
import math
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from asterisk.ami import Action, AMIClient, SimpleAction

from telephony.ami.protocol import Message, Parser
from telephony.simulator.server import CallbackPlay, Simulator
from tests.telephony.ami.manager import BANNER, run

STREAMS = Path(__file__).parents[2] / "streams"
RECORDINGS = sorted(STREAMS.glob("*.ami.gz"))

# It still calls Condition.notifyAll, in its own thread, where the warning as an error would end that thread.
pytestmark = pytest.mark.filterwarnings("ignore:notifyAll:DeprecationWarning")


@dataclass
class Reading:
    """What asterisk-ami made of one message: an event, a response, or something that it does not know."""

    kind: str
    name: str = ""
    headers: dict[str, object] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


@dataclass
class Guest:
    """The real client, with everything that it tells its listener."""

    client: AMIClient
    readings: list[Reading]
    errors: list[BaseException | None]
    ended: threading.Event


def guest_of(port: int, timeout_s: float = 10.0, **listener: Callable[..., None]) -> Guest:
    readings: list[Reading] = []
    errors: list[BaseException | None] = []
    ended = threading.Event()

    def on_disconnect(error: BaseException | None = None, **_: object) -> None:
        errors.append(error)
        ended.set()

    client = AMIClient(
        port=port,
        timeout=timeout_s,
        **{
            "on_event": lambda event, **_: readings.append(Reading("event", event.name, dict(event.keys))),
            "on_response": lambda response, **_: readings.append(
                Reading("response", response.status, dict(response.keys), list(response.follows))
            ),
            "on_unknown": lambda pack, **_: readings.append(Reading("unknown", pack)),
            "on_disconnect": on_disconnect,
            **listener,
        },
    )
    return Guest(client, readings, errors, ended)


@contextmanager
def serving(data: bytes, *, then_close: bool = True) -> Iterator[tuple[int, Callable[[], socket.socket]]]:
    """Send these bytes to the first who connects; give the port, and how to get the connection."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            accepted.append(connection)
            connection.sendall(data)
            if then_close:
                connection.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=serve)
        thread.start()

        def connection() -> socket.socket:
            thread.join(10)
            return accepted[0]

        try:
            yield server.getsockname()[1], connection
        finally:
            connection().close()


def their_reading(data: bytes) -> list[Reading]:
    with serving(data) as (port, _):
        guest = guest_of(port)
        guest.client.connect()
        assert guest.ended.wait(10)
        guest.client.disconnect()
    return guest.readings


def our_reading(data: bytes) -> list[Message]:
    return Parser().feed(data)


# The recordings


@dataclass(frozen=True)
class Difference:
    """Where the two readings of one message part; `key` is empty where it is the message as a whole."""

    ours: Message
    theirs: Reading
    key: str = ""


@dataclass(frozen=True)
class Explained:
    what: str
    why: str
    holds: Callable[[Difference], bool]


IN_RECORDINGS = (
    Explained(
        "an event after an empty line too many is lost to it",
        "Debian's build ends TestEvent RINGING_INBAND with two empty lines. It takes the second for the "
        "beginning of the next message, which it then does not know. To ours it belongs to no message.",
        lambda d: d.theirs.kind == "unknown" and d.theirs.name.encode() == b"\r\n" + d.ours.raw and d.ours.name != "",
    ),
    Explained(
        "of a repeated header it keeps the last",
        "TestEvent has State twice. Ours keeps both, get() gives the first, repeated() tells.",
        lambda d: d.ours.count(d.key) > 1 and d.theirs.headers.get(d.key) == d.ours.all(d.key)[-1],
    ),
)


def differences(message: Message, reading: Reading) -> Iterator[Difference]:
    (first, name), *headers = message.headers
    if (reading.kind, reading.name) != (first.lower(), name) or reading.rest:
        yield Difference(message, reading)
        return
    ours: dict[str, list[str]] = {}
    for key, value in headers:
        ours.setdefault(key, []).append(value)
    for key in ours.keys() | reading.headers.keys():
        if ours.get(key) != [reading.headers.get(key)]:
            yield Difference(message, reading, key)


def test_both_read_every_recording_alike_but_for_what_is_explained() -> None:
    used: Counter[str] = Counter()
    for path in RECORDINGS:
        data = gzip.decompress(path.read_bytes())
        ours, theirs = our_reading(data), their_reading(data)
        assert len(ours) == len(theirs) > 0, path.name
        for message, reading in zip(ours, theirs, strict=True):
            for difference in differences(message, reading):
                why = [row.what for row in IN_RECORDINGS if row.holds(difference)]
                assert why, f"{path.name}: unexplained: {difference}"
                used[why[0]] += 1

    assert len(RECORDINGS) >= 41
    assert set(used) == {row.what for row in IN_RECORDINGS}  # a line that nothing needs is no explanation


# What a caller, or an unusual PBX, can put into a stream. Values are what both make of the bytes.


@dataclass(frozen=True)
class Hostile:
    what: str
    data: bytes
    theirs: list[Reading]
    ours: list[list[tuple[str, str]]]


def event(name: str, **headers: object) -> Reading:
    return Reading("event", name, headers)


HOSTILE = (
    Hostile(
        "a Unicode line separator in a name forges a header",
        b"Event: N\r\nCallerIDName: a\xe2\x80\xa8Uniqueid: 666.1\r\nLinkedid: 1\r\n\r\n",
        [event("N", CallerIDName="a", Uniqueid="666.1", Linkedid="1")],
        [[("Event", "N"), ("CallerIDName", "a\u2028Uniqueid: 666.1"), ("Linkedid", "1")]],
    ),
    Hostile(
        "so does a vertical tab (and 1C-1E, 85, a form feed)",
        b"Event: N\r\nCallerIDName: a\x0bUniqueid: 666.1\r\n\r\n",
        [event("N", CallerIDName="a", Uniqueid="666.1")],
        [[("Event", "N"), ("CallerIDName", "a\x0bUniqueid: 666.1")]],
    ),
    Hostile(
        "so does a bare LF",
        b"Event: N\r\nCallerIDName: a\nUniqueid: 666.1\r\n\r\n",
        [event("N", CallerIDName="a", Uniqueid="666.1")],
        [[("Event", "N"), ("CallerIDName", "a\nUniqueid: 666.1")]],
    ),
    Hostile(
        "so does a bare CR",
        b"Event: N\r\nCallerIDName: a\rUniqueid: 666.1\r\n\r\n",
        [event("N", CallerIDName="a", Uniqueid="666.1")],
        [[("Event", "N"), ("CallerIDName", "a\rUniqueid: 666.1")]],
    ),
    Hostile(
        "a header that was forged by CRLF cannot be told from the real one",
        b"Event: N\r\nUniqueid: 666.1\r\nUniqueid: 1.1\r\n\r\n",
        [event("N", Uniqueid="1.1")],
        [[("Event", "N"), ("Uniqueid", "666.1"), ("Uniqueid", "1.1")]],
    ),
    Hostile(
        "a forged goodbye ends its reader for good",
        b"Event: A\r\n\r\nResponse: Goodbye\r\n\r\nEvent: B\r\n\r\n",
        [event("A"), Reading("response", "Goodbye")],
        [[("Event", "A")], [("Response", "Goodbye")], [("Event", "B")]],
    ),
    Hostile(
        "a broken byte is replaced, which hides what was sent",
        b"Event: N\r\nCallerIDName: Ren\xe9\r\nCity: \xe6\x9d\xb1\r\n\r\n",
        [event("N", CallerIDName="Ren\ufffd", City="東")],
        [[("Event", "N"), ("CallerIDName", "René"), ("City", "東")]],
    ),
    Hostile(
        "a line without colon and space is dropped",
        b"Event: N\r\nUniqueid:1.1\r\nno colon\r\n\r\n",
        [event("N")],
        [[("Event", "N"), ("Uniqueid", "1.1"), ("", "no colon")]],
    ),
    Hostile(
        "a response is stripped, repeated values are joined, nothing is read after a key with a space",
        b"Response: Success\r\nMessage:  x \r\nOutput: a\r\nOutput: b\r\nA key: 1\r\nActionID: 5\r\n\r\n",
        [Reading("response", "Success", {"Message": "x", "Output": "a\nb"}, ["A key: 1", "ActionID: 5"])],
        [
            [
                *(("Response", "Success"), ("Message", " x "), ("Output", "a"), ("Output", "b")),
                *(("A key", "1"), ("ActionID", "5")),
            ]
        ],
    ),
    Hostile(
        "variables of a channel become a mapping",
        b"Event: N\r\nChanVariable: a=1\r\nChanVariable: b=2\r\n\r\n",
        [event("N", ChanVariable={"a": "1", "b": "2"})],
        [[("Event", "N"), ("ChanVariable", "a=1"), ("ChanVariable", "b=2")]],
    ),
    Hostile(
        "names are matched without regard to case",
        b"event: N\r\nK: v\r\n\r\n",
        [event("N", K="v")],
        [[("event", "N"), ("K", "v")]],
    ),
    Hostile(
        "a message cut off is dropped by both",
        b"Event: N\r\nK: v\r\n\r\nEvent: Hangup\r\nUniq",
        [event("N", K="v")],
        [[("Event", "N"), ("K", "v")]],
    ),
)


@pytest.mark.parametrize("row", HOSTILE, ids=lambda row: row.what)
def test_both_readings_of_hostile_bytes_are_as_explained(row: Hostile) -> None:
    data = BANNER + row.data

    assert their_reading(data) == row.theirs
    assert [message.headers for message in our_reading(data)] == row.ours


# Why it does not listen for us


def test_it_goes_deaf_after_a_silence() -> None:
    with serving(BANNER, then_close=False) as (port, connection):
        guest = guest_of(port, timeout_s=0.1)  # 3 s by default
        guest.client.connect()
        assert guest.ended.wait(10)

        assert isinstance(guest.errors[0], TimeoutError)
        assert _still_open(connection())
        guest.client.disconnect()


def test_it_goes_deaf_when_a_listener_raises_and_leaves_the_socket_open() -> None:
    def raises(**_: object) -> None:
        raise ZeroDivisionError

    with serving(BANNER + b"Event: A\r\n\r\nEvent: B\r\n\r\n", then_close=False) as (port, connection):
        guest = guest_of(port, on_event=raises)
        guest.client.connect()
        assert guest.ended.wait(10)

        assert isinstance(guest.errors[0], ZeroDivisionError)
        assert not guest.readings
        assert _still_open(connection())
        guest.client.disconnect()


def _still_open(connection: socket.socket) -> bool:
    connection.settimeout(0.2)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True


def test_it_lets_a_value_forge_an_action() -> None:
    sent = str(SimpleAction("Originate", Exten="1\r\nAction: Command\r\nCommand: core stop now"))

    assert sent.count("Action: ") == 2


# As a guest of the simulator


def test_it_is_satisfied_with_our_simulator() -> None:
    callback = STREAMS / "11a-agent-first-success.ami.gz"
    played = STREAMS / "03a-abandon-ringing.ami.gz"

    async def main() -> None:
        async with Simulator(callback=CallbackPlay(callback, math.inf)) as simulator:
            guest = guest_of(simulator.port)

            async def ask(name: str, **keys: str) -> dict[str, str]:
                response = await asyncio.to_thread(lambda: guest.client.send_action(Action(name, keys)).response)
                assert response is not None, name
                return {"Response": response.status, **response.keys}

            login = await asyncio.to_thread(lambda: guest.client.login("lab", "lab").response)
            pong = await ask("Ping")
            await simulator.play(played, speed=math.inf)
            queues = await ask("QueueStatus", ActionID="q1")
            missing = await ask("DBGet", Family="lcr", Key="42")
            legs = {"ChannelId": "lcr-42-1", "OtherChannelId": "lcr-42-2"}
            originate = await ask("Originate", ActionID="o1", Channel="Local/s@lcr-agent/n", **legs)
            await simulator.idle()
            await ask("DBGet", Family="lcr", Key="42", ActionID="d1")
            goodbye = await asyncio.to_thread(lambda: guest.client.logoff().response)
            await asyncio.to_thread(guest.ended.wait, 10)
            guest.client.disconnect()

        assert not login.is_error()
        assert (pong["Response"], pong["Ping"]) == ("Success", "Pong")
        assert (queues["Response"], queues["EventList"]) == ("Success", "start")
        assert missing["Response"] == "Error"
        assert originate["Response"] == "Success"
        assert goodbye.status == "Goodbye"
        assert guest.errors == [None]

        events = [reading for reading in guest.readings if reading.kind == "event"]
        names = Counter(reading.name for reading in events)
        assert not [reading for reading in guest.readings if reading.kind == "unknown"]
        assert names["QueueCallerAbandon"] == names["FullyBooted"] == 1
        answers = {reading.name: reading.headers for reading in events if reading.headers.get("ActionID")}
        assert answers["QueueStatusComplete"]["ActionID"] == "q1"
        assert (answers["OriginateResponse"]["ActionID"], answers["OriginateResponse"]["Response"]) == (
            "o1",
            "Success",
        )
        assert answers["DBGetResponse"]["Val"] == "ended:ANSWER:16:30"
        hangups = [reading.headers["Uniqueid"] for reading in events if reading.name == "Hangup"]
        assert {"lcr-42-1", "lcr-42-2"} <= set(hangups)

    run(main())
