"""The queue visits of a call, put together from the entries of its log in nearly any order. Pure.

An entry finds its visit by queue and by what the visit lacks; so lines of one second may come in any order, and twice.
Where the beginning does not stand in the log, the seconds that app_queue counted tell when it was. A caller is in one
queue at a time: where no end was written, a later visit shows that the one before it is over.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from telephony.calls.call import Side, VisitEnd
from telephony.ids import SECOND, usable
from telephony.queue_log.entries import Entry

NEAR: Final = 2 * SECOND
"""Two instants this close are one."""
MOST_VISITS: Final = 100
"""Of a call with more visits, the oldest but one are forgotten."""

_MOST_LINES: Final = 400
_POSITION_DIGITS: Final = 4
_PADDING: Final = ("", "", "0")  # a table of an old version may lack the position
_SHOWN: Final = 40
_DURATION_DIGITS: Final = 5  # a day and more


class Visit:
    """A queue visit while it is put together; it is open until it has an end.

    Rarely changed values are class attributes: to set them on millions of visits would take seconds.
    """

    connected_at: int | None = None
    agent: str | None = None
    ended_at: int | None = None
    end: VisitEnd | None = None
    key: str | None = None
    cancelled_at: int | None = None  # a phone that rang for the caller stopped because the caller left
    handed_on = False
    ended_by: Side | None = None

    def __init__(self, queue: str | None, joined_at: int, *, joined: bool = True) -> None:
        self.queue, self.joined_at = queue, joined_at
        self.joined = joined  # its beginning stands in the log

    @property
    def rang(self) -> bool:
        """Whether an agent's phone rang when it ended."""
        cancelled_at, ended_at = self.cancelled_at, self.ended_at
        return cancelled_at is not None and ended_at is not None and abs(ended_at - cancelled_at) <= NEAR


