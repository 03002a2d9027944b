"""Texts leave when they are due, to nobody on the line, and their troubles are told."""

from __future__ import annotations

import io
import logging
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from callback.cluster.line import FRESH_S
from callback.logs.failing import Failing
from callback.service.jobs.line import KeepLine
from callback.service.texting import jobs as texts
from callback.service.texting.jobs import SendTexts, TellTextTroubles
from callback.service.texting.troubles import TextTroubles
from callback.settings.texts import Texts
from callback.store import tables as t
from callback.texts.send import send_due
from lab.twilio import FakeTwilio, error
from scheduler.clock import SECOND
from sms.console import ConsoleGateway
from sms.gateway import Gateway
from sms.twilio import Account, TwilioGateway
from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import WAITS, WAITS_AS, Parts, lose, parts, run
from tests.callback.world import World

SID, TOKEN = f"AC{'1' * 32}", "a token of the fake"


def send_texts(world: World, made: Parts, gateway: Gateway) -> SendTexts:
    failing = Failing(logging.getLogger(__name__))
    due = partial(send_due, world.store, world.sites, gateway, Texts(senders=1), lambda: False, failing)
    return SendTexts(made.transactions, due)


def keep_line(made: Parts) -> KeepLine:
    return KeepLine(made.pbx, made.transactions, made.snapshots)


def test_what_is_due_leaves_but_to_nobody_who_is_on_the_line(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600", "09012345601")
    phone = io.StringIO()

    async def main() -> None:
        async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
            await simulator.play(WAITS, speed=1e6, rename=lambda raw: raw.replace(WAITS_AS, b"09012345600"))
            await made.shows("+819012345600")
            await keep_line(made).run()
            await send_texts(today, made, ConsoleGateway(phone)).run()

    run(main())
    assert [line.split(":")[0] for line in phone.getvalue().splitlines()] == [
        "text (console, nobody's phone) to +819012345601"
    ]
    assert sorted(today.texts().values()) == ["sent", "waiting"]


def test_nobody_is_texted_before_we_know_who_is_on_the_line(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")
    phone = io.StringIO()

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            await keep_line(made).run()
            await send_texts(today, made, ConsoleGateway(phone)).run()

    run(main())
    assert phone.getvalue() == ""


def test_texts_wait_for_whoever_knows_who_is_on_the_line_and_leave_when_it_is_known_again(
    today: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "SAID_AFTER_S", 0.0)
    lose(today, "09012345600")
    phone = io.StringIO()

    async def main() -> None:
        async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
            job, look = send_texts(today, made, ConsoleGateway(phone)), keep_line(made)
            await job.run()
            await look.run()
            with today.store.write() as connection:  # the process that listens has died
                connection.execute(update(t.line).values(seen_at=t.line.c.seen_at - (FRESH_S + 1) * SECOND))
            await job.run()
            assert phone.getvalue() == ""
            await look.run()
            await job.run()

    run(main())
    assert "+819012345600" in phone.getvalue()
    said = [record.getMessage() for record in caplog.records if record.name == texts.__name__]
    assert [("nobody has listened" in one, "leave again" in one) for one in said] == [(True, False), (False, True)]


def test_while_there_is_more_sending_goes_on(today: World, tmp_path: Path) -> None:
    sent = [2, 1, 0, 7]

    async def main() -> None:
        async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
            await keep_line(made).run()

            async def due() -> int:
                return sent.pop(0)

            await SendTexts(made.transactions, due).run()

    run(main())
    assert sent == [7]


def test_texts_that_a_gateway_refuses_for_a_fault_of_ours_are_told_once(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        with FakeTwilio({SID: TOKEN}) as fake:
            gateway = TwilioGateway({"main": Account(SID, TOKEN, "+442079460000", 1000, fake.url)})
            fake.behave("+819012345600", error(21704))
            async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
                job = TellTextTroubles(made.transactions, TextTroubles(gateway), made.own.append)
                await job.run()
                assert made.events == []
                await keep_line(made).run()
                await send_texts(today, made, gateway).run()
                await job.run()
                await job.run()
                assert made.events == ["texts-refused"]
                await gateway.close()

    run(main())
