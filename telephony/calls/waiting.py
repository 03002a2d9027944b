"""Which customers wait in which queue, as the events of their calls tell. Pure."""

from typing import Final

from telephony.calls.open_call import Draft
from telephony.events import (
    AgentConnect,
    ChannelEvent,
    Hangup,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
)

_NO_LONGER_WAITS: Final = (QueueCallerLeave, QueueCallerAbandon, AgentConnect)


class Waiting:
    """Counts who waits; callbacks of ours do not count."""

    def __init__(self) -> None:
        self._callers: dict[str, set[str]] = {}

    def count(self, queue: str) -> int:
        """Give how many customers wait in a queue."""
        return len(self._callers.get(queue, ()))

    def note(self, draft: Draft, event: ChannelEvent, now: int) -> None:
        """Take what an event of a call says of its wait."""
        if isinstance(event, (QueueCallerJoin, QueueEntry)):
            gone = any(
                isinstance(e, _NO_LONGER_WAITS) and e.queue == event.queue and e.at >= event.at for e in draft.events
            )
            if not gone and draft.call_id not in draft.gone:
                self._begin(draft, event.queue)
        elif isinstance(event, (*_NO_LONGER_WAITS, Hangup)) and draft.waits_in is not None:
            of_him = event.uniqueid == draft.call_id if isinstance(event, Hangup) else event.queue == draft.waits_in
            if of_him:
                draft.let_go_at = now
                self.end(draft)

    def end(self, draft: Draft) -> None:
        """Note that this caller waits no more."""
        if draft.waits_in is not None:
            callers = self._callers[draft.waits_in]
            callers.discard(draft.call_id)
            if not callers:
                del self._callers[draft.waits_in]
        draft.waits_in = None

    def _begin(self, draft: Draft, queue: str) -> None:
        self.end(draft)
        if not draft.placed:
            draft.waits_in = queue
            self._callers.setdefault(queue, set()).add(draft.call_id)
