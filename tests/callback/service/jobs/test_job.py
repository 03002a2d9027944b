"""Jobs run beside each other: one that fails harms no other, and one that finds the lease lost ends them all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from itertools import count

import pytest

from callback.errors import NotOurs, StoreAway
from callback.logs.failing import Failing
from callback.service.jobs.job import Jobs
from tests.callback.service.jobs.parts import run

log = logging.getLogger("callback.service.worker")


class Counts:
    """A job that counts its turns, and fails at each for what it is given."""

    every_s = 0.01

    def __init__(self, name: str, failures: Iterator[Exception | None]) -> None:
        self.name, self._failures = name, failures
        self.turns, self.third = 0, asyncio.Event()

    async def run(self) -> None:
        self.turns += 1
        if self.turns >= 3:
            self.third.set()
        failure = next(self._failures, None)
        if failure is not None:
            raise failure


async def ends(jobs: Jobs, *when: asyncio.Event) -> None:
    """Run jobs until each of these events is set."""
    running = asyncio.ensure_future(jobs.run())
    for event in when:
        await event.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("failure", [StoreAway("the database is away"), ValueError("nobody foresaw this")])
def test_a_job_that_fails_leaves_the_others_running_and_is_tried_again(failure: Exception) -> None:
    async def main() -> None:
        fails, works = Counts("fails", (failure for _ in count())), Counts("works", iter(()))
        await ends(Jobs([fails, works], Failing(log)), works.third, fails.third)

    run(main())


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (StoreAway("the database is away"), "the database is away"),
        (ValueError("nobody foresaw this"), "ValueError: nobody foresaw this"),
    ],
)
def test_a_job_that_goes_on_failing_says_so_once_and_when_it_works_again(
    caplog: pytest.LogCaptureFixture, failure: Exception, why: str
) -> None:
    async def main() -> None:
        await ends(Jobs([job := Counts("text", iter([failure, failure, None]))], Failing(log)), job.third)

    run(main())
    assert [record.message for record in caplog.records] == [
        f"text (it is tried again and again): {why}",
        "text: works again",
    ]
    assert bool(caplog.records[0].exc_info) is isinstance(failure, ValueError), "what nobody foresaw, by traceback"


def test_a_job_that_finds_the_lease_lost_ends_them_all() -> None:
    async def main() -> None:
        loses, works = Counts("renew", iter([None, NotOurs("taken"), NotOurs("taken")])), Counts("works", iter(()))
        with pytest.raises(NotOurs, match="taken"):
            await Jobs([loses, works], Failing(log)).run()
        turns = works.turns
        await asyncio.sleep(5 * works.every_s)
        assert works.turns == turns

    run(main())


def test_what_is_under_way_is_finished_when_they_end() -> None:
    class Slow:
        name, every_s = "slow", 3600.0
        began, finished = False, False

        async def run(self) -> None:
            self.began = True
            started.set()
            await asyncio.sleep(0.05)
            self.finished = True

    started = asyncio.Event()

    async def main() -> None:
        await ends(Jobs([slow := Slow()], Failing(log)), started)
        assert slow.finished

    run(main())
