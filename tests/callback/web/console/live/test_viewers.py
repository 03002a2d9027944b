"""Who reads slowly loses what waits, and learns that; there are no more streams than one may have."""

from __future__ import annotations

import asyncio

import pytest

from callback.web.console.live.frames import RESYNC
from callback.web.console.live.viewers import (
    OF_ADDRESS,
    OF_SESSION,
    RETRY_MS,
    ROOM,
    TooMany,
    Viewer,
    Visitor,
    admit,
    retry_ms,
)
from callback.web.console.live.views import Audience

SUPERVISORS = Audience(frozenset({"supervisor"}), None, "en")


def visitor(session: str = "s", address: str = "192.0.2.1") -> Visitor:
    return Visitor("Anna", session, address, SUPERVISORS)


def received(*events: bytes, views: int = 1) -> list[bytes]:
    """What a viewer reads who begins when all that was put."""

    async def read() -> list[bytes]:
        viewer = Viewer(visitor(), views)
        stream = viewer.events()
        assert b"retry: " in await anext(stream)
        for event in events:
            viewer.put(event)
        viewer.end("ended")
        viewer.put(b"too late")
        return [event async for event in stream]

    return asyncio.run(read())


def test_all_that_finds_room_comes_in_its_order() -> None:
    events = [b"%d" % number for number in range(ROOM)]
    *got, bye = received(*events)
    assert got == events
    assert bye.startswith(b'event: bye\ndata: {"why":"ended"}\nretry: ')


def test_what_finds_no_room_is_dropped_with_all_that_waits_for_one_resync() -> None:
    events = [b"%d" % number for number in range(ROOM + 2)]
    assert received(*events)[:-1] == [RESYNC, events[-1]]
    assert received(*events * 3)[:-1].count(RESYNC) == 1


def test_a_stream_of_two_views_has_room_for_both() -> None:
    events = [b"%d" % number for number in range(2 * ROOM)]
    assert received(*events, views=2)[:-1] == events


def test_browsers_come_back_at_different_moments() -> None:
    moments = {retry_ms() for _ in range(200)}
    assert len(moments) > 20
    assert RETRY_MS / 2 <= min(moments) <= max(moments) <= RETRY_MS * 1.5


def test_a_session_has_no_more_streams_than_it_may() -> None:
    open_ = [visitor("a")] * (OF_SESSION - 1)
    admit(visitor("a"), open_)
    with pytest.raises(TooMany, match="session"):
        admit(visitor("a"), [*open_, visitor("a", "192.0.2.9")])
    admit(visitor("b"), [*open_, visitor("a")])


def test_an_address_has_no_more_streams_than_it_may_unless_it_is_a_proxy() -> None:
    open_ = [visitor(str(number)) for number in range(OF_ADDRESS)]
    with pytest.raises(TooMany, match="address"):
        admit(visitor("new"), open_)
    admit(visitor("new", "192.0.2.2"), open_)
    admit(visitor("new", "127.0.0.1"), [visitor(str(number), "127.0.0.1") for number in range(OF_ADDRESS)])
