"""What the entries of a timeline say, a sentence each: the same on a terminal and on a page, in any language. Pure.

Sentences are English and are looked up in the screen's language; codes in them are said by the screen's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from callback.reports.queue.rows import Step
from callback.reports.timeline.again import Again
from callback.reports.timeline.entries import (
    Alarmed,
    Answered,
    Called,
    Choice,
    Counted,
    Decided,
    Entry,
    IncidentChanged,
    Judged,
    Promised,
    Texted,
    Told,
    Tried,
    Visited,
)
from callback.reports.timeline.evidence import EvidenceLine
from callback.reports.timeline.next_step import After, NextStep
from callback.store import audit
from scheduler.clock import SECOND
from scheduler.promise import APOLOGY

_DASH: Final = "\N{EN DASH}"  # what is not known


class Word(Protocol):
    """Says a code of a subject; `facts` are those of its row."""

    def __call__(self, subject: Any, code: str, /, **facts: object) -> str:  # noqa: ANN401 - the screen's own subjects
        """Give the words."""
        ...


def _plain(said: str) -> str:
    return said


@dataclass(frozen=True, slots=True)
class Speech:
    """How a screen speaks: its words for codes, its clock, its language, and what it does to strangers' words."""

    word: Word
    time: Callable[[int], str]
    translate: Callable[[str], str] = _plain
    foreign: Callable[[str], str] = _plain


def said(entry: Entry, speech: Speech) -> str:
    """Put an entry into words, on one line."""
    return _SAY[type(entry)](entry, speech)


def _called(entry: Called, speech: Speech) -> str:
    _ = speech.translate
    queue, trunk = speech.foreign(entry.queue or ""), entry.trunk
    if not entry.queue:
        return (_("called again over {trunk}") if entry.again else _("called over {trunk}")).format(trunk=trunk)
    sentence = _("called {queue} again, over {trunk}") if entry.again else _("called {queue}, over {trunk}")
    return sentence.format(queue=queue, trunk=trunk)


def _visited(entry: Visited, speech: Speech) -> str:
    _ = speech.translate
    facts = {"queue": speech.foreign(entry.queue), "ended": speech.word("visit", entry.ended_by)}
    if entry.talked_us or entry.ended_by == "connected":
        facts |= {"agent": speech.foreign(entry.agent or _DASH), "talked": lasted(entry.talked_us)}
        facts |= {"waited": lasted(entry.waited_us or 0)}
        return _("joined {queue}, waited {waited}, talked with {agent} for {talked}").format(**facts)
    if entry.waited_us is None:
        return _("joined {queue}: {ended}").format(**facts)
    return _("joined {queue}, waited {waited}: {ended}").format(waited=lasted(entry.waited_us), **facts)


def _judged(entry: Judged, speech: Speech) -> str:
    _ = speech.translate
    facts: dict[str, str] = {"verdict": verdict(entry.kind, entry.reason, speech), "waited": lasted(entry.waited_us)}
    if entry.source == "person":
        sentence = _("corrected by a person: {verdict}")
    elif entry.version > 1:
        sentence = _("judged better: {verdict}")
    elif entry.lost:
        sentence = _("LOST: {verdict}")
    else:
        sentence = "{verdict}"
    parts = [sentence.format(**facts)]
    if entry.waited_us:
        parts.append(_("waited {waited}").format(**facts))
    if entry.talked_us:
        parts.append(_("talked {talked}").format(talked=lasted(entry.talked_us)))
    if entry.lost and entry.newest and not entry.counted:
        parts.append(_("nobody is called back: {why}").format(why=speech.word("recovery", entry.recovery)))
    return ", ".join(parts)


def _counted(entry: Counted, speech: Speech) -> str:
    _ = speech.translate
    sentence = _("joined the callback that is owed") if entry.joined else _("a callback is owed for it")
    if entry.incident is None:
        return sentence
    return _("{counted}, in incident {incident}").format(counted=sentence, incident=entry.incident)


def _incident(entry: IncidentChanged, speech: Speech) -> str:
    _ = speech.translate
    facts = {"incident": entry.incident, "cause": speech.foreign(entry.cause), "losses": entry.losses}
    if entry.began:
        return _("incident {incident} began: {losses} losses of {cause} by now").format(**facts)
    return _("incident {incident} was over").format(**facts)


