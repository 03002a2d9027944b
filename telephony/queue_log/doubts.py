"""Doubtful lines of a call: when they are believed all the same, and which talks are not believed. Pure."""

from telephony.queue_log.visits import LOSSES, LOST, PLACES, PendingCall, Visit


def believe(pending: PendingCall) -> bool:
    """Let doubtful lines end a call that no other line ends: lost, rather than served. Gives whether one did."""
    for entry in sorted(pending.doubted, key=lambda entry: entry.event not in LOSSES):
        if pending.open:
            PLACES[entry.event](pending, entry)
            pending.last_at = max(pending.last_at, entry.at)
    pending.doubted = ()
    pending.turns += 1
    return not pending.open


def disbelieve(pending: PendingCall) -> int:
    """Remove talks after a loss without a new ENTERQUEUE before them; gives how many."""
    if len(pending.visits) == 1:  # nearly always
        return 0
    lost_at = min((visit.ended_at or 0 for visit in pending.visits if visit.joined and visit.end in LOST), default=None)
    if lost_at is None:
        return 0
    entered = {entry.queue for entry in pending.doubted if entry.event == "ENTERQUEUE"}

    def stands(visit: Visit) -> bool:
        connected_at = visit.connected_at
        return visit.joined or connected_at is None or visit.queue in entered or connected_at < lost_at

    kept = [visit for visit in pending.visits if stands(visit)]
    removed, pending.visits = len(pending.visits) - len(kept), kept
    return removed
