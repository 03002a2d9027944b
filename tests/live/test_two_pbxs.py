"""Two PBXs on one database, each with its node: who is on the line of one of them is not rung from the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import fetch, phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ
from lab.postgres import Server
from tests.live.desk import DID, pause
from tests.live.nodes import Node

pytestmark = pytest.mark.live

ANNA, BO = "09010345678", "09020345678"
WAITED_S = 1.3


@pytest.fixture
def west(asterisk_tree: fetch.AsteriskTree, tmp_path: Path) -> Iterator[Asterisk]:
    with Asterisk.start(tmp_path / "pbx-west", tree=asterisk_tree) as pbx:
        yield pbx


@pytest.fixture
def url(postgres_server: Server) -> Iterator[str]:
    yield postgres_server.create("two_pbxs")
    postgres_server.drop("two_pbxs")


def test_who_talks_to_one_pbx_is_not_rung_from_the_other_though_she_is_the_first_there(
    pbx: Asterisk, west: Asterisk, url: str, tmp_path: Path
) -> None:
    with ExitStack() as room:
        east_node = room.enter_context(Node(pbx, tmp_path / "east", url, ["sales"], name="east").under("pbx"))
        west_node = room.enter_context(Node(west, tmp_path / "west", url, ["sales"], name="west").under("pbx"))
        outside, outside_west = room.enter_context(pbx.carrier()), room.enter_context(west.carrier())
        agent = room.enter_context(pbx.phone("agent2", phone.answer(0.1)))
        agent_west = room.enter_context(west.phone("agent2", phone.answer(0.1)))
        pause(pbx, paused=True)
        room.callback(pause, pbx, paused=False)
        for number in (ANNA, BO):
            outside.behave(number, phone.answer(0.1, talk_s=3.2))
            call = outside.call(DID, caller=number).wait_answered()
            time.sleep(WAITED_S)  # so long they wait: it is what the calls are about
            call.hang_up()
            east_node.wait("reserved", lambda told, number=number: told["number"].endswith(number[1:]))  # type: ignore[misc]

        again = outside_west.call(DID, caller=ANNA).wait_answered()
        again.wait_heard(AGENT_HZ)
        west_node.wait_row(t.on_the_line, lambda row: row.pbx == "west")
        pause(pbx, paused=False)
        assert east_node.outcome()["outcome"] == "reached"
        assert [len(outside.rings_of(number)) for number in (ANNA, BO)] == [0, 1], "the one who is not on the line"

        again.hang_up()
        west_node.wait("returned")  # an agent of the same group spoke to her: nothing is owed any more
        rows = east_node.rows(t.reservation)
        assert sorted((row.pbx, row.state) for row in rows) == [("east", "reached"), ("east", "returned")]
        assert [len(outside.rings_of(number)) for number in (ANNA, BO)] == [0, 1]
        assert outside_west.rings == []
        assert [len(phone_of.rings) for phone_of in (agent, agent_west)] == [1, 1]
        assert {(row.pbx, row.outcome) for row in east_node.rows(t.attempt)} == {("east", "reached")}
