"""Whoever changes what the console shows, in a process of its own: a supervisor's acts, and the service's picture."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

from sqlalchemy import Connection

from benchmarks.console import site
from callback.clock import now_us
from callback.decisions import actions
from callback.settings.sections import Settings
from callback.site.context import current
from callback.site.work import Work
from callback.store import feed
from callback.store.audit import By
from callback.store.engine import Store

BY = By("bench", "a change of the benchmark")


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its place in the feed, whose reservation it was, and when it was committed (monotonic ns)."""

    v: int
    reservation: int
    committed_at: int


def _work(connection: Connection, settings: Settings) -> Work:
    now = now_us()
    return Work(connection, current(connection, settings, now), now)


def make_changes(pipe: Pipe, settings: Settings, reservations: Sequence[int], every_s: float) -> None:
    """Be a process: hold and resume these in turn, and show a picture each second, until told to end."""
    changes: list[Change] = []
    with closing(Store(settings.database.url)) as store:
        turn, shown_s, held = 0, 0.0, set[int]()
        pipe.send("begins")
        while not pipe.poll(every_s):
            if time.monotonic() - shown_s >= 1:
                shown_s = time.monotonic()
                with store.write() as connection:
                    site.show(_work(connection, settings), turn)
            reservation = reservations[turn % len(reservations)]
            turn += 1
            with store.write() as connection:
                work = _work(connection, settings)
                (actions.resume if reservation in held else actions.hold)(work, reservation, BY)
                v = feed.end(connection)
            changes.append(Change(v, reservation, time.monotonic_ns()))
            held ^= {reservation}
        with store.write() as connection:
            for reservation in held:  # whoever comes next finds all as it was
                actions.resume(_work(connection, settings), reservation, BY)
        pipe.recv()
    pipe.send(changes)