def _promised(entry: Promised, speech: Speech) -> str:
    _ = speech.translate
    by = speech.time(entry.deadline_at)
    if entry.reason == APOLOGY:
        return _("a new time was told: by {by}").format(by=by)
    facts = {"number": entry.number, "by": by, "aim": speech.time(entry.aim_at)}
    facts |= {"why": speech.word("promise", entry.reason), "start": speech.time(entry.clock_starts_at)}
    if entry.clock_starts_at > entry.at:
        return _("promise {number}: from {start}, aim {aim}, by {by}: {why}").format(**facts)
    return _("promise {number}: aim {aim}, by {by}: {why}").format(**facts)


def _alarmed(entry: Alarmed, speech: Speech) -> str:
    _ = speech.translate
    if entry.over:
        return _("promises of {group} are in danger no more").format(group=entry.group)
    until = _DASH if entry.until_at is None else speech.time(entry.until_at)
    facts = {"group": entry.group, "due": entry.due, "missed": entry.missed, "more": entry.more, "until": until}
    told = _("alarm: {missed} of {due} promises of {group} will be missed").format(**facts)
    return told + _("; {more} more agents until {until} would keep them").format(**facts)


def _texted(entry: Texted, speech: Speech) -> str:
    _ = speech.translate
    facts = {"what": speech.word("template", entry.template), "fate": speech.word("text", entry.fate)}
    if entry.reason is None:
        return _("text, {what}: {fate}").format(**facts)
    return _("text, {what}: {fate}: {why}").format(why=speech.foreign(entry.reason), **facts)


def _decided(entry: Decided, speech: Speech) -> str:
    _ = speech.translate
    own = {audit.CUSTOMER: _("the customer"), audit.SERVICE: _("the service")}
    who = own.get(entry.who) or speech.foreign(entry.who)
    what = speech.word("action", entry.action)
    more = _MORE.get(entry.action)
    if more is not None and (told := more(entry.facts, speech)):
        what = f"{what} {told}"
    if "held_no_more" in entry.facts:
        what = _("{what}; held no more").format(what=what)
    return _("{who} {what}: {why}").format(who=who, what=what, why=speech.foreign(entry.why))


def _answered(entry: Answered, speech: Speech) -> str:
    _ = speech.translate
    if entry.score is not None and not entry.body:
        return _("judged the callback: {score} of 5").format(score=entry.score)
    body = speech.foreign(entry.body or entry.wish)
    if entry.state == "open":
        return _("wrote: {body} (waits for a person, answer {answer})").format(body=body, answer=entry.answer)
    by = _("the service") if entry.done_by is None else speech.foreign(entry.done_by)
    return _("wrote: {body} (done by {by})").format(body=body, by=by)


def _tried(entry: Tried, speech: Speech) -> str:
    _ = speech.translate
    facts = {"number": entry.number, "trunk": entry.trunk}
    if entry.agent_connected_at is None:
        begun = _("try {number} over {trunk}").format(**facts)
        if entry.agent is not None:
            begun = _("{begun}, with {agent}").format(begun=begun, agent=speech.foreign(entry.agent))
    else:
        facts |= {"agent": speech.foreign(entry.agent or _DASH), "after": lasted(entry.agent_connected_at - entry.at)}
        begun = _("try {number} over {trunk}, {agent} answered in {after}").format(**facts)
    if entry.outcome is None:
        return _("{begun}: under way").format(begun=begun)
    outcome = speech.word("outcome", entry.outcome)
    rang = "" if entry.customer_dialled_at is not None else _("; the customer's phone did not ring")
    costs = "" if entry.counted else _("; costs no try")
    return _("{begun}: {outcome}").format(begun=begun, outcome=outcome) + rang + costs


def _told(entry: Told, speech: Speech) -> str:
    tell = _EVENTS.get(entry.name)
    return entry.name.replace("-", " ") if tell is None else tell(entry.facts, speech)


def verdict(kind: str, reason: str | None, speech: Speech) -> str:
    """Say a verdict: what happened to the caller, and how."""
    word = speech.word("kind", kind)
    return word if reason is None else f"{word}: {speech.word('reason', reason)}"


