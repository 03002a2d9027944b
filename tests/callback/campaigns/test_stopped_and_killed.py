"""A campaign on the whole way: the process that sends texts, and what the gateway was given, stopped and killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, select

from callback.campaigns.campaign import Draft
from callback.campaigns.criteria import Criteria
from callback.cluster import line
from callback.decisions.campaigns import acts
from callback.reports.campaigns import progress
from callback.store import tables as t
from lab.twilio import FakeTwilio
from scheduler.clock import HOUR, SECOND
from sms.tables import text_outbox
from tests.callback.campaigns.told import BY, ON, WORDS, do
from tests.callback.service.jobs.parts import now_us, rules
from tests.callback.world import World, call
from tests.children import child

PEOPLE: Final = 200
PER_MIN: Final = 1200  # slow enough that some still wait when a busy machine comes to stop it
PATIENCE_S: Final = 60
AT_ONCE: Final = 8
SID, TOKEN = f"AC{'1' * 32}", "a token of the fake"
SETTINGS: Final = """
[database]
url = "{url}"
[pbx]
port = 1
username = "u"
secret = "s"
lease_s = 1
journal = "{folder}/journal"
[trunks.main]
channel = "PJSIP/trunk"
region = "JP"
[texts]
gateway = "twilio"
senders = {at_once}
[texts.twilio.main]
account_sid = "{sid}"
auth_token = "{token}"
from = "+15005550006"
texts_per_s = 300
api_url = "{api}"
[rules]
zone = "UTC"
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """As many as were lost within the last hour, none of whom is promised anything by text."""
    made = World(f"sqlite:///{tmp_path / 'campaign.db'}", rules({"support": ON}), now=now_us())
    now = now_us()
    with made.store.write() as connection:
        for number in range(PEOPLE):
            made.hear_in(connection, call(f"0901234{number:04}", now - 60 * SECOND))
        connection.execute(text_outbox.delete())
        connection.execute(t.lease.delete())
    yield made
    made.close()


@contextmanager
def heard(world: World) -> Iterator[None]:
    """The PBX is heard meanwhile, and nobody is on its line: else no text leaves."""
    over = threading.Event()

    def keeps() -> None:
        while not over.is_set():
            with world.store.write() as connection:
                line.keep(connection, "main", (), None)
            over.wait(0.5)

    thread = threading.Thread(target=keeps)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def sender(world: World, folder: Path, api: str) -> Iterator[subprocess.Popen[str]]:
    """The process that sends texts."""
    file = folder / "service.toml"
    told = {"url": world.store.url, "folder": folder, "sid": SID, "token": TOKEN, "api": api, "at_once": AT_ONCE}
    file.write_text(SETTINGS.format(**told))
    command = [sys.executable, "-m", "callback", "run", "--role", "text", "-s", str(file)]
    with child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process


def wait_for(what: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.01)


def in_flight(world: World) -> int:
    with world.store.read() as connection:
        asked = select(func.count()).select_from(text_outbox).where(text_outbox.c.state == "sending")
        return connection.execute(asked).scalar_one()


def test_stopped_at_once_and_nobody_twice_though_it_is_killed(world: World, tmp_path: Path) -> None:
    """By what the gateway accepted: after the stop only what was in flight, and in the end each number once."""
    now = now_us()
    criteria = Criteria(from_at=now - HOUR, until_at=now)
    draft = Draft(name="Lines down", queue="support", criteria=criteria, words=WORDS, per_min=PER_MIN)
    number = do(world, acts.make, draft, BY, now=now)
    do(world, acts.build, number, BY, now=now)
    with FakeTwilio({SID: TOKEN}, answer_s=0.05) as gateway, heard(world):
        with sender(world, tmp_path, gateway.url) as first:
            do(world, acts.start, number, BY, now=now_us())
            wait_for(lambda: len(gateway.accepted) >= 40)
            do(world, acts.stop, number, BY, now=now_us())
            at_the_stop = len(gateway.accepted)
            wait_for(lambda: in_flight(world) == 0)
            stopped, stopped_s = len(gateway.accepted), time.monotonic()
            assert stopped - at_the_stop <= AT_ONCE, "only what was in flight"
            wait_for(lambda: time.monotonic() > stopped_s + 1)
            assert len(gateway.accepted) == stopped < PEOPLE, "nothing leaves any more"
            do(world, acts.start, number, BY, now=now_us())
            wait_for(lambda: len(gateway.accepted) >= stopped + 40)
            first.kill()
            first.wait()
        killed = len(gateway.accepted)
        with sender(world, tmp_path, gateway.url):
            wait_for(lambda: do(world, progress.one, number).state == "done")
        numbers = [message.to for message in gateway.accepted]
    assert killed < PEOPLE
    assert len(numbers) == len(set(numbers)), "nobody twice"
    shown = do(world, progress.progress, do(world, progress.one, number))
    assert shown.told == PEOPLE
    assert shown.failed == 0
    lost = PEOPLE - len(numbers)
    assert lost <= AT_ONCE, "at most what was in flight when it was killed was not sent"
    assert lost <= shown.unknown + shown.sending <= AT_ONCE
