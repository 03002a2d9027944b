"""A small manager server that plays recorded streams: for tests, and for machines without an Asterisk.

It is no Asterisk: no call exists in it. Its greeting names the manager's version, because clients look for
that, but `CoreSettings` and `CoreStatus` give "recorded-streams" as SystemName. What it plays is made from
recordings (`telephony.simulator.recording`); what it answers about channels, queues and members follows from what it
has played (`telephony.simulator.pbx_state`).

    python -m telephony.simulator --port 0 --play FILE... --speed 1

prints the port it listens on as its first line, then plays the files to whoever logs in.
"""

import argparse
import asyncio
import itertools
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from telephony.ami.protocol import MESSAGE_END, Message, ProtocolError
from telephony.errors import TelephonyError
from telephony.simulator.pbx_state import PbxState
from telephony.simulator.recording import Playback, Recording
from telephony.simulator.session import Session

WRITE_TIMEOUT_S = 5.0
"""Seconds after which a client that does not read is cut off, as Asterisk does (`writetimeout`)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallbackPlay:
    """The recording that an Originate of ours plays, and how many times faster than it was.

    The customer who answers talks for `talk_s` seconds, unless the recording's own context says how long.
    """

    path: Path
    speed: float = 1.0
    talk_s: int = 30


class Simulator:
    """Serves on loopback while entered; `port` is then the port that it listens on.

    `account` is the user name and the secret of the manager. `recordings` are known from the start: their queues and
    members exist, free, before anything is played. `tickets` answers DBGet in family `lcr`: attempt → value; one that
    is not given is written while the callback is played. `actions` are the last 1,000 that were received.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        account: tuple[str, str] = ("lab", "lab"),
        recordings: Iterable[Path] = (),
        callback: CallbackPlay | None = None,
        tickets: dict[str, str] | None = None,
        write_timeout_s: float = WRITE_TIMEOUT_S,
    ) -> None:
        self.port = port
        self.account = account
        self.tickets = {} if tickets is None else tickets
        self.actions: deque[Message] = deque(maxlen=1000)
        self.state = PbxState()
        self.callback = None if callback is None else Recording.load(callback.path)
        self._speed, self._talk_s = (callback.speed, callback.talk_s) if callback else (1.0, 0)
        self.write_timeout_s = write_timeout_s
        self.started_at = datetime.now(UTC).astimezone()
        self._serial = itertools.count(1)
        self._sessions: set[Session] = set()
        self._plays: set[asyncio.Task[None]] = set()
        self._somebody = asyncio.Event()
        self._server: asyncio.Server | None = None
        for known in (*map(Recording.load, recordings), *filter(None, [self.callback])):
            self.state.learn(known)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for play in self._plays:
            play.cancel()
        await asyncio.gather(*self._plays, return_exceptions=True)
        await self.disconnect()

    async def disconnect(self) -> None:
        """End all connections without a word, as a killed PBX does. The server accepts new ones."""
        sessions = list(self._sessions)
        for session in sessions:
            session.cut()
        await asyncio.gather(*(session.ended.wait() for session in sessions))

    async def somebody(self) -> None:
        """Wait until somebody is logged in."""
        await self._somebody.wait()

    async def idle(self) -> None:
        """Wait until every callback that was asked for is over."""
        if self._plays:
            await asyncio.wait(self._plays)

    async def play(
        self, path: Path, *, speed: float = 1.0, rename: Callable[[bytes], bytes] = lambda raw: raw
    ) -> dict[str, str]:
        """Play a recording to all clients that are logged in; give its names of calls, channels and bridges now.

        `speed` is how many times faster than it happened; `math.inf` is without pauses. `rename` may change
        each event's bytes further, a caller's number for example. Raises RecordingError.
        """
        recording = Recording.load(path)
        playback = Playback(recording, self._serial, recording.shift_s(time.time(), speed))
        await self._play(recording, playback, speed, rename=rename)
        return playback.names

    def originate(self, action: Message, attempt: str) -> None:
        """Play the recorded callback as that attempt, beside everything else."""
        if self.callback is not None:
            play = asyncio.create_task(self.play_callback(self.callback, action, attempt))
            self._plays.add(play)
            play.add_done_callback(self._plays.discard)

    async def play_callback(self, recording: Recording, action: Message, attempt: str) -> None:
        """Play a recorded callback as that attempt; return when it is over."""
        own = (attempt, action.get("ActionID"))
        playback = Playback(recording, self._serial, recording.shift_s(time.time(), self._speed), own)
        ticket_of = None if attempt in self.tickets else attempt
        await self._play(recording, playback, self._speed, ticket_of=ticket_of)

    async def send(self, *events: bytes) -> None:
        """Send events, each with its empty line, to whoever is logged in and listens."""
        await asyncio.gather(*(session.send(*events) for session in self._sessions if session.listens))

    async def _play(
        self,
        recording: Recording,
        playback: Playback,
        speed: float,
        *,
        rename: Callable[[bytes], bytes] = lambda raw: raw,
        ticket_of: str | None = None,
    ) -> None:
        self.state.learn(recording)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for after_s, event in recording.events:
            if (early_s := began + after_s / speed - loop.time()) > 0:
                await asyncio.sleep(early_s)
            raw = rename(playback.tell(event, after_s))
            now = Message(raw.removesuffix(MESSAGE_END))
            self.state.feed(now, time.time())
            if ticket_of is not None:
                self._write_ticket(ticket_of, now)
            await self.send(raw)
        self.state.free(recording)

    def _write_ticket(self, attempt: str, event: Message) -> None:
        """Write the ticket as the dialplan does: from the events of the leg that dials the customer."""
        about = (event.name, event.get("Uniqueid"))
        leg = f"lcr-{attempt}-1"
        if about == ("DialBegin", leg):
            self.tickets[attempt] = "ringing"
        elif about == ("DialEnd", leg):
            status = event.get("DialStatus")
            self.tickets[attempt] = "answered" if status == "ANSWER" else f"ended:{status}::"
        elif about == ("Hangup", leg) and self.tickets.get(attempt) == "answered":
            self.tickets[attempt] = f"ended:ANSWER:16:{self._talk_s}"
        elif about == ("UserEvent", leg) and event.get("UserEvent") == "LcrEnded":
            words = [event.get(key) for key in ("DialStatus", "HangupCause", "AnsweredTime")]
            self.tickets[attempt] = ":".join(["ended", *words])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, writer)
        self._sessions.add(session)
        try:
            await session.live(reader)
        except (ConnectionError, ProtocolError) as error:
            log.info("a client went: %s", error)
        finally:
            self._sessions.discard(session)
            await session.part()
            session.ended.set()
            if not any(other.logged_in for other in self._sessions):
                self._somebody.clear()

    def welcome(self) -> None:
        """Somebody has logged in."""
        self._somebody.set()


async def serve(options: argparse.Namespace) -> None:
    """Play the files of the command line to the first who logs in, then serve until interrupted."""
    simulator = Simulator(
        port=options.port,
        account=(options.username, options.secret),
        recordings=options.play,
        callback=CallbackPlay(options.callback, options.speed) if options.callback else None,
    )
    async with simulator:
        sys.stdout.write(f"{simulator.port}\n")
        sys.stdout.flush()
        await simulator.somebody()
        for path in options.play:
            await simulator.play(path, speed=options.speed)
        await asyncio.Event().wait()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m telephony.simulator",
        description="A manager server on 127.0.0.1 that plays recorded streams. It is no Asterisk.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--play", type=Path, nargs="+", default=[], metavar="FILE", help="captures, plain or .gz")
    parser.add_argument("--callback", type=Path, metavar="FILE", help="capture that an Originate plays")
    parser.add_argument("--speed", type=float, default=1.0, help="times faster than recorded; inf for no pauses")
    parser.add_argument("--username", default="lab")
    parser.add_argument("--secret", default="lab")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        return 0
    except (TelephonyError, OSError) as error:
        sys.stderr.write(f"{error}\n")
    return 1
