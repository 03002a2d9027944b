"""Customers on the line of another PBX of the same database: nobody rings them from here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from callback.attempts.snapshot import Live
from callback.cluster import line
from callback.reservations.reservation import Reservation
from callback.site.work import Work


def seen(work: Work, rows: Collection[Reservation], live: Live) -> Live:
    """Give the picture with those of these customers too who are on the line of another PBX."""
    numbers = {row.e164 for row in rows}
    there = line.elsewhere(work.connection, work.pbx, numbers, work.now)
    return replace(live, numbers=live.numbers | there) if there else live
