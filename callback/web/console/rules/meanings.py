"""What each setting of the rules is, in a few words that stand alone; docs/settings.md has them with all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


MEANINGS: Final[Mapping[str, str]] = {
    "zone": _("time zone of the site, as in Europe/Berlin"),
    "opening": _("open hours, as in 09:00-12:00, 13:00-18:00; empty: closed, and where no day has hours, always open"),
    "holidays_of": _("public holidays of this country or region: JP, or US-CA"),
    "holidays": _("closed on these dates too"),
    "no_holidays": _("at work on these dates, though they are holidays"),
    "special": _("own hours of single dates, a line each: 2026-02-14 = 09:00-18:00"),
    "no_ring_after": _("no customer's phone rings after, on the customer's clock"),
    "no_ring_before": _("no customer's phone rings before, on the customer's clock"),
    "window_min": _("a lost caller is promised a call within"),
    "aim_min": _("our own aim within that promise"),
    "silent_min": _("promise after a silent call"),
    "dropped_min": _("promise after a call that was cut off"),
    "before_cut_min": _("with less time than this left today, the promise is for the next opening"),
    "overdue_min": _("after a broken promise, the new time is within"),
    "short_abandon_s": _("who gave up sooner than this is recorded only"),
    "slot_room": _("how many customers may choose one half hour of one queue"),
    "max_tries": _("tries until a second text is sent and it ends"),
    "retry_busy_min": _("try again after a busy line"),
    "retry_no_answer_min": _("try again after nobody, or a machine, answered"),
    "retry_unknown_min": _("try again after an attempt whose end nobody heard"),
    "retry_our_fault_min": _("try again after a trunk or an agent failed; this costs no try"),
    "agent_wait_s": _("a free agent is sought for one attempt, at most"),
    "ring_s": _("the customer's phone rings, at most"),
    "reached_after_s": _("a talk counts as reached after"),
    "rings_a_day": _("rings of one customer's phone in a day, at most"),
    "trunk_rest_s": _("a trunk that failed three times rests for; each time twice as long"),
    "own_calls": _("what an agent's own call to the customer does"),
    "own_call_grace_s": _("after such a call ended, we dial no sooner than"),
    "text_grace_s": _("before the first text; who calls again at once gets none"),
    "texts_a_day": _("texts to one person in 24 hours, at most"),
    "texts_a_block": _("texts in an hour to one block of 10,000 numbers, at most"),
    "texts_an_hour": _("texts in an hour altogether, at most"),
    "ask_after": _("ask by text after a callback: solved, and satisfied from 1 to 5?"),
    "incident_losses": _("more losses than this of one queue, reason and trunk are an incident …"),
    "incident_min": _("… when they come within"),
    "incident_drain_per_min": _("held callers let go in a minute, after it"),
    "one_ring_s": _("who hangs up sooner than this rang once"),
    "one_ring_numbers": _("so many numbers of one thousand that rang once are a trap"),
    "one_ring_min": _("when they did so within"),
    "dids": _("queue of each number dialled, a line each: number = queue"),
    "default_queue": _("queue of calls on other numbers; empty: not ours"),
    "returning_priority": _("priority of a customer who calls again before we called; 0: none"),
    "pacing.keep_free": _("agents kept free, whatever the load"),
    "pacing.most_at_once": _("callbacks under way at once, at most"),
    "pacing.binds_min": _("so long before its deadline a callback waits its turn like a caller"),
    "pacing.price_in_aim": _("callers who may hang up for one callback within its aim"),
    "pacing.price_in_window": _("the same after its aim, before its deadline"),
    "pacing.price_overdue": _("the same after its deadline, where no other promise is held back"),
    "pacing.price_binding": _("the same while its deadline binds; agents kept free do not hold it back"),
    "queues.texts": _("texts to its lost callers"),
    "queues.calls": _("callbacks to its lost callers"),
    "queues.only_numbers": _("act for these numbers alone, each with + and its country's code; empty: for all"),
    "queues.caller_id": _("the number that the customer sees, which leads back into the queue"),
    "queues.caller_name": _("the name beside it"),
    "queues.group": _("group of queues: who is served in one of them is served in all"),
    "queues.detect_silence": _("detect silence in every talk; costs native bridging"),
    "queues.language": _("language of its texts"),
    "queues.text_from": _("account that its texts go by; empty: the first"),
    "queues.record": _("record callbacks"),
    "queues.first": _("whom a callback rings first"),
    "queues.tell_number": _("text this queue's number to whom another had to hand on to it"),
    "quiet.no_ring_after": _("no phone rings after; empty: as for the site"),
    "quiet.no_ring_before": _("no phone rings before; empty: as for the site"),
    "quiet.days": _("days on which phones may ring"),
}
"""By key; those of every queue as `queues.`, of every country or trunk as `quiet.`."""
