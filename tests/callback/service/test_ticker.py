"""The ticks: they go on."""

from __future__ import annotations

import asyncio
import itertools
import logging
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Self

import apscheduler.schedulers.base
import pytest

from callback.service import ticker as tickers
from callback.service.ticker import Ticker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WITHIN_S = 10


def run(job: Callable[[], Awaitable[None]], until: asyncio.Event, seconds: float = 0.01) -> None:
    """Tick `job` until the event is set."""

    async def main() -> None:
        ticker = Ticker()
        ticker.every(seconds, job, "the job")
        ticker.start()
        async with asyncio.timeout(WITHIN_S):
            await until.wait()
        await ticker.stop()

    asyncio.run(main())


def test_a_job_ticks_again_and_again() -> None:
    ticks, enough = 0, asyncio.Event()

    async def job() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 3:
            enough.set()

    run(job, enough)
    assert ticks >= 3


def test_the_first_tick_comes_at_once() -> None:
    ticked = asyncio.Event()

    async def job() -> None:
        ticked.set()

    run(job, ticked, seconds=3600)
    assert ticked.is_set()


def test_a_job_that_raises_is_logged_and_ticks_on(caplog: pytest.LogCaptureFixture) -> None:
    ticks, enough = 0, asyncio.Event()

    async def job() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 2:
            enough.set()
        raise RuntimeError("the database is away")

    run(job, enough)
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(failures) >= 2
    assert "'the job' failed" in failures[0].getMessage()
    assert "the database is away" in str(failures[0].exc_info)


def test_a_slow_job_never_runs_twice_at_once_and_is_not_cut_off_by_the_stop() -> None:
    running, most, ended, other_ticks, seen = 0, 0, 0, 0, asyncio.Event()

    async def other() -> None:
        nonlocal other_ticks
        other_ticks += 1
        if other_ticks == 5:
            seen.set()

    async def slow() -> None:
        nonlocal running, most, ended
        running += 1
        most = max(most, running)
        await seen.wait()
        await asyncio.sleep(0)
        running -= 1
        ended += 1

    async def main() -> None:
        ticker = Ticker()
        ticker.every(0.01, slow, "slow")
        ticker.every(0.01, other, "other")
        ticker.start()
        async with asyncio.timeout(WITHIN_S):
            await seen.wait()
        await ticker.stop()
        after_stop = other_ticks, ended
        await asyncio.sleep(0.05)
        assert (other_ticks, ended) == after_stop

    asyncio.run(main())
    assert most == 1
    assert ended >= 1
    assert running == 0


def test_a_second_job_of_the_same_name_is_refused() -> None:
    async def job() -> None: ...

    async def main() -> None:
        ticker = Ticker()
        ticker.start()
        ticker.every(1, job, "the job")
        with pytest.raises(Exception, match="the job"):
            ticker.every(1, job, "the job")
        await ticker.stop()

    asyncio.run(main())


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(days=50 * 365)])
def test_ticks_go_on_when_the_clock_is_set(step: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    offset = timedelta()

    class Wall(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(datetime.now(UTC).timestamp() + offset.total_seconds(), tz)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Wall)
    monkeypatch.setattr(tickers, "datetime", Wall)
    monkeypatch.setattr(tickers, "WATCH_S", 0.05)
    ticks, enough = 0, asyncio.Event()

    async def job() -> None:
        nonlocal ticks, offset
        ticks += 1
        if ticks == 2:
            offset = step
        if ticks == 5:
            enough.set()

    run(job, enough)
    assert ticks >= 5


def test_a_job_runs_soon_when_it_is_asked_for() -> None:
    async def main() -> None:
        ticker, ticks = Ticker(), asyncio.Queue[int]()

        async def job() -> None:
            ticks.put_nowait(1)

        ticker.every(3600, job, "the job")
        ticker.start()
        async with asyncio.timeout(WITHIN_S):
            await ticks.get()  # the first tick
            ticker.soon("the job")
            ticker.soon("another")  # is none
            await ticks.get()
        await ticker.stop()

    asyncio.run(main())


def test_a_job_that_is_asked_for_while_it_runs_runs_once_more() -> None:
    async def main() -> None:
        ticker, began, goes_on = Ticker(), asyncio.Queue[int](), asyncio.Event()

        async def job() -> None:
            began.put_nowait(1)
            await goes_on.wait()

        ticker.every(3600, job, "the job")
        ticker.start()
        async with asyncio.timeout(WITHIN_S):
            await began.get()
            for _ in range(5):
                ticker.soon("the job")
            await asyncio.sleep(0)
            assert began.empty()
            goes_on.set()
            await began.get()
        await ticker.stop()
        assert began.empty(), "it was asked for five times while it ran: that is once more"

    asyncio.run(main())


def test_whoever_asks_without_end_does_not_keep_a_job_running() -> None:
    async def main() -> None:
        ticker, ran, enough = Ticker(), list[float](), asyncio.Event()

        async def job() -> None:
            ran.append(asyncio.get_running_loop().time())
            if len(ran) == 4:
                enough.set()

        ticker.every(3600, job, "the job")
        ticker.start()
        async with asyncio.timeout(WITHIN_S):
            while not enough.is_set():
                ticker.soon("the job")
                await asyncio.sleep(0.001)
        await ticker.stop()
        assert all(later - sooner > tickers.SOONEST_S * 0.9 for sooner, later in itertools.pairwise(ran))

    asyncio.run(main())
