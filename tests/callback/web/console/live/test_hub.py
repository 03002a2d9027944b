"""A change is rendered once and reaches everybody who sees the same, whatever others do meanwhile."""

from __future__ import annotations

import asyncio
import time

import pytest

from callback.decisions import actions
from callback.errors import CallbackError
from callback.store.audit import By
from callback.web.console.live.hub import VIEWS
from callback.web.console.live.viewers import OF_SESSION, TooMany, Visitor
from callback.web.console.live.views import Audience, Look, Rendered
from callback.web.console.live.watch import CHECK_S
from tests.callback.web.console.live.hubs import PATIENCE_S, SUPERVISORS, Centre, Listener
from tests.callback.world import NOON, US, World, call

ANNA = By("Anna", "customer asked")
CHINESE = Audience(frozenset({"supervisor"}), None, "zh_Hans")


def hold(world: World, reservation: int = 1) -> None:
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON + US), reservation, ANNA)


def cancel(world: World, reservation: int = 1) -> None:
    with world.store.write() as connection:
        actions.cancel(world.work(connection, NOON + US), reservation, ANNA)


def test_who_comes_gets_all_and_then_what_changes(world: World) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            anna = centre.join()
            whole = (await anna.next()).data
            assert whole["whole"]
            assert (whole["view"], whole["order"], whole["figures"]) == (
                "/stream/open",
                {"waiting": [1]},
                {"open": "1"},
            )
            assert whole["rows"] == {"1": "<tr id='r-1'><td>waiting</td></tr>"}
            world.hear(call("09012345602"))
            more = (await anna.next()).data
            assert (more["rows"].keys(), more["order"]) == ({"2"}, {"waiting": [1, 2]})
            assert more["v"] > whole["v"]
            hold(world, 2)
            held = (await anna.next()).data
            assert (held["rows"], held["order"]) == (
                {"2": "<tr id='r-2'><td>held</td></tr>"},
                {"waiting": [1], "held": [2]},
            )
            assert "figures" not in held
            cancel(world, 2)
            left = (await anna.next()).data
            assert (left["gone"], left["figures"]) == ({"2": "cancelled by Anna"}, {"open": "1"})
            anna.leave()

    asyncio.run(watch())


def test_all_who_see_the_same_get_the_same_bytes_of_one_rendering(world: World) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            same = [centre.join(f"s{number}") for number in range(30)]
            other = centre.join("other", audience=CHINESE)
            for one in [*same, other]:
                await one.next()
            before = centre.views[SUPERVISORS].rendered
            hold(world)
            frames = {(await one.next()).raw for one in same}
            assert len(frames) == 1
            assert (await other.next()).raw not in frames
            cost = centre.views[SUPERVISORS].rendered - before
            assert 1 <= cost < len(same)
            cancel(world)
            assert (await same[0].next()).data["gone"] == {"1": "cancelled by Anna"}
            assert (await other.next()).data["gone"] == {"1": "已由 Anna 取消"}

    asyncio.run(watch())


def test_who_was_away_gets_what_was_missed(world: World) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            anna, bo = centre.join("a"), centre.join("b")
            for one in (anna, bo):
                await one.next()
            hold(world)
            await anna.next()
            last = anna.last
            anna.leave()
            world.hear(call("09012345602"))
            await bo.next("", lambda data: "2" in data.get("rows", {}))
            missed = (await centre.join("a", last).next()).data
            assert "whole" not in missed
            assert missed["order"] == {"held": [1], "waiting": [2]}
            assert missed["rows"].keys() == {"1", "2"}  # the frame that was read last comes again: it harms nothing
            assert missed["figures"] == {"open": "2"}

    asyncio.run(watch())


@pytest.mark.parametrize("last", ["0000-1", "nonsense", "-", "x-99999999999999999999"])
def test_who_comes_from_elsewhere_is_told_to_begin_anew(world: World, last: str) -> None:
    async def watch() -> None:
        async with Centre(world).running() as centre:
            epoch = centre.live.hub.id_of(1).partition("-")[0]
            for asked in (last, f"{epoch}-999999"):
                anna = centre.join(last=asked)
                await anna.next("resync")
                anna.leave()

    asyncio.run(watch())


def test_who_comes_back_alone_finds_that_the_view_was_kept(world: World) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            anna = centre.join()
            await anna.next()
            hold(world)
            await anna.next()
            anna.leave()
            cancel(world)
            missed = (await centre.join(last=anna.last).next("", lambda data: "gone" in data)).data
            assert "whole" not in missed
            assert (missed["gone"], missed["order"]) == ({"1": "cancelled by Anna"}, {})

    asyncio.run(watch())


