"""What a node's process told of itself, as samples."""

from __future__ import annotations

from collections.abc import Iterator

from callback.operations.metrics.sample import Sample, Spread
from callback.operations.readiness import Seen, alive, ready
from callback.operations.vitals import Listening, Vitals


def look(seen: Seen) -> Iterator[Sample | Spread]:
    """Measure a node; of one that tells nothing only that."""
    yield Sample("lcr_node_up", alive(seen).ok)
    health = ready(seen)
    yield Sample("lcr_node_ready", health.ok)
    yield Sample("lcr_node_stands_by", health.stands_by)
    if seen.vitals is not None:
        yield from _process(seen.vitals)
        if seen.vitals.listening is not None:
            yield from _listening(seen.vitals.listening)


def _process(told: Vitals) -> Iterator[Sample]:
    yield Sample("lcr_build_info", 1, (told.version, told.python))
    yield Sample("lcr_node_began_timestamp_seconds", told.began_at / 1e6)
    yield Sample("lcr_node_loop_delay_seconds", told.loop_delay_s)
    yield Sample("lcr_node_memory_bytes", told.memory_bytes)
    yield Sample("lcr_node_cpu_seconds_total", told.cpu_s)
    if told.database_off_s is not None:
        yield Sample("lcr_node_clock_offset_seconds", told.database_off_s)
    for job in told.failing:
        yield Sample("lcr_job_failing", 1, (job,))
    for name, child in told.children.items():
        yield Sample("lcr_child_up", child.up, (name,))
        yield Sample("lcr_child_ended_total", child.ended, (name,))


def _listening(told: Listening) -> Iterator[Sample | Spread]:
    yield Sample("lcr_ami_connected", told.connected)
    yield Sample("lcr_ami_messages_total", told.messages)
    yield Sample("lcr_ami_bytes_total", told.bytes)
    yield Sample("lcr_ami_reconnects_total", told.reconnects)
    for why, many in told.refused.items():
        yield Sample("lcr_ami_refused_total", many, (why,))
    yield Sample("lcr_ami_behind_seconds", told.behind_s)
    yield Sample("lcr_pbx_clock_offset_seconds", told.clock_off_s)
    yield Sample("lcr_journal_bytes", told.journal_bytes)
    yield Sample("lcr_journal_most_bytes", told.journal_most_bytes)
    yield Sample("lcr_journal_uncommitted_bytes", told.uncommitted_bytes)
    yield Sample("lcr_journal_full_total", told.journal_full)
    yield Sample("lcr_commit_waiting", told.commits_waiting)
    within = dict(zip(told.commits.bounds, told.commits.within, strict=False))
    yield Spread("lcr_commit_seconds", within, told.commits.count, told.commits.total_s)