class PendingCall:
    """A call of the log that was not given out yet: it is open, or waits for what may still be written of it."""

    open = False  # the visit that began last has no end
    number: str | None = None
    in_doubt = False  # the number is from a doubtful line
    doubted: tuple[Entry, ...] = ()  # what may be forged, kept aside: it changes nothing that others tell
    did: str | None = None
    unanswered = 0  # phones that rang in vain
    credible = False  # not all of its lines may be forged
    forgot = False
    restart_at: int | None = None  # when the PBX started anew and it had not ended
    turns = 0  # changes whenever it opens or closes
    taken_over = False  # an agent's own call: another caller's talk with that agent ended under its id

    def __init__(self, call_id: str, first_at: int) -> None:
        self.call_id = call_id
        self.first_at = self.last_at = first_at
        self.visits: list[Visit] = []
        self.lines: list[tuple[str, str | None, int]] = []

    def keep(self, entry: Entry) -> bool:
        """Keep an entry as evidence; False if the same is kept already."""
        line = entry[4], entry[2], entry[0]
        if line in self.lines:
            return False
        self.lines.append(line)
        if len(self.lines) > _MOST_LINES:
            del self.lines[_MOST_LINES // 4 : -_MOST_LINES // 4]
        return True

    def doubt(self, entry: Entry) -> None:
        """Keep a doubtful entry aside, while there is room."""
        if len(self.doubted) < MOST_VISITS:
            self.doubted += (entry,)

    def begin(self, visit: Visit) -> Visit:
        """Add a visit."""
        if len(self.visits) >= MOST_VISITS:
            self.visits.pop(1)
            self.forgot = True
        self.visits.append(visit)
        self.update_open()
        return visit

    def update_open(self) -> None:
        """Set `open`: whether the caller may still be in the last queue."""
        visits = self.visits
        latest = max(visit.joined_at for visit in visits)
        self.open = any(visit.end is None and visit.joined_at == latest for visit in visits)

    def settle(self) -> tuple[int, int]:
        """Sort the visits, and give the sum of the waits and the sum of the talks, µs.

        A visit without an end was over when the next one began.
        """
        visits, until = self.visits, self.last_at
        if len(visits) > 1:
            visits.sort(key=lambda visit: visit.joined_at)
            for visit, following in pairwise(visits):
                if visit.end is None:
                    visit.ended_at = following.joined_at
        waited = talked = 0
        for visit in visits:
            ends_at = until if visit.ended_at is None else visit.ended_at
            answered_at = visit.connected_at
            if answered_at is None:
                waited += max(0, ends_at - visit.joined_at)
            else:
                waited += max(0, answered_at - visit.joined_at)
                talked += max(0, ends_at - answered_at)
        return waited, talked

    def talk_with(self, queue: str | None, agent: str | None) -> Visit | None:
        """Give the caller's talk with an agent of a queue."""
        for visit in reversed(self.visits):
            if visit.end is None and visit.connected_at is not None and (visit.queue, visit.agent) == (queue, agent):
                return visit
        return None

    def find(self, entry: Entry, waited: tuple[int, ...], *, connected: bool) -> Visit | None:
        """Give the visit without an end that an entry is about, with an agent or without.

        Of several the one that began as many seconds earlier as stand at `waited` in the data, else the latest.
        """
        if len(self.visits) == 1:  # nearly always
            only = self.visits[0]
            here = only.end is None and only.queue == entry[2] and (only.connected_at is not None) == connected
            return only if here else None
        found = [one for one in self.visits if one.end is None and one.queue == entry.queue]
        found = [one for one in found if (one.connected_at is not None) == connected]
        if len(found) > 1 and (began_at := before(entry, waited)) is not None:
            return min(found, key=lambda visit: abs(visit.joined_at - began_at))
        return found[-1] if found else None

    def begin_unseen(self, entry: Entry, waited: tuple[int, ...]) -> Visit:
        """Begin a visit whose beginning is not in the log."""
        began_at = before(entry, waited)
        return self.begin(Visit(entry.queue, entry.at if began_at is None else began_at, joined=False))

    def end(self, visit: Visit, at: int, end: VisitEnd) -> None:
        """End a visit."""
        visit.ended_at, visit.end = at, end
        if len(self.visits) == 1:  # nearly always; as update_open() does
            self.open = False
        else:
            self.update_open()


def _enter(pending: PendingCall, entry: Entry) -> None:
    number = _number(entry.data)
    if pending.number is None or (number is not None and pending.in_doubt and type(entry) is Entry):
        pending.number, pending.in_doubt = number, type(entry) is not Entry
    if not pending.visits and not pending.lines:  # nearly always; what is below does the same in twice the time
        pending.lines.append((entry[4], entry[2], entry[0]))
        pending.visits.append(Visit(entry[2], entry[0]))
        pending.open = True
        return
    new = pending.keep(entry)
    for visit in pending.visits:
        if not visit.joined and visit.queue == entry.queue and abs(visit.joined_at - entry.at) <= NEAR:
            visit.joined, visit.joined_at = True, entry.at
            pending.update_open()
            return
    if new:
        pending.begin(Visit(entry.queue, entry.at))


def _number(data: tuple[str, ...]) -> str | None:
    """Give the caller's number; None where it is none, or where a `|` in it shifted what follows."""
    if len(data) == len(_PADDING):  # nearly always
        return usable(data[1]) if data[2].isdigit() else None
    _, number, position, *more = *data, *_PADDING[len(data) :]
    shifted = any(more) and more[-1].isdigit() and len(more[-1]) <= _POSITION_DIGITS
    return usable(number) if position.isdigit() and not shifted else None


def _connect(pending: PendingCall, entry: Entry) -> None:
    if pending.keep(entry):
        visit = pending.find(entry, _HOLD, connected=False) or pending.begin_unseen(entry, _HOLD)
        visit.connected_at, visit.agent = entry[0], entry[3]


def end_talk(pending: PendingCall, entry: Entry) -> None:
    """End a talk, even if its beginning was not read."""
    if not pending.keep(entry):
        return
    places = _TALKS[entry[4]]
    visit = pending.find(entry, places, connected=True)
    if visit is None:
        visit = pending.find(entry, places, connected=False) or pending.begin_unseen(entry, places)
        visit.connected_at = max(visit.joined_at, before(entry, places[1:]) or visit.joined_at)
        visit.agent = entry.agent
    visit.ended_by = _ENDED_BY.get(entry[4])
    if visit.ended_by is None:
        visit.handed_on = True
    pending.end(visit, entry[0], "connected")


def _leave(pending: PendingCall, entry: Entry) -> None:
    """End a wait.

    Some versions and dialplans write two ends of one wait; then ABANDON counts less than the other.
    """
    if not pending.keep(entry):
        return
    end, waited = _ENDS[entry[4]], _WAITED.get(entry[4], ())
    visit = pending.find(entry, waited, connected=False) or _unserved(pending, entry, waited)
    if visit is None and (twice := _just_ended(pending, entry)) is not None:
        twice.end = end if twice.end == "abandoned" else twice.end
        return
    visit = visit or pending.begin_unseen(entry, waited)
    if end == "key" and entry.data:
        visit.key = entry.data[0][:_SHOWN]
    pending.end(visit, entry[0], end)


def _unserved(pending: PendingCall, entry: Entry, waited: tuple[int, ...]) -> Visit | None:
    """Give the visit that ABANDON is about although a talk is written of it: then the talk is forged."""
    began_at = before(entry, waited) if entry.event == "ABANDON" else None
    talks = [one for one in pending.visits if one.queue == entry.queue and one.connected_at is not None]
    visit = next((one for one in talks if began_at is not None and abs(one.joined_at - began_at) <= NEAR), None)
    if visit is not None:
        visit.connected_at = visit.agent = visit.ended_at = visit.end = visit.ended_by = None
        visit.handed_on = False
    return visit


def _just_ended(pending: PendingCall, entry: Entry) -> Visit | None:
    """Give the wait whose end an entry repeats; a dialplan may write it only after an announcement."""
    ended = [one for one in pending.visits if one.queue == entry.queue and one.end is not None]
    if entry.event in _BY_THE_DIALPLAN:
        return ended[-1] if ended else None
    ended = [one for one in ended if one.connected_at is None]
    return next((one for one in ended if abs(entry.at - (one.ended_at or 0)) <= NEAR), None)


def _refuse(pending: PendingCall, entry: Entry) -> None:
    if pending.keep(entry):
        pending.end(pending.begin(Visit(entry.queue, entry.at)), entry.at, _REFUSALS[entry.event])


def _cancel(pending: PendingCall, entry: Entry) -> None:
    for visit in pending.visits:
        if visit.queue == entry.queue and visit.connected_at is None:
            visit.cancelled_at = entry.at


def count_unanswered(pending: PendingCall, _entry: Entry) -> None:
    """Count a phone that rang and was not answered."""
    pending.unanswered += 1


def _note(pending: PendingCall, entry: Entry) -> None:
    if not entry.data:
        return
    if entry.event == "DID":
        pending.did = pending.did or entry.data[0][:_SHOWN]
    elif pending.number is None:
        pending.number = usable(entry.data[0])


def lasted(entry: Entry) -> tuple[int, ...]:
    """Give the places of the wait and of the talk in the data of an entry that ends a talk."""
    return _TALKS[entry.event]


def before(entry: Entry, places: tuple[int, ...]) -> int | None:
    """Give the instant so many seconds before an entry as stand at these places of its data; None if they do not."""
    at = entry.at
    for place in places:
        text = entry.data[place] if -len(entry.data) <= place < len(entry.data) else ""
        if not (text.isascii() and text.isdigit() and len(text) <= _DURATION_DIGITS):
            return None
        at -= int(text) * SECOND
    return at if places else None


_ENDS: Final[dict[str, VisitEnd]] = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timed-out",
    "EXITEMPTY": "left-empty",
    "EXITWITHKEY": "key",
    "WITHDRAW": "withdrawn",
    "SYSCOMPAT": "unserved",
    "LEAVEEMPTY": "left-empty",
    "LEAVEUNAVAIL": "left-empty",
}
_BY_THE_DIALPLAN: Final = frozenset({"LEAVEEMPTY", "LEAVEUNAVAIL"})  # what QUEUESTATUS was when Queue() had returned
_HOLD: Final = (0,)
_WAITED: Final = {**dict.fromkeys(("ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "WITHDRAW"), (2,)), "EXITWITHKEY": (3,)}
_REFUSALS: Final[dict[str, VisitEnd]] = {
    "FULL": "full",
    "JOINEMPTY": "join-empty",
    "JOINUNAVAIL": "join-empty",
    "CLOSED": "closed",
    "DIVERT_CA_RATIO": "diverted",
    "DIVERT_HOLDTIME": "diverted",
}
_ENDED_BY: Final[dict[str, Side]] = {"COMPLETECALLER": "customer", "COMPLETEAGENT": "agent"}
_TALKS: Final = {
    **dict.fromkeys(_ENDED_BY, (0, 1)),
    **dict.fromkeys(("TRANSFER", "BLINDTRANSFER"), (2, 3)),
    "ATTENDEDTRANSFER": (-3, -2),
}

PLACES: Final[dict[str, Callable[[PendingCall, Entry], None]]] = {
    "ENTERQUEUE": _enter,
    "CONNECT": _connect,
    **dict.fromkeys(_TALKS, end_talk),
    **dict.fromkeys(_ENDS, _leave),
    **dict.fromkeys(_REFUSALS, _refuse),
    "RINGNOANSWER": count_unanswered,
    "RINGCANCELED": _cancel,
    "DID": _note,
    "CALLERID": _note,
}
"""What an entry does to its call; events that are not here tell nothing of one."""
LOSSES: Final = frozenset({"ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "WITHDRAW", "SYSCOMPAT"})
"""LogReader of a wait by which somebody is lost."""
LOST: Final = frozenset(_ENDS[event] for event in LOSSES)
BEGINNINGS: Final = frozenset({"ENTERQUEUE", "DID", "CALLERID", *_REFUSALS})
