"""Alarms by a program and by a URL: passed on beside all other work, and told of where they do not get through."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from callback.errors import SettingsError
from callback.events import KINDS, AlarmNotPassed
from callback.service import alerts
from callback.service.alerts import Alerts
from callback.settings.sections import Alarms, load
from tests.callback.world import NOON, event

ALARM = event("alarm", NOON, {"group": "site", "due": 40, "missed": 14, "more": 2, "until_at": NOON, "again": False})
WRITES = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read() + b'\\n')"
PATIENCE_S = 30.0

Work = Callable[[Alerts, list[AlarmNotPassed]], Awaitable[None]]


def passed(settings: Alarms, work: Work) -> list[AlarmNotPassed]:
    """Let a bell hang while some work is done; gives what was told of channels that failed."""
    told: list[AlarmNotPassed] = []

    async def passes() -> None:
        alerts_of = Alerts(settings, "main", lambda piece: f"in words: {piece.name}", told.append)
        running = asyncio.ensure_future(alerts_of.run())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await work(alerts_of, told)
        finally:
            await ended(running)

    asyncio.run(passes())
    return told


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - a file written by another program sets no event
        await asyncio.sleep(0.01)


async def ended(running: asyncio.Future[None]) -> None:
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def program(tmp_path: Path) -> tuple[Alarms, Path]:
    out = tmp_path / "alarms.jsonl"
    return Alarms(command=(sys.executable, "-c", WRITES, str(out))), out


def written(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def test_a_program_gets_the_alarm_as_json_with_a_sentence_for_people(tmp_path: Path) -> None:
    settings, out = program(tmp_path)

    async def work(alerts_of: Alerts, _told: list[AlarmNotPassed]) -> None:
        alerts_of.take([event("withdrawn", NOON, {"reservation": 1}), ALARM])
        await until(lambda: len(written(out)) == 1)

    assert passed(settings, work) == []
    (got,) = written(out)
    assert got == {"pbx": "main", "event": "alarm", "at": NOON, "says": "in words: alarm", **ALARM.facts}


def test_it_may_be_rung_from_any_thread(tmp_path: Path) -> None:
    settings, out = program(tmp_path)

    async def work(alerts_of: Alerts, _told: list[AlarmNotPassed]) -> None:
        threading.Thread(target=alerts_of.take, args=([ALARM],)).start()
        await until(lambda: len(written(out)) == 1)

    assert passed(settings, work) == []


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    trap = tmp_path / "trap"

    async def work(alerts_of: Alerts, told: list[AlarmNotPassed]) -> None:
        alerts_of.take([ALARM])
        await until(lambda: len(told) == 1)

    (told,) = passed(Alarms(command=(f"touch {trap}; true",)), work)
    assert "No such file" in told.why
    assert not trap.exists()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ((sys.executable, "-c", "import sys; sys.exit(3)"), "ended with status 3"),
        ((sys.executable, "-c", "import time; time.sleep(600)"), "took longer than timeout_s = 0.5"),
        (("/nowhere/at/all",), "No such file or directory"),
    ],
)
def test_a_program_that_fails_or_hangs_is_told_of_and_the_next_alarm_is_tried(
    command: tuple[str, ...], why: str
) -> None:
    async def work(alerts_of: Alerts, told: list[AlarmNotPassed]) -> None:
        alerts_of.take([ALARM, ALARM])
        await until(lambda: len(told) == 2)

    for told in passed(Alarms(command=command, timeout_s=0.5), work):
        assert told.channel == "command"
        assert why in told.why


async def serve(status: int, got: list[Any]) -> tuple[web.AppRunner, str]:
    async def take(request: web.Request) -> web.Response:
        got.append((request.content_type, await request.json()))
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/alarm", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/alarm"


@pytest.mark.parametrize(("status", "why"), [(204, None), (503, "answered 503"), (302, "answered 302")])
def test_a_url_gets_the_alarm_and_what_it_answers_counts(status: int, why: str | None) -> None:
    got: list[Any] = []
    told: list[AlarmNotPassed] = []

    async def passes() -> None:
        runner, url = await serve(status, got)
        alerts_of = Alerts(Alarms(url=url), "main", lambda _: "in words", told.append)
        running = asyncio.ensure_future(alerts_of.run())
        alerts_of.take([ALARM])
        try:
            async with asyncio.timeout(PATIENCE_S):
                await until(lambda: bool(got) and (why is None or bool(told)))
        finally:
            await ended(running)
            await runner.cleanup()

    asyncio.run(passes())
    ((content_type, body),) = got
    assert (content_type, body["event"], body["missed"]) == ("application/json", "alarm", 14)
    assert [one.why for one in told] == ([why] if why else [])


def test_nobody_at_the_url_is_told_of() -> None:
    async def work(alerts_of: Alerts, told: list[AlarmNotPassed]) -> None:
        alerts_of.take([ALARM])
        await until(lambda: len(told) == 1)

    (told,) = passed(Alarms(url="http://127.0.0.1:9/alarm"), work)
    assert told.channel == "url"


def test_a_slow_channel_holds_nobody_up_and_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "WAITING", 3)
    slow = Alarms(command=(sys.executable, "-c", "import time; time.sleep(600)"), timeout_s=60)

    async def work(alerts_of: Alerts, told: list[AlarmNotPassed]) -> None:
        alerts_of.take([ALARM] * 20)
        await until(lambda: len(told) >= 16)

    told = passed(slow, work)
    assert {one.why for one in told} == {"too many alarms wait: given up alarm"}


def test_without_a_channel_nothing_is_kept() -> None:
    async def work(alerts_of: Alerts, told: list[AlarmNotPassed]) -> None:
        alerts_of.take([ALARM] * 1000)
        await asyncio.sleep(0)
        assert told == []

    assert passed(Alarms(), work) == []


def test_a_url_that_is_none_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "callback.toml"
    site = '[trunks.main]\nregion = "JP"\n[rules]\nzone = "Asia/Tokyo"\n'
    file.write_text(f'[pbx]\nusername = "u"\nsecret = "s"\n{site}[alarms]\nurl = "ftp://x"\n')
    with pytest.raises(SettingsError, match="must begin with http"):
        load(file, {})


def test_what_waits_when_the_service_ends_is_passed_on_first(tmp_path: Path) -> None:
    settings, out = program(tmp_path)

    async def end() -> None:
        alerts_of = Alerts(settings, "main", lambda piece: piece.name, lambda _: None)
        alerts_of.take([ALARM, event("lease-lost", NOON, {"pbx": "main", "why": "taken"})])
        async with asyncio.timeout(PATIENCE_S):
            await alerts_of.drain()

    asyncio.run(end())
    assert [piece["event"] for piece in written(out)] == ["alarm", "lease-lost"]


def test_a_channel_that_hangs_does_not_keep_the_service_from_ending(tmp_path: Path) -> None:
    slow = Alarms(command=(sys.executable, "-c", "import time; time.sleep(600)"), timeout_s=0.2)

    async def end() -> None:
        alerts_of = Alerts(slow, "main", lambda piece: piece.name, lambda _: None)
        alerts_of.take([ALARM] * 50)
        async with asyncio.timeout(PATIENCE_S):
            await alerts_of.drain()

    asyncio.run(end())


@pytest.mark.parametrize(
    "name", ["put-aside", "lease-lost", "process-down", "node-gone", "disk-low", "clock-off", "audit-head"]
)
def test_what_costs_a_loss_or_proves_a_record_is_alarming(name: str) -> None:
    assert KINDS[name].ALARMING


def test_an_address_that_nobody_can_ask_for_is_a_fault_of_the_channel() -> None:
    async def work(alerts_of: Alerts, told: list[AlarmNotPassed]) -> None:
        alerts_of.take([ALARM, ALARM])
        await until(lambda: len(told) == 2)

    first, second = passed(Alarms(url="http://alarms..example/", timeout_s=PATIENCE_S), work)
    assert first.channel == second.channel == "url"
    assert first.why
