"""How fast the service listens: from the socket to the committed verdict, beside readers that only parse.

The sender, the service and each of its peers are processes of their own, over loopback. Two things are measured.

Throughput: one connection is sent one and the same prepared flood, which each reader takes as fast as it can. It lasts
long enough that calls end and are committed while others are heard. The service is done when the last verdict is
committed; the wait for graces to pass when nothing was left to do is taken off. The others are done when the stream has
ended. The same calls are heard once more as a PBX tells them that filters by what we ship: fewer events
(`filtered_share`), so it is calls/s by which both are compared.

Latency: events come at a rate over 20 connections, each a PBX with its own tracker, journal and writer, in one
process and on one store. It counts from when the event that ends a call leaves the sender, less the grace of a
second, to when its verdict is committed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import listener, peers, sender
from benchmarks.errors import BenchmarkError
from benchmarks.figures import rank, spread
from benchmarks.stage import Stage
from telephony.calls.tracker import GRACE_S

RATES: Final = (5_000, 20_000)
SERVICE: Final = "the service"
FILTERED: Final = "the service, where the PBX filters"
OF_EACH_PBX: Final = 1_000
"""Events/s of each PBX where it is asked how it grows with their number."""
LATE_MS: Final = 20
"""A sender that was later than this did not offer what it says."""


@dataclass(frozen=True, slots=True)
class IngestScale:
    """How much is measured: events in a flood, how often, and how long at each rate."""

    flood: int = 900_000
    rounds: int = 5
    rate_s: float = 60.0
    call_s: float = 3.0
    connections: int = 20
    every: int = 1  # of the recordings
    flat_s: float = 0.0
    pbxs: tuple[int, ...] = ()
    growth_s: float = 15.0


QUICK: Final = IngestScale(flood=2_000, rounds=1, rate_s=0.3, call_s=0.1, connections=4, every=4)


@dataclass(slots=True)
class Figures:
    """What was measured so far: events/s by reader, and latencies in ms by rate."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    latencies_ms: dict[int, list[float]] = field(default_factory=dict)
    ear_us: list[float] = field(default_factory=list)  # CPU an event in the flood
    commit_us: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    growth: dict[int, tuple[float, float]] = field(default_factory=dict)  # by PBXs: p99 in ms, cores
    flood_of: dict[str, sender.SentTraffic] = field(default_factory=dict)  # by reader
    calls: int = 0
    verdicts: int = 0
    rss_mb: float = 0.0
    rss_mb_first: float = 0.0

    def rate(self, name: str) -> float:
        """Give the median."""
        return statistics.median(self.rates[name])

    def calls_rate(self, name: str) -> float:
        """Give the median in calls/s: what a flood of fewer events is compared by."""
        return self.rate(name) * self.flood_of[name].calls / self.flood_of[name].events

    def count(self, offered: sender.SentTraffic, listened: listener.Listened) -> None:
        """Add a run's calls and verdicts."""
        self.calls += offered.calls
        self.verdicts += listened.verdicts
        self.rss_mb, self.rss_mb_first = listened.rss_mb, listened.rss_mb_first


def throughput(stage: Stage, scale: IngestScale, figures: Figures) -> None:
    """Let everybody read the flood, in turns, so that a busy moment of the machine is everybody's."""
    for _ in range(scale.rounds):
        for name in peers.READERS:
            offered, read = stage.peer(name)
            took_s = (read.ended_at - offered.began_at) / 1e9
            figures.rates.setdefault(name, []).append(offered.events / took_s)
        for name in (SERVICE, FILTERED):
            offered, listened = stage.service(sender.Flood(close=False, filtered=name == FILTERED))
            took_s = (listened.ended_at - offered.began_at) / 1e9 - listened.idle_s
            figures.rates.setdefault(name, []).append(offered.events / took_s)
            figures.flood_of[name] = offered
            if name == SERVICE:
                figures.ear_us.append(listened.ear_cpu_s / offered.events * 1e6)
                figures.commit_us.append(listened.commit_cpu_s / offered.events * 1e6)
            figures.count(offered, listened)


def latency(stage: Stage, scale: IngestScale, figures: Figures) -> None:
    """Offer events at each rate; the lowest last, for as long as was asked: that is the flat run."""
    for rate in sorted(RATES, reverse=True):
        lasts_s = scale.flat_s if scale.flat_s and rate == min(RATES) else scale.rate_s
        pace = sender.SendRate(rate, lasts_s, scale.call_s)
        offered, listened = stage.service(pace, scale.connections)
        figures.latencies_ms[rate] = list(steady(offered, listened, pace)) or list(listened.latencies_ms)
        figures.count(offered, listened)
        figures.notes.append(_told(pace, offered, listened))


def growth(stage: Stage, scale: IngestScale, figures: Figures) -> None:
    """Offer the events of so many PBXs, one after the other."""
    for pbxs in scale.pbxs:
        pace = sender.SendRate(pbxs * OF_EACH_PBX, scale.growth_s, scale.call_s)
        offered, listened = stage.service(pace, pbxs)
        took_s = (offered.ended_at - offered.began_at) / 1e9
        figures.growth[pbxs] = (
            round(rank(list(steady(offered, listened, pace)), 0.99), 1),
            round((listened.ear_cpu_s + listened.commit_cpu_s) / took_s, 2),
        )
        figures.count(offered, listened)
        figures.notes.append(f"{pbxs} PBXs, {_told(pace, offered, listened)}")


