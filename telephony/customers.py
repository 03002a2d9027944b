"""Which calls are customers': who came in on a trunk, or else whoever reached a queue or was refused. Pure."""

from collections import Counter
from typing import Final

from telephony.before import PLAIN
from telephony.call import Call
from telephony.draft import Draft
from telephony.ids import epoch_of

STRANGERS: Final = 100
"""Names of what calls came in on beside the trunks; more of them are not told apart."""


class Customers:
    """Tells customers' calls by `trunks`, what the names of their channels begin with; empty: nobody said.

    `strangers` counts calls that reached a queue and are no customer's, because they came in on something else, by
    its name. Where customers are among them, a trunk is missing.
    """

    def __init__(self, trunks: tuple[str, ...]) -> None:
        self.strangers: Counter[str] = Counter()
        self._trunks = trunks

    def may_be(self, draft: Draft) -> bool:
        """Tell whether it is a customer's call, or one that a program placed; or may be a customer's."""
        if epoch_of(draft.call_id) is None or (draft.placed and draft.queued):
            return True
        if self._trunks and draft.channel and not draft.channel.startswith(self._trunks):
            self._count(draft)
            return False
        if draft.queued:
            return True  # though nothing was heard of its own channel: he may stand behind a Local one
        candidate = bool(draft.channel) if self._trunks else not draft.met
        return candidate and not (draft.outgoing or draft.placed)

    def is_one(self, draft: Draft, call: Call) -> bool:
        """Tell whether what may have been a customer's call is one, now that it is put together.

        Where no trunks are known and it reached no queue, that is so if the PBX refused it.
        """
        refused = call.complete and call.refused_with is not None and call.cause not in PLAIN
        return draft.queued or call.placed or bool(self._trunks) or refused

    def _count(self, draft: Draft) -> None:
        name = draft.channel.rpartition("-")[0]
        if draft.queued and (name in self.strangers or len(self.strangers) < STRANGERS):
            self.strangers[name] += 1
