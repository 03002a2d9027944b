"""The connection that stays, against managers that do what they should not."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from telephony.ami.client import (
    Account,
    ActionFailed,
    ActionRefused,
    ActionTimeout,
    Backoff,
    Client,
    Handlers,
    Limits,
    LoginRefused,
    NotConnected,
)
from telephony.ami.protocol import Message
from telephony.listening.journal import JournalFull
from tests.telephony.ami.manager import BANNER, BOOTED, Ear, Manager, Peer, numbered, run, running, until
from tests.telephony.wire import written

QUICK = (0.01, 0.05)


def one_by_one(
    on_message: Callable[[Message, int], Awaitable[None]],
) -> Callable[[list[Message], int], Awaitable[None]]:
    async def on_messages(messages: list[Message], arrived_at: int) -> None:
        for message in messages:
            await on_message(message, arrived_at)

    return on_messages


def client_of(port: int, ear: Ear, **settings: object) -> Client:
    handlers = Handlers(ear.on_messages, ear.on_up, ear.on_down)
    if (on_message := settings.pop("on_message", None)) is not None:
        settings["on_messages"] = one_by_one(on_message)  # type: ignore[arg-type]
    called = {name: settings.pop(name) for name in list(settings) if hasattr(handlers, name)}
    limits = Limits(**{"backoff_s": QUICK, **settings})  # type: ignore[arg-type]
    account = Account("127.0.0.1", port, "lcr", "hunter2")
    return Client(account, replace(handlers, **called), limits, clock=lambda: 1_700_000_000_000_000)  # type: ignore[arg-type]


async def connected(manager: Manager, ear: Ear) -> Peer:
    peer = await manager.accept()
    await peer.log_in()
    await ear.until(ups=ear.ups + 1)
    return peer


# Logging in


def test_logs_in_and_hears_in_order() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await manager.accept()
            login = await peer.log_in()
            peer.send(numbered(0, 500))
            await ear.until(ups=1, heard=501)

            assert login.headers[2:] == [("Username", "lcr"), ("Secret", "hunter2")]
            assert client.up
            assert ear.names[0] == "FullyBooted"
            assert [message.get("Number") for message, _ in ear.heard[1:]] == [str(n) for n in range(500)]
            assert {at for _, at in ear.heard} == {1_700_000_000_000_000}
            assert (client.stats.messages, client.stats.reconnects, client.stats.held_bytes) == (502, 0, 0)
            assert client.stats.bytes > 500 * len(numbered(0, 1))

    run(main())


def test_nothing_is_said_before_the_banner() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client_of(manager.port, ear)):
            peer = await manager.accept()
            peer.send(BANNER[:9])
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await peer.action()
            peer.send(BANNER[9:])

            assert (await peer.action()).get("Action") == "Login"

    run(main())


def test_a_refused_login_stops_and_says_whose() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager:
            task = asyncio.create_task(client_of(manager.port, ear).run())
            peer = await manager.accept()
            peer.send(BANNER)
            login = await peer.action("Login")
            peer.answer(login, b"Message: Authentication failed\r\n", response=b"Error")
            with pytest.raises(LoginRefused) as refused:
                await task
            await peer.gone()

            sentence = str(refused.value)
            for part in ("lcr", f"127.0.0.1:{manager.port}", "Authentication failed", "username and secret"):
                assert part in sentence
            assert "hunter2" not in sentence
            assert (manager.waiting, ear.ups, ear.downs) == (0, 0, [])

    run(main())


def test_login_is_not_up_before_fully_booted() -> None:
    async def main() -> None:
        ear = Ear()
        settings = {"ping_every_s": 0.02}
        async with Manager() as manager, running(client := client_of(manager.port, ear, **settings)):
            peer = await manager.accept()
            await peer.log_in(booted=False)
            peer.send(numbered(0, 1))
            await ear.until(heard=1)
            ping = await peer.action("Ping")  # a booting PBX is watched already
            assert not client.up
            with pytest.raises(NotConnected):
                await client.action("CoreStatus")
            assert ear.ups == 0

            peer.answer(ping)
            peer.send(BOOTED)
            await ear.until(ups=1)
            assert client.up

    run(main())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "no greeting within 0.1 s"),
        (b"Asterisk Call Mana", "no greeting within 0.1 s"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "no Asterisk manager"),
        (BANNER, "did not answer action Login within 0.1 s"),
        (BANNER + b"Event: Half\r\nKey: va", "did not answer action Login within 0.1 s"),
    ],
)
def test_every_step_of_connecting_has_a_deadline(said: bytes, reason: str) -> None:
    async def main() -> None:
        ear = Ear()
        settings = {"connect_timeout_s": 0.1}
        async with Manager() as manager, running(client_of(manager.port, ear, **settings)):
            peer = await manager.accept()
            peer.send(said)
            await ear.until(downs=1)
            await peer.gone()
            await manager.accept()  # and it comes back

            assert reason in ear.downs[0]

    run(main())


def test_booting_has_a_deadline_that_names_the_remedy() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client_of(manager.port, ear, boot_timeout_s=0.05)):
            peer = await manager.accept()
            await peer.log_in(booted=False)
            await ear.until(downs=1)
            await peer.gone()

            assert "no FullyBooted within 0.05 s" in ear.downs[0]
            assert "read class system" in ear.downs[0]

    run(main())


def test_a_pbx_that_is_not_there_is_told_each_time() -> None:
    async def main() -> None:
        ear = Ear()
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            async with running(client := client_of(unused.getsockname()[1], ear)):
                await ear.until(downs=3)

                assert all("cannot connect" in reason for reason in ear.downs)
                assert client.stats.reconnects >= 2
                with pytest.raises(NotConnected, match="wait until the PBX is back"):
                    await client.action("Ping")

    run(main())


# Losing the connection


def test_what_was_read_is_delivered_before_the_loss_is_told() -> None:
    async def main() -> None:
        ear = Ear()
        order: list[str] = []

        async def slow(message: Message, _at: int) -> None:
            await asyncio.sleep(0)
            order.append(message.get("Number"))

        async def down(reason: str) -> None:
            order.append("down")
            await ear.on_down(reason)

        async with Manager() as manager, running(client_of(manager.port, ear, on_message=slow, on_down=down)):
            peer = await connected(manager, ear)
            peer.send(numbered(0, 300) + b"Event: Hangup\r\nUniqueid: 1.1\r\nCau")
            await peer.writer.drain()
            peer.writer.close()
            await ear.until(downs=1)

            assert order[1:] == [*(str(n) for n in range(300)), "down"]
            assert ear.downs == ["the PBX closed the connection, in the middle of a message"]

    run(main())


def test_comes_back_and_is_up_again() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            (await connected(manager, ear)).close()
            await ear.until(downs=1)
            assert not client.up
            peer = await connected(manager, ear)
            peer.send(numbered(7, 1))
            await ear.until(heard=3)

            assert ear.names == ["FullyBooted", "FullyBooted", "Tick"]
            assert (client.up, client.stats.reconnects) == (True, 1)

    run(main())


def test_a_broken_stream_is_left() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            peer.send(b"x" * ((1 << 20) + 10))
            await ear.until(downs=1)
            await peer.gone()
            await connected(manager, ear)

            assert "longer than 1048576 bytes" in ear.downs[0]

    run(main())


def test_whoever_waits_for_an_answer_learns_of_the_loss() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            action = asyncio.create_task(client.action("Originate"))
            listing = asyncio.create_task(client.listing("QueueStatus"))
            await peer.action("Originate")
            peer.answer(await peer.action("QueueStatus"), b"EventList: start\r\n")
            await asyncio.sleep(0)
            peer.close()
            errors = await asyncio.gather(action, listing, return_exceptions=True)

            assert [type(error) for error in errors] == [NotConnected, NotConnected]

    run(main())


# Silence


def test_silence_after_a_ping_is_death() -> None:
    async def main() -> None:
        ear = Ear()
        settings = {"ping_every_s": 0.02, "ping_deadline_s": 0.1}
        async with Manager() as manager, running(client := client_of(manager.port, ear, **settings)):
            peer = await connected(manager, ear)
            peer.answer(await peer.action("Ping"))
            await peer.action("Ping")  # this one is not answered
            await ear.until(downs=1)
            assert not client.up
            await peer.gone()
            await connected(manager, ear)

            assert ear.downs == ["no sign of life within 0.1 s of a ping"]

    run(main())


def test_a_pbx_that_talks_is_alive_though_its_answer_stands_in_line() -> None:
    async def main() -> None:
        ear = Ear()
        settings = {"ping_every_s": 0.02, "ping_deadline_s": 0.15}
        async with Manager() as manager, running(client_of(manager.port, ear, **settings)):
            peer = await connected(manager, ear)
            ping = await peer.action("Ping")
            for n in range(12):  # twice the deadline
                peer.send(numbered(n, 1))
                await asyncio.sleep(0.03)
            peer.answer(ping)
            await peer.action("Ping")

            assert ear.downs == []

    run(main())


def test_the_ping_gives_the_clock_of_the_pbx() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            ping = asyncio.create_task(client.ping())
            peer.answer(await peer.action(), b"Ping: Pong\r\nTimestamp: 1795307465.893392\r\n")

            assert (await ping).get("Timestamp") == "1795307465.893392"

    run(main())


# A slow consumer


def test_a_slow_consumer_stops_the_reading_and_loses_nothing() -> None:
    count, padding = 24_000, 1000

    async def main() -> None:
        ear = Ear()
        go = asyncio.Event()
        numbers: list[int] = []

        async def waits(message: Message, _at: int) -> None:
            if message.name == "Tick":
                await go.wait()
                numbers.append(int(message.get("Number")))
            if len(numbers) == count:
                await ear.on_message(message, 0)

        # A ping that is due meanwhile must not be taken for death: it is we who do not read.
        settings = {"on_message": waits, "ping_every_s": 0.02, "ping_deadline_s": 0.2}
        async with Manager() as manager, running(client := client_of(manager.port, ear, **settings)):
            peer = await connected(manager, ear)
            sending = asyncio.create_task(_send_all(peer, count, padding))
            pinging = asyncio.create_task(peer.action("none but pings, which this answers"))
            await until(lambda: client.stats.pauses == 1)
            read = client.stats.bytes
            await asyncio.sleep(0.6)  # three deadlines

            assert client.stats.bytes == read < 3_000_000
            assert client.stats.held_bytes < 3_000_000
            assert not sending.done()  # 24 MB wait on the other side
            assert client.up

            go.set()
            await ear.until(heard=1)
            await sending

            assert numbers == list(range(count))
            assert ear.downs == []
            pinging.cancel()

    run(main())


async def _send_all(peer: Peer, count: int, padding: int) -> None:
    for first in range(0, count, 100):
        peer.send(numbered(first, 100, padding))
        await peer.writer.drain()


def test_a_paused_connection_that_was_closed_is_read_to_its_end() -> None:
    async def main() -> None:
        ear = Ear()
        go = asyncio.Event()

        async def waits(message: Message, at: int) -> None:
            await go.wait()
            await ear.on_message(message, at)

        settings = {"on_message": waits, "backlog_bytes": 1000}
        async with Manager() as manager, running(client := client_of(manager.port, ear, **settings)):
            peer = await connected(manager, ear)
            peer.send(numbered(0, 2000))
            await peer.writer.drain()
            peer.writer.close()
            await until(lambda: client.stats.pauses == 1)
            go.set()
            await ear.until(downs=1)

            assert len(ear.heard) == 2001

    run(main())


# Bugs of ours


def test_an_exception_in_on_message_closes_tells_and_reconnects(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        ear = Ear()

        async def poisoned(message: Message, at: int) -> None:
            if message.get("Number") == "1":
                raise ZeroDivisionError(message.get("Number"))
            await ear.on_message(message, at)

        async with Manager() as manager, running(client := client_of(manager.port, ear, on_message=poisoned)):
            peer = await connected(manager, ear)
            peer.send(numbered(0, 5))
            await ear.until(downs=1)
            await peer.gone()  # the socket is closed, not left open with nobody reading
            peer = await connected(manager, ear)
            peer.send(numbered(5, 1))
            await ear.until(heard=4)

            assert "our own handling of messages failed: ZeroDivisionError('1')" in ear.downs[0]
            assert "up to 5 were dropped" in ear.downs[0]
            assert ear.names == ["FullyBooted", "Tick", "FullyBooted", "Tick"]
            assert client.stats.held_bytes == 0

    run(main())
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "ZeroDivisionError" in caplog.text
    assert record.exc_info


@pytest.mark.parametrize("which", ["on_message", "on_up"])
def test_what_was_foreseen_is_a_sentence_and_no_traceback(which: str, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        ear = Ear()

        async def full(*_: object) -> None:
            if not ear.downs:
                raise JournalFull("The journal cannot grow: No space left on device.")

        async with Manager() as manager, running(client_of(manager.port, ear, **{which: full})):
            peer = await manager.accept()
            await peer.log_in()
            await ear.until(downs=1)
            await peer.gone()
            await (await manager.accept()).log_in()

            assert "failed: The journal cannot grow: No space left on device." in ear.downs[0]

    run(main())
    assert [record.exc_info for record in caplog.records if record.levelno >= logging.WARNING] == [None]


@pytest.mark.parametrize("which", ["on_message", "on_up"])
def test_a_stray_cancellation_does_not_leave_a_deaf_connection(which: str) -> None:
    async def main() -> None:
        ear = Ear()

        async def stray(*_: object) -> None:
            if not ear.downs:
                raise asyncio.CancelledError

        async with Manager() as manager, running(client_of(manager.port, ear, **{which: stray})):
            peer = await manager.accept()
            await peer.log_in()
            await ear.until(downs=1)
            await peer.gone()
            await (await manager.accept()).log_in()

            assert "was cancelled" in ear.downs[0]

    run(main())


def test_an_exception_in_on_up_closes_tells_and_reconnects() -> None:
    async def main() -> None:
        ear = Ear()
        second = asyncio.Event()

        async def fails_once() -> None:
            if not ear.downs:
                raise ZeroDivisionError
            second.set()

        async with Manager() as manager, running(client := client_of(manager.port, ear, on_up=fails_once)):
            peer = await manager.accept()
            await peer.log_in()
            await ear.until(downs=1)
            await peer.gone()
            await (await manager.accept()).log_in()
            await second.wait()

            assert ear.downs == ["our own start after connecting failed: ZeroDivisionError()"]
            assert client.up

    run(main())


def test_an_exception_in_on_down_does_not_stop_the_client(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        ear = Ear()

        async def fails(_reason: str) -> None:
            raise ZeroDivisionError

        async with Manager() as manager, running(client_of(manager.port, ear, on_down=fails)):
            (await connected(manager, ear)).close()
            await connected(manager, ear)

            assert ear.ups == 2

    run(main())
    assert "ZeroDivisionError" in caplog.text


# Coming up


def test_on_up_may_ask_while_events_go_on() -> None:
    async def main() -> None:
        ear = Ear()
        answers: list[Message] = []

        async def asks() -> None:
            answers.append(await client.action("CoreStatus"))
            answers.extend(await client.listing("QueueStatus"))
            await ear.on_up()

        async with Manager() as manager, running(client := client_of(manager.port, ear, on_up=asks)):
            peer = await manager.accept()
            await peer.log_in()
            status = await peer.action("CoreStatus")
            peer.send(numbered(0, 10))
            await ear.until(heard=11)  # delivered while on_up waits
            peer.answer(status, b"CoreStartupDate: 2026-11-22\r\n")
            listing = await peer.action("QueueStatus")
            peer.send(numbered(10, 1))
            _send_list(peer, listing, between=numbered(11, 1))
            peer.send(numbered(12, 1))
            await ear.until(heard=14, ups=1)

            assert [answer.get("CoreStartupDate") for answer in answers] == ["2026-11-22", "", ""]
            assert [answer.get("Queue") for answer in answers] == ["", "a", "b"]
            assert [m.get("Number") for m, _ in ear.heard[1:]] == [str(n) for n in range(13)]

    run(main())


def _send_list(peer: Peer, action: Message, between: bytes = b"") -> None:
    action_id = action.get("ActionID").encode()
    peer.answer(action, b"EventList: start\r\nMessage: Queue status will follow\r\n")
    peer.send(b"Event: QueueSummary\r\nQueue: a\r\nActionID: " + action_id + b"\r\n\r\n" + between)
    peer.send(b"Event: QueueSummary\r\nQueue: b\r\nActionID: " + action_id + b"\r\n\r\n")
    _end_list(peer, action)


def _end_list(peer: Peer, action: Message) -> None:
    action_id = action.get("ActionID").encode()
    peer.send(
        b"Event: QueueStatusComplete\r\nActionID: " + action_id + b"\r\nEventList: Complete\r\nListItems: 2\r\n\r\n"
    )


def test_on_up_is_cancelled_when_the_connection_is_lost() -> None:
    async def main() -> None:
        ear = Ear()
        ends: list[str] = []

        async def endless() -> None:
            await ear.on_up()
            try:
                await asyncio.Event().wait()
            finally:
                ends.append("cancelled")

        async with Manager() as manager, running(client_of(manager.port, ear, on_up=endless)):
            (await connected(manager, ear)).close()
            await ear.until(downs=1)

            assert ends == ["cancelled"]

    run(main())


# Actions


def test_answers_find_their_action_in_any_order() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            asked = [asyncio.create_task(client.action("Getvar", [("Variable", str(n))])) for n in range(4)]
            actions = [await peer.action("Getvar") for _ in asked]
            for action in (actions[n] for n in (2, 0, 3, 1)):
                peer.answer(action, b"Value: " + action.get("Variable").encode() + b"\r\n")

            assert [(await one).get("Value") for one in asked] == ["0", "1", "2", "3"]
            assert len({action.get("ActionID") for action in actions}) == 4
            assert all(len(action.get("ActionID")) == 32 for action in actions)

    run(main())


def test_an_error_keeps_its_message() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            asked = asyncio.create_task(client.action("Originate"))
            peer.answer(await peer.action(), b"Message: Extension does not exist.\r\n", response=b"Error")
            with pytest.raises(ActionFailed, match="refused action Originate: Extension does not exist") as failed:
                await asked

            assert failed.value.message.get("Response") == "Error"

    run(main())


def test_an_action_without_answer_times_out_and_its_late_answer_harms_nobody() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            with pytest.raises(ActionTimeout, match="did not answer action Originate within 0"):
                await client.action("Originate", timeout_s=0.05)
            peer.answer(await peer.action("Originate"))
            peer.send(b"Response: Success\r\nMessage: nobody asked\r\n\r\n" + numbered(0, 1))
            await ear.until(heard=2)

            assert client.stats.unmatched == 2
            assert client.up

    run(main())


def test_an_action_id_of_the_callers_own() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            first = asyncio.create_task(client.action("Originate", [("ActionID", "mine"), ("Exten", "s")]))
            action = await peer.action("Originate")
            with pytest.raises(ActionRefused, match="'mine' is under way"):
                await client.action("Originate", [("ActionID", "mine")])
            peer.answer(action)

            assert (await first).get("ActionID") == "mine"
            assert action.all("ActionID") == ["mine"]

    run(main())


def test_what_would_forge_an_action_is_not_sent() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            for value in ("1\r\nAction: Command\r\nCommand: core stop now", "1\n2", "1\r2"):
                with pytest.raises(ActionRefused, match="Exten"):
                    await client.action("Originate", [("Exten", value)])
                with pytest.raises(ActionRefused, match="Queue"):
                    await client.listing("QueueStatus", [("Queue", value)])
            asked = asyncio.create_task(client.action("CoreStatus"))
            peer.answer(await peer.action("CoreStatus"))  # the first that arrived

            assert (await asked).get("Response") == "Success"

    run(main())


# Lists


@pytest.mark.parametrize(
    ("lines", "response", "error", "sentence"),
    [
        (b"Message: Database entry not found\r\n", b"Error", ActionFailed, "Database entry not found"),
        (b"Message: Pong\r\n", b"Success", ActionFailed, "not answered by a list"),
        (b"EventList: start\r\n", b"Success", ActionTimeout, "within 0.2 s"),
    ],
)
def test_a_list_that_is_none(lines: bytes, response: bytes, error: type[Exception], sentence: str) -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            asked = asyncio.create_task(client.listing("DBGet", [("Family", "lcr")], timeout_s=0.2))
            peer.answer(await peer.action(), lines, response)
            with pytest.raises(error, match=sentence):
                await asked

    run(main())


def test_two_lists_at_once_do_not_mix() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            asked = [asyncio.create_task(client.listing("QueueStatus")) for _ in range(2)]
            ids = [(await peer.action()).get("ActionID").encode() for _ in asked]
            for action_id in ids:
                peer.send(b"Response: Success\r\nActionID: " + action_id + b"\r\nEventList: start\r\n\r\n")
            for action_id in (*ids, *reversed(ids)):
                peer.send(b"Event: QueueSummary\r\nWhose: " + action_id + b"\r\nActionID: " + action_id + b"\r\n\r\n")
            for action_id in ids:
                peer.send(b"Event: XComplete\r\nActionID: " + action_id + b"\r\nEventList: Complete\r\n\r\n")
            lists = [await one for one in asked]

            assert [[item.get("Whose").encode() for item in items] for items in lists] == [[one] * 2 for one in ids]
            assert ear.names == ["FullyBooted"]

    run(main())


def test_a_list_given_up_still_swallows_its_late_items() -> None:
    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            for _ in range(40):  # and many of them are not kept for ever
                with pytest.raises(ActionTimeout):
                    await client.listing("QueueStatus", timeout_s=0.002)
                last = await peer.action("QueueStatus")
            _send_list(peer, last)
            peer.send(numbered(0, 1))
            await ear.until(heard=2)

            assert ear.names == ["FullyBooted", "Tick"]

    run(main())


def test_a_caller_cannot_end_a_list_or_write_into_it() -> None:
    """His number ends his entry and begins another message: the rest of the entry, with its ActionID, is welded on."""

    async def main() -> None:
        ear = Ear()
        async with Manager() as manager, running(client := client_of(manager.port, ear)):
            peer = await connected(manager, ear)
            asked = asyncio.create_task(client.listing("QueueStatus"))
            action = await peer.action()
            peer.answer(action, b"EventList: start\r\n")
            for number in (
                "\r\n\r\nEvent: QueueStatusComplete\r\nEventList: Complete",
                "\r\n\r\nEvent: QueueParams\r\nQueue: mine\r\nMax: 0",
                "\r\n\r\nEvent: QueueMember\r\nQueue: support\r\nLocation: mine\r\nStatus: 1",
                "\r\n\r\n",
                "0\r\nEventList: Complete",
                "0\r\nActionID: other",
                "0901",
            ):
                entry = [("Event", "QueueEntry"), ("CallerIDNum", number), ("ActionID", action.get("ActionID"))]
                peer.send(written(entry) + b"\r\n\r\n")
            _end_list(peer, action)

            assert [item.get("CallerIDNum") for item in await asked] == ["0901"]
            assert client.stats.forged >= 6

    run(main())


# Stopping


@pytest.mark.parametrize("when", ["connecting", "logging in", "up", "waiting to come back", "consumer busy"])
def test_cancelling_closes_the_socket_and_leaves_no_task(when: str) -> None:
    async def main() -> None:
        ear = Ear()

        async def busy(message: Message, at: int) -> None:
            await ear.on_message(message, at)
            await asyncio.Event().wait()

        settings = {"on_message": busy} if when == "consumer busy" else {"backoff_s": (30.0, 60.0)}
        async with Manager() as manager:
            client = client_of(manager.port, ear, **settings)
            task = asyncio.create_task(client.run())
            peer = await manager.accept()
            if when != "connecting":
                await peer.log_in(booted=when != "logging in")
            if when in {"up", "consumer busy"}:
                await ear.until(ups=1)
                waiting = asyncio.create_task(client.action("CoreStatus"))
                await peer.action("CoreStatus")
            if when == "waiting to come back":
                peer.close()
                await ear.until(downs=1)
            downs = len(ear.downs)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            if when in {"up", "consumer busy"}:
                with pytest.raises(NotConnected):
                    await waiting

            await peer.gone()
            assert not client.up
            assert len(ear.downs) == downs

    run(main())  # which fails if a task is left


# Waiting to come back


def test_the_wait_doubles_varies_and_begins_again_only_after_a_lasting_connection() -> None:
    backoff = Backoff(1.0, 8.0)
    waits = [backoff.next() for _ in range(6)]
    backoff.lasted(8.0)
    still = backoff.next()
    backoff.lasted(8.1)
    again = [backoff.next() for _ in range(2)]

    longest = [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 1.0, 2.0]
    for wait, most in zip([*waits, still, *again], longest, strict=True):
        assert most / 2 <= wait <= most
    assert len({Backoff(1.0, 8.0).next() for _ in range(20)}) > 1


def test_after_an_outage_the_wait_is_short_again_once_events_came() -> None:
    backoff = Backoff(0.2, 30.0)
    for _ in range(9):
        backoff.next()
    backoff.lasted(5.0, heard=False)
    assert backoff.next() >= 15
    for _ in range(20):  # one that comes and goes still makes no storm
        backoff.lasted(0.1, heard=True)
        assert 1.0 <= backoff.next() <= 2.0


@pytest.mark.parametrize("events", [0, 1])
def test_an_event_shortens_the_wait(events: int) -> None:
    async def main() -> None:
        ear, loop = Ear(), asyncio.get_running_loop()
        async with Manager() as manager, running(client := client_of(manager.port, ear, backoff_s=(0.005, 1.0))):
            while client._backoff._wait_s < 1:  # noqa: SLF001 - an outage as long as need be
                client._backoff.next()  # noqa: SLF001
            peer = await connected(manager, ear)
            heard = len(ear.heard)
            peer.send(numbered(0, events))
            await ear.until(heard=heard + events)
            peer.close()
            lost_at = loop.time()
            await manager.accept()
            assert (loop.time() - lost_at < 0.45) == bool(events)

    run(main())


def test_a_connection_that_comes_and_goes_makes_no_storm() -> None:
    async def main() -> None:
        ear = Ear()
        loop = asyncio.get_running_loop()
        async with Manager() as manager, running(client_of(manager.port, ear, backoff_s=(0.05, 0.4))):
            lost = []
            for _ in range(4):
                (await connected(manager, ear)).close()
                lost.append(loop.time())
            await manager.accept()

            assert lost[-1] - lost[0] >= (0.05 + 0.1 + 0.2) / 2

    run(main())