def steady(offered: sender.SentTraffic, listened: listener.Listened, pace: sender.SendRate) -> Iterator[float]:
    """Give the latencies of calls that ended while the rate was the one that was asked for."""
    begin, end = (offered.began_at + int(after_s * 1e9) for after_s in (pace.call_s, pace.lasts_s))
    for at, latency_ms in zip(listened.committed_at, listened.latencies_ms, strict=True):
        if begin <= at - int((latency_ms / 1e3 + GRACE_S) * 1e9) <= end:
            yield latency_ms


def _told(pace: sender.SendRate, offered: sender.SentTraffic, listened: listener.Listened) -> str:
    took_s = (offered.ended_at - offered.began_at) / 1e9
    used_s = listened.ear_cpu_s + listened.commit_cpu_s
    late = f"; THE SENDER WAS LATE by up to {offered.late_ms:.0f} ms" if offered.late_ms > LATE_MS else ""
    return (
        f"{pace.rate:,}/s: {offered.events:,} events and {offered.calls:,} calls in {took_s:.0f} s, "
        f"{used_s / took_s:.0%} of a core, {listened.rss_mb_first:.0f} then {listened.rss_mb:.0f} MB{late}"
    )


def summary(figures: Figures, stage: Stage) -> dict[str, object]:
    """Give the figures by name."""
    ours = figures.rate(SERVICE)
    return {
        "events_per_s": round(ours),
        "events_per_s_filtered": round(figures.rate(FILTERED)),
        "filtered_share": round(figures.flood_of[FILTERED].events / figures.flood_of[SERVICE].events, 3),
        "calls_per_s": round(figures.calls_rate(SERVICE)),
        "calls_per_s_filtered": round(figures.calls_rate(FILTERED)),
        "ear_us_an_event": round(statistics.median(figures.ear_us), 2),
        "commit_us_an_event": round(statistics.median(figures.commit_us), 2),
        "share_skipped": round(stage.ready.share_skipped, 3),
        **{f"p99_ms_at_{rate}": round(rank(figures.latencies_ms[rate], 0.99), 1) for rate in RATES},
        "rss_mb": round(figures.rss_mb, 1),
        "rss_mb_first": round(figures.rss_mb_first, 1),
        "ratio_to_asterisk_ami": round(ours / figures.rate("asterisk-ami"), 2),
        "ratio_to_panoramisk": round(ours / figures.rate("panoramisk"), 2),
        "ratio_to_socket": round(ours / figures.rate("bare socket"), 3),
        **({"p99_ms_and_cores_by_pbxs": figures.growth} if figures.growth else {}),
        "calls_offered": figures.calls,
        "verdicts_committed": figures.verdicts,
        "load_average": round(os.getloadavg()[0], 1),
    }


def show(figures: Figures, stage: Stage, console: Console) -> None:
    """Print the tables."""
    speeds = Table(
        "reader of one connection", "events/s, median (all)", "ratio", title="Throughput", title_justify="left"
    )
    for name, rates in figures.rates.items():
        speeds.add_row(name, spread(rates), f"{figures.rate(SERVICE) / figures.rate(name):.2f}")
    waits = Table("events/s offered", "verdicts", "p50 ms", "p90", "p99", "max", title="Latency", title_justify="left")
    for rate, latencies in figures.latencies_ms.items():
        shown = (f"{rank(latencies, share):.1f}" for share in (0.5, 0.9, 0.99, 1.0))
        waits.add_row(f"{rate:,}", f"{len(latencies):,}", *shown)
    console.print(speeds, waits)
    for note in figures.notes:
        console.print(note)
    whole, left = (f"{figures.calls_rate(name):,.0f} calls/s" for name in (SERVICE, FILTERED))
    console.print(f"{whole}; {left} where the PBX filters")
    console.print(f"{stage.ready.share_skipped:.1%} of the messages are skipped by how they begin")
    console.print(f"left out, because a call has no end in it: {', '.join(stage.ready.left_out) or 'no recording'}")
    console.print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the tables and, last, one line of JSON; give the exit status."""
    options = _options(arguments)
    scale = replace(QUICK if options.quick else IngestScale(), flat_s=options.minutes * 60, pbxs=options.pbxs)
    figures = Figures()
    try:
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(Path(folder), options.database)
            with stage.sending(scale.flood, scale.every):
                throughput(stage, scale, figures)
                growth(stage, scale, figures)
                latency(stage, scale, figures)
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    show(figures, stage, Console(file=sys.stdout, width=100))
    sys.stdout.write(json.dumps(summary(figures, stage)) + "\n")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench BENCH=ingest", description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="", metavar="URL", help="of an empty database; else a file of SQLite")
    parser.add_argument(
        "--minutes", type=float, default=0, help=f"how long {min(RATES):,}/s are offered: is memory flat?"
    )
    parser.add_argument(
        "--pbxs",
        type=lambda text: tuple(map(int, text.split(","))),
        default=(),
        metavar="1,5,20",
        help=f"also by how many PBXs, of {OF_EACH_PBX:,} events/s each",
    )
    parser.add_argument("--quick", action="store_true", help="much too short to mean anything: does it work?")
    return parser.parse_args(arguments)