def test_a_stream_carries_several_views(world: World) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            visitor = Visitor("Anna", "s", "192.0.2.1", SUPERVISORS)
            names = ["/stream/open", "/stream/open?page=2"]
            both = Listener(centre.live, centre.live.hub.open(visitor, names))
            assert {(await both.next()).data["view"] for _ in names} == set(names)
            hold(world)
            assert {(await both.next()).data["view"] for _ in names} == set(names)

    asyncio.run(watch())


def test_a_view_that_fails_harms_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            anna = centre.join("a")
            await anna.next()
            chinese = centre.join("b", audience=CHINESE)
            await chinese.next()
            centre.views[CHINESE].broken = True
            late = centre.join("c", audience=CHINESE)
            hold(world)
            assert (await anna.next()).data["order"] == {"held": [1]}
            assert await asyncio.to_thread(centre.views[CHINESE].failed.wait, PATIENCE_S)
            centre.views[CHINESE].broken = False
            assert (await chinese.next()).data["order"] == {"held": [1]}
            await late.next("", lambda data: data.get("order") == {"held": [1]})

    asyncio.run(watch())
    failures = [record for record in caplog.records if "/stream/open" in record.getMessage()]
    assert [record.levelname for record in failures] == ["WARNING", "WARNING"]
    assert "works again" in failures[1].getMessage()


def test_a_stream_ends_soon_after_its_session(world: World) -> None:
    async def watch() -> None:
        async with Centre(world).running() as centre:
            anna, bo = centre.join("a"), centre.join("b")
            await anna.next()
            centre.fallen.add("a")
            began_s = time.monotonic()
            bye = await anna.next("bye")
            assert bye.data == {"why": "session"}
            assert time.monotonic() - began_s < CHECK_S + 3
            assert await anna.rest() == []
            anna.leave()
            assert [one.session for one in centre.live.hub.visitors] == ["b"]
            bo.leave()

    asyncio.run(watch())


def test_at_the_end_every_stream_is_told_and_who_comes_then_too(world: World) -> None:
    async def watch() -> None:
        async with Centre(world).running() as centre:
            streams = [centre.join(f"s{number}") for number in range(3)]
            await streams[0].next()
            centre.live.end()
            streams.append(centre.join("late"))
            for one in streams:
                bye = await one.next("bye")
                assert bye.data == {"why": "ended"}
                assert b"\nretry: " in bye.raw
                assert await one.rest() == []

    asyncio.run(watch())


def test_a_database_that_is_away_is_told_and_that_it_is_back(world: World) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            anna = centre.join()
            first = await anna.next("beat")
            assert first.data["stale"] == "service"
            centre.away.set()
            centre.now += 6 * US
            beat = await anna.next("beat", lambda data: data["stale"] == "database")
            assert beat.data["since_at"] == NOON
            centre.away.clear()
            await anna.next("beat", lambda data: data["stale"] == "service")
            hold(world)
            assert (await anna.next("", lambda data: not data.get("whole"))).data["order"] == {"held": [1]}

    asyncio.run(watch())


def test_who_has_what_open_is_seen_by_all(world: World) -> None:
    world.hear(call())

    async def watch() -> None:
        async with Centre(world).running() as centre:
            anna, bo = centre.join("a"), centre.join("b")
            for one in (anna, bo):
                await one.next()
            centre.live.hub.presence.here("b", "tab", "Bo", [1, 99])
            for one in (anna, bo):
                assert (await one.next()).data["who"] == {"1": ["Bo"]}
            assert (await centre.join("c").next()).data["who"] == {"1": ["Bo"]}
            bo.leave()
            assert (await anna.next()).data["who"] == {}

    asyncio.run(watch())


def test_what_nobody_may_ask_for_is_refused(sqlite_world: World) -> None:
    hub = Centre(sqlite_world).live.hub
    visitor = Visitor("Anna", "s", "192.0.2.1", SUPERVISORS)
    for address in ("/stream/none", "/other/open", "//evil/stream/open", "open", "", "/stream/open?" + "x" * 500):
        with pytest.raises(CallbackError, match="no such live page"):
            hub.open(visitor, [address])
    for addresses in ([], [f"/stream/open?{number}" for number in range(VIEWS + 1)]):
        with pytest.raises(CallbackError, match="carries 1 to"):
            hub.open(visitor, addresses)
    for _ in range(OF_SESSION):
        hub.open(visitor, ["/stream/open"])
    with pytest.raises(TooMany):
        hub.open(visitor, ["/stream/open"])
    assert len(hub.viewers) == OF_SESSION


def test_what_several_views_want_is_read_once(sqlite_world: World) -> None:
    with sqlite_world.store.read() as connection:
        look = Look(sqlite_world.work(connection, NOON))
        reads: list[int] = []
        for _ in range(3):
            look.once("a", lambda work: reads.append(work.now))
        look.once("b", lambda work: reads.append(work.now))
    assert reads == [NOON, NOON]
    assert Rendered().rows == {}
