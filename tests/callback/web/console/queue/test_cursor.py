"""The place where a list goes on: it is taken back for the same list and filter alone, for a day."""

from __future__ import annotations

import base64

import pytest

from callback.reports.queue.closed import Ended
from callback.reports.queue.lanes import Place
from callback.reports.queue.wanted import Wanted
from callback.web.console.queue import cursor
from callback.web.console.queue.asked import Asked
from callback.web.console.queue.cursor import StaleCursor
from scheduler.clock import DAY
from tests.callback.world import NOON, World

PLACE = Place("aim", 0, 17, 3, 50)
ASKED = Asked(Wanted(queues=frozenset({"support"})), lane="aim")


def test_a_place_comes_back_whatever_columns_are_shown(world: World) -> None:
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        said = cursor.sealed(work, PLACE, "aim", ASKED)
        assert cursor.opened(work, said, "aim", Asked(ASKED.wanted, lane="aim", columns=("id",))) == PLACE
        ended = Ended(NOON, 812)
        assert cursor.opened_closed(work, cursor.sealed(work, ended, "settled", ASKED), "settled", ASKED) == ended
        assert cursor.opened_plain(work, cursor.sealed_plain(work, (5, "1.2"), "unreserved"), "unreserved") == (
            5,
            "1.2",
        )


def test_of_another_list_or_filter_or_too_old_or_forged_it_is_none(world: World) -> None:
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        said = cursor.sealed(work, PLACE, "aim", ASKED)
        forged = base64.urlsafe_b64decode(said + "==")
        for wrong, of, asked in (
            (said, "late", ASKED),
            (said, "aim", Asked(lane="aim")),
            (base64.urlsafe_b64encode(forged[:-2] + b"9]").decode(), "aim", ASKED),
            ("", "aim", ASKED),
            ("x", "aim", ASKED),
            ("ü", "aim", ASKED),
            ("A" * 40, "aim", ASKED),
        ):
            with pytest.raises(StaleCursor):
                cursor.opened(work, wrong, of, asked)
        with pytest.raises(StaleCursor):
            cursor.opened(world.work(connection, NOON + DAY + 1), said, "aim", ASKED)