def chosen(choice: Choice, speech: Speech) -> str:
    """Say why an attempt was made just then."""
    _ = speech.translate
    facts = {"lane": speech.word("why-not", choice.why), "free": len(choice.agents), "others": choice.of - 1}
    said = [_("{lane}; {free} agents were free, {others} others were looked at").format(**facts)]
    said += [f"{many} x {speech.word('why-not', why)}" for why, many in choice.others.items()]
    if choice.binds:
        said.append(_("its deadline bound"))
    return "; ".join(said)


def heard(line: EvidenceLine, speech: Speech) -> str:
    """Say a line of evidence: what it means where there is a word for that, and as Asterisk told it."""
    if not line.name:
        return speech.foreign(line.detail)
    told = f"{line.name} {speech.foreign(line.detail)}".strip()
    meaning = speech.word("heard", line.name)
    return told if meaning == line.name else f"{meaning} ({told})"


def follows(after: After, speech: Speech) -> str:
    """Say what follows an attempt with one of these outcomes."""
    _ = speech.translate
    outcomes = ", ".join(speech.word("outcome", outcome) for outcome in after.outcomes)
    if after.then == "kept":
        return _("{outcomes}: the promise is kept").format(outcomes=outcomes)
    if after.then == "given-up":
        return _("{outcomes}: given up, and told so").format(outcomes=outcomes)
    facts = {"outcomes": outcomes, "after": lasted((after.again_s or 0) * SECOND)}
    told = _("{outcomes}: again after {after}").format(**facts)
    return told if after.counts else told + _("; costs no try")


def next_said(step: NextStep, speech: Speech) -> list[str]:
    """Say the next step, shortest first: what is in the way, the place in turn, and the tries that are left."""
    _ = speech.translate
    row = step.row
    if row.stage is not None:
        facts = {"agent": speech.foreign(row.stage.agent or _DASH), "since": speech.time(row.stage.since_at)}
        said = [_STAGES[row.stage.step](speech).format(**facts)]
    else:
        held = {"held_by": row.held_by or _DASH, "held_why": row.held_why or _DASH}
        about = {name: speech.foreign(value) for name, value in held.items()}
        word = speech.word("why-not", row.why.word, trunk=row.trunk, queue=row.queue, incident=row.incident, **about)
        until = row.why.until_at
        said = [word if until is None else _("{word}, until {until}").format(word=word, until=speech.time(until))]
    if row.why.free_at is not None:
        said.append(_("the next agent is free at about {at}").format(at=speech.time(row.why.free_at)))
    if step.place is not None:
        said.append(_("{place} of {of} in turn").format(place=step.place, of=step.of))
    said.append(_("{tries} tries left").format(tries=step.tries_left))
    return said


