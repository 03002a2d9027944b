"""Which customers wait in which queue, as the events of their calls tell. Pure."""

from typing import Final

from telephony.calls.open_call import OpenCall
from telephony.events import (
    AgentConnect,
    ChannelEvent,
    Hangup,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
    kinds,
)

_NO_LONGER_WAITS: Final = (QueueCallerLeave, QueueCallerAbandon, AgentConnect)
_TELLS_OF_A_WAIT: Final = kinds(*_NO_LONGER_WAITS, QueueCallerJoin, QueueEntry, Hangup)


class Waiting:
    """Counts who waits; callbacks of ours do not count."""

    def __init__(self) -> None:
        self._callers: dict[str, set[str]] = {}

    def count(self, queue: str) -> int:
        """Give how many customers wait in a queue."""
        return len(self._callers.get(queue, ()))

    def note(self, call: OpenCall, event: ChannelEvent, now: int) -> None:
        """Take what an event of a call says of its wait."""
        if type(event) not in _TELLS_OF_A_WAIT:
            return
        if isinstance(event, (QueueCallerJoin, QueueEntry)):
            gone = any(
                isinstance(e, _NO_LONGER_WAITS) and e.queue == event.queue and e.at >= event.at for e in call.events
            )
            if not gone and call.call_id not in call.gone:
                self._begin(call, event.queue)
        elif isinstance(event, (*_NO_LONGER_WAITS, Hangup)) and call.waits_in is not None:
            of_him = event.uniqueid == call.call_id if isinstance(event, Hangup) else event.queue == call.waits_in
            if of_him:
                call.let_go_at = now
                self.end(call)

    def end(self, call: OpenCall) -> None:
        """Note that this caller waits no more."""
        if call.waits_in is not None:
            callers = self._callers[call.waits_in]
            callers.discard(call.call_id)
            if not callers:
                del self._callers[call.waits_in]
        call.waits_in = None

    def _begin(self, call: OpenCall, queue: str) -> None:
        self.end(call)
        if not call.placed:
            call.waits_in = queue
            self._callers.setdefault(queue, set()).add(call.call_id)
