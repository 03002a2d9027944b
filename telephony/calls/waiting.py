"""Which customers wait in which queue, as the events of their calls tell. Pure."""

from collections.abc import Collection
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
from telephony.ids import SECOND
from telephony.values import value

_NO_LONGER_WAITS: Final = (QueueCallerLeave, QueueCallerAbandon, AgentConnect)
_TELLS_OF_A_WAIT: Final = kinds(*_NO_LONGER_WAITS, QueueCallerJoin, QueueEntry, Hangup)


@value
class Wait:
    """One customer's wait: since when, by the clock of the PBX, and the number as it was signalled to the queue."""

    since_at: int
    number: str


class Waiting:
    """Knows who waits; callbacks of ours do not count."""

    def __init__(self) -> None:
        self._callers: dict[str, dict[str, Wait]] = {}

    def in_queue(self, queue: str) -> Collection[Wait]:
        """Give the waits of a queue, in the order heard of."""
        return self._callers.get(queue, {}).values()

    def note(self, call: OpenCall, event: ChannelEvent, now: int) -> None:
        """Take what an event of a call says of its wait."""
        if type(event) not in _TELLS_OF_A_WAIT:
            return
        if isinstance(event, (QueueCallerJoin, QueueEntry)):
            gone = any(
                isinstance(e, _NO_LONGER_WAITS) and e.queue == event.queue and e.at >= event.at for e in call.events
            )
            if not gone and call.call_id not in call.gone:
                self._begin(call, event)
        elif isinstance(event, (*_NO_LONGER_WAITS, Hangup)) and call.waits_in is not None:
            of_him = event.uniqueid == call.call_id if isinstance(event, Hangup) else event.queue == call.waits_in
            if of_him:
                call.let_go_at = now
                self.end(call)

    def end(self, call: OpenCall) -> None:
        """Note that this caller waits no more."""
        if call.waits_in is not None:
            callers = self._callers[call.waits_in]
            callers.pop(call.call_id, None)
            if not callers:
                del self._callers[call.waits_in]
        call.waits_in = None

    def _begin(self, call: OpenCall, event: QueueCallerJoin | QueueEntry) -> None:
        self.end(call)
        if not call.placed:
            call.waits_in = event.queue
            waited_s = event.wait_s or 0 if isinstance(event, QueueEntry) else 0
            wait = Wait(event.at - waited_s * SECOND, event.number)
            self._callers.setdefault(event.queue, {})[call.call_id] = wait