def lasted(us: int) -> str:
    """Give a duration as minutes and seconds, with hours where there are any."""
    seconds = max(0, us) // SECOND
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _slot(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("at {at}").format(at=speech.time(facts["slot_at"]))


def _postpone(facts: Mapping[str, Any], speech: Speech) -> str:
    """What the customer was promised stays; where the new time lies after it, that is said."""
    _ = speech.translate
    times = {"until": speech.time(facts["due_at"]), "by": speech.time(facts["deadline_at"])}
    if facts["due_at"] > facts["deadline_at"]:
        return _("until {until}; the deadline stays {by}, before that").format(**times)
    return _("until {until}; the deadline stays {by}").format(**times)


def _call_now(facts: Mapping[str, Any], speech: Speech) -> str:
    """Whom it overtakes; an audit of earlier days does not say."""
    _ = speech.translate
    return _("before {others} others").format(others=facts["overtakes"]) if "overtakes" in facts else ""


def _assign(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("to {to}").format(to=speech.foreign(facts["to"])) if facts["to"] else _("to nobody")


def _cancelled(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("with the number ({action})").format(action=speech.word("action", facts["by"])) if "by" in facts else ""


def _lost(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("instead of {reservation}").format(reservation=f"#{facts['instead_of']}")


def _by_hand(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    lasted_for = lasted(round(facts["talked_s"] * SECOND))
    return _("from {phone}, for {talked}").format(phone=speech.foreign(facts["phone"]), talked=lasted_for)


def _correct(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    was, now = (verdict(facts[f"{one}kind"], facts[f"{one}reason"], speech) for one in ("was_", ""))
    return _("from {was} to {now}").format(was=was, now=now)


def _wrap_up(facts: Mapping[str, Any], speech: Speech) -> str:
    """What was said, and where it goes on, or came from."""
    _ = speech.translate
    said = speech.word("wrap-up", facts["outcome"])
    if facts["cause"]:
        said = f"{said}, {speech.word('wrap-up-cause', facts['cause'])}"
    if "instead_of" in facts:
        return _("{said}, in callback {reservation}").format(said=said, reservation=f"#{facts['instead_of']}")
    if "goes_on" in facts:
        return _("{said}; it goes on as {reservation}").format(said=said, reservation=f"#{facts['goes_on']}")
    return said


_MORE: Final[Mapping[str, Callable[[Mapping[str, Any], Speech], str]]] = {
    "slot": _slot,
    "postpone": _postpone,
    "call-now": _call_now,
    "assign": _assign,
    "cancelled": _cancelled,
    "lost": _lost,
    "called-by-hand": _by_hand,
    "correct": _correct,
    "wrap-up": _wrap_up,
}
"""What a decision's facts add to its action."""


def _put_first(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("called again and was put first in {queue}").format(queue=speech.foreign(str(facts.get("queue"))))


def _rests(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("an agent rang by hand; no call before {until}").format(until=speech.time(facts["until_at"]))


def _returned(_facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("was served by another call: nothing more is owed")


def _expired(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("left to people: {why}").format(why=speech.word("expired", str(facts.get("why"))))


def _cancelled_by_us(facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("the service cancelled it: {why}").format(why=speech.word("recovery", str(facts.get("why"))))


def _withdrawn(_facts: Mapping[str, Any], speech: Speech) -> str:
    _ = speech.translate
    return _("by a better verdict the call was not lost after all")


_EVENTS: Final[Mapping[str, Callable[[Mapping[str, Any], Speech], str]]] = {
    "put-first": _put_first,
    "rests-after-own-call": _rests,
    "returned": _returned,
    "expired": _expired,
    "cancelled": _cancelled_by_us,
    "withdrawn": _withdrawn,
}


def _agent_rings(speech: Speech) -> str:
    _ = speech.translate
    return _("an agent is looked for since {since}")


def _agent_answered(speech: Speech) -> str:
    _ = speech.translate
    return _("{agent} answered at {since}, the customer is dialled")


def _customer_rings(speech: Speech) -> str:
    _ = speech.translate
    return _("the customer's phone rings since {since}, {agent} waits")


def _customer_waits(speech: Speech) -> str:
    _ = speech.translate
    return _("the customer answered at {since} and waits for an agent")


def _talks(speech: Speech) -> str:
    _ = speech.translate
    return _("talks with {agent} since {since}")


_STAGES: Final[Mapping[Step, Callable[[Speech], str]]] = {
    "agent-rings": _agent_rings,
    "agent-answered": _agent_answered,
    "customer-rings": _customer_rings,
    "customer-answered": _customer_waits,
    "talking": _talks,
}

_SAY: Final[Mapping[type[Entry], Callable[[Any, Speech], str]]] = {
    Called: _called,
    Visited: _visited,
    Judged: _judged,
    Counted: _counted,
    IncidentChanged: _incident,
    Promised: _promised,
    Alarmed: _alarmed,
    Texted: _texted,
    Decided: _decided,
    Answered: _answered,
    Tried: _tried,
    Told: _told,
}


def judged_again(again: Again, speech: Speech) -> str:
    """Say what the rules of today would make of a loss, or why that is not known."""
    _ = speech.translate
    versions = {"version": again.version, "was": again.was}
    if again.why_not is not None:
        return speech.word("again", again.why_not)
    if again.no_callback is not None:
        why = speech.word("recovery", again.no_callback)
        told = _("by today's rules (version {version}, not {was}) nobody is called back: {why}")
        return told.format(why=why, **versions)
    times = {"aim": speech.time(again.aim_at or 0), "by": speech.time(again.deadline_at or 0)}
    return _("by today's rules (version {version}, not {was}): aim {aim}, by {by}").format(**times, **versions)
