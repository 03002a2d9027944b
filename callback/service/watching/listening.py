"""What the process that listens to a PBX tells of that."""

from __future__ import annotations

from callback.operations.vitals import Listening
from callback.service.committer import Committer
from telephony.listening.journal import Journal
from telephony.pbx import Pbx


def told(pbx: Pbx, journal: Journal, committer: Committer, committed_until: int, why_not: str) -> Listening:
    """Take it. `why_not` is why the connection was lost last; up to `committed_until` the journal is committed."""
    stats = pbx.stats
    return Listening(
        connected=pbx.ready,
        why_not="" if pbx.ready else why_not,
        level=pbx.is_level,
        behind_s=pbx.behind_s,
        clock_off_s=pbx.clock_off_s,
        messages=stats.messages,
        bytes=stats.bytes,
        reconnects=stats.reconnects,
        refused=dict(pbx.refused) | {"forged": stats.forged},
        journal_bytes=journal.end - journal.start,
        journal_most_bytes=journal.most_bytes,
        uncommitted_bytes=max(0, journal.end - max(journal.start, committed_until)),
        journal_full=pbx.gaps,
        commits_waiting=committer.waiting,
        oldest_waits_s=committer.delays.oldest_waits_s,
        commits=committer.delays.so_far,
    )
