"""A real Asterisk and its phones for tests marked `live`: one Asterisk for each test process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lab import fetch
from lab.asterisk import Asterisk
from tests.live.desk import pause
from tests.live.floor import floor_pbx
from tests.parts import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.phone import Carrier, Phone


@pytest.fixture(scope="session")
def asterisk_tree() -> fetch.AsteriskTree:
    """An Asterisk that can be started, fetched if need be; LAB_ASTERISK=16 asks for the old one."""
    try:
        return fetch.asterisk(int(os.environ.get("LAB_ASTERISK", "22")))
    except fetch.NoAsterisk as error:
        missing(str(error))


@pytest.fixture(scope="session")
def running_asterisk(asterisk_tree: fetch.AsteriskTree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """The Asterisk of this test process, started by the first test that asks; tests ask for `pbx`."""
    with Asterisk.start(tmp_path_factory.mktemp("pbx"), tree=asterisk_tree) as pbx:
        yield pbx


@pytest.fixture(scope="session")
def floor_asterisk(asterisk_tree: fetch.AsteriskTree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """The Asterisk with many desks, for tests that lose many calls at once."""
    with floor_pbx(tmp_path_factory.mktemp("floor"), asterisk_tree) as pbx:
        yield pbx


@pytest.fixture
def pbx(running_asterisk: Asterisk) -> Iterator[Asterisk]:
    """A running Asterisk without a call, agents without a pause; what the test leaves is waited for."""
    if not running_asterisk.running:
        running_asterisk.boot()
    yield running_asterisk
    if running_asterisk.running:
        running_asterisk.wait_quiet()


@pytest.fixture
def carrier(pbx: Asterisk) -> Iterator[Carrier]:
    """The outside world of `pbx`."""
    with pbx.carrier() as phone:
        yield phone


@pytest.fixture
def agent1(pbx: Asterisk) -> Iterator[Phone]:
    """The phone of agent1, who answers support after 0.3 s."""
    with pbx.phone("agent1") as phone:
        yield phone


@pytest.fixture
def agent2(pbx: Asterisk) -> Iterator[Phone]:
    """The phone of agent2, who answers support and sales after 0.3 s."""
    with pbx.phone("agent2") as phone:
        yield phone


@pytest.fixture
def agent(pbx: Asterisk, agent2: Phone) -> Iterator[Phone]:
    """The one agent of the queue sales, paused until the test says otherwise."""
    pause(pbx, paused=True)
    yield agent2
    if pbx.running:
        pause(pbx, paused=False)
