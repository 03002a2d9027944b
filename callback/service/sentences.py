"""A sentence for each event, as the narrator tells it to people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callback import events as e
from callback.events import Happened
from callback.store import audit_words

Time = Callable[[int], str]


def words(one: Happened, time: Time) -> str:
    """Give an event in words."""
    sentence = _SENTENCES.get(type(one.event))
    if sentence is not None:
        return sentence(one.event, time)
    about = _ABOUT_SOMEBODY.get(type(one.event))
    return plainly(one) if about is None else about(one.event, one.number or "no number", time)


def plainly(one: Happened) -> str:
    """Give its facts as they are."""
    return ", ".join(f"{key} {value}" for key, value in one.facts.items() if value is not None)


def _call(event: e.CallJudged, number: str, _time: Time) -> str:
    why = ", ".join(word for word in (event.reason, event.side and f"{event.side} side") if word)
    kind = f"{event.kind} ({why})" if why else event.kind
    talked = f", talked {event.talked_s:.0f} s" if event.talked_s else ""
    return f"{number} in {event.queue or 'no queue'}: {kind}, waited {event.waited_s:.0f} s{talked}"


def _reserved(event: e.Reserved, number: str, time: Time) -> str:
    text = "a text follows" if event.text else "no text (`callback queue` says why)"
    text = "held until its incident has passed" if event.held else text
    by = f"aim {time(event.aim_at)}, deadline {time(event.deadline_at)}"
    return f"#{event.reservation} {number} for {event.queue}: {by} ({event.promise}); {text}"


def _follow_up(event: e.FollowUpReserved, number: str, time: Time) -> str:
    by = f"from {time(event.clock_starts_at)}, deadline {time(event.deadline_at)}"
    return f"#{event.reservation} {number} for {event.queue}: a follow-up of {event.about}, {by}"


def _not_recovered(event: e.NotRecovered, number: str, _time: Time) -> str:
    return f"{number}: {event.why}"


def _expired(event: e.Expired, number: str, _time: Time) -> str:
    return f"#{event.reservation} {number} in {event.queue} is left to people: {event.why.replace('-', ' ')}"


def _put_first(event: e.PutFirst, number: str, _time: Time) -> str:
    return f"{number} calls again and is put first in {event.queue}"


_ABOUT_SOMEBODY: dict[type[e.Event], Callable[[Any, str, Time], str]] = {
    e.CallJudged: _call,
    e.Reserved: _reserved,
    e.FollowUpReserved: _follow_up,
    e.NotRecovered: _not_recovered,
    e.Expired: _expired,
    e.PutFirst: _put_first,
}


def _merged(event: e.Merged, time: Time) -> str:
    return f"#{event.reservation} lost again ({event.losses} times); deadline {time(event.deadline_at)}"


def _trunk_unclear(event: e.TrunkUnclear, _time: Time) -> str:
    return f"{event.trunk}: a number may be two people's, so it is not called; `callback doctor` says what to set"


def _held(event: e.Held, _time: Time) -> str:
    why = {"one-ring-burst": "many numbers of its block rang once"}.get(event.why, event.why)
    return f"#{event.reservation} is held until a person resumes it: {why}"


def _carried_over(event: e.CarriedOver, time: Time) -> str:
    again = f"due {time(event.from_at)}, deadline {time(event.deadline_at)}"
    return f"#{event.reservation} not kept today: {again}"


def _dialling(event: e.Dialling, _time: Time) -> str:
    return f"#{event.reservation} attempt {event.number}: looking for an agent of {event.queue}"


def _agent_connected(event: e.AgentConnected, _time: Time) -> str:
    return f"#{event.reservation} {event.agent or 'an agent'} answered; now the customer"


def _attempt_ended(event: e.AttemptEnded, time: Time) -> str:
    again = f"; again at {time(event.again_at)}" if event.again_at else ""
    known = event.state in (event.outcome, "waiting")
    return f"#{event.reservation} {event.outcome}{'' if known else f': {event.state}'}{again}"


def _called_by_hand(event: e.CalledByHand, _time: Time) -> str:
    return f"#{event.reservation} {event.phone} rang the customer, and they talked: nothing more is owed"


def _rests_after_own_call(event: e.RestsAfterOwnCall, time: Time) -> str:
    return f"#{event.reservation} {event.phone} rang the customer: not called before {time(event.until_at)}"


def _pbx_down(event: e.PbxDown, time: Time) -> str:
    still = "away" if event.still_since_at is None else f"still away, since {time(event.still_since_at)}"
    remedy = "" if event.remedy is None else f"; {event.remedy}"
    return f"{event.pbx} is {still}: {event.why}{remedy}"


def _gap(event: e.GapClosed, time: Time) -> str:
    when = f"nobody listened from {time(event.since_at)} to {time(event.until_at)}"
    if event.why_not:
        return f"{when}; who called then is not known: {event.why_not}"
    logs = "queue_log and call records tell" if event.recorded else "queue_log tells"
    told = f"{when}; {logs} of {event.calls} calls that ended about then"
    if event.unproved:
        told += f", {event.unproved} of them not proved: nobody is called back for those unasked"
    if event.forged:
        told += f"; callers wrote {event.forged} lines of their own into it"
    if event.recorded:
        return told
    minutes = (event.until_at - event.since_at) / 60e6
    return (
        f"{told}; who came to no queue, or only talked, in these {minutes:.1f} minutes nobody can tell: see [pbx] cdr"
    )


def _decided(event: e.Decided, time: Time) -> str:
    whose = "" if event.reservation is None else f"#{event.reservation} "
    return f"{whose}{audit_words.words(event.action, event.about, time)} by {event.who}: {event.why}"


def _in_danger(event: e.PromisesInDanger, time: Time) -> str:
    many = "1 more agent" if event.more == 1 else f"{event.more} more agents"
    missed = f"{event.missed} of {event.due} will miss their time"
    return f"{event.group}: {missed}; {many} until {time(event.until_at)} would hold it"


def _out_of_danger(event: e.PromisesOutOfDanger, time: Time) -> str:
    return f"{event.group}: no promise is in danger any more (it was since {time(event.raised_at)})"


def _help_asked(event: e.HelpAsked, time: Time) -> str:
    many = "1 more agent" if event.more == 1 else f"{event.more} more agents"
    kept = f"{event.before} promises would be missed, with them {event.after}"
    return f"{event.group}: {event.who} asks for {many} until {time(event.until_at)}; {kept}"


def _overdue(event: e.Overdue, time: Time) -> str:
    text = "a text says so" if event.text else "no text, so nobody told the customer"
    return f"#{event.reservation} is overdue: told {time(event.by_at)}; {text}"


def _incident(event: e.IncidentChanged, _time: Time) -> str:
    by = f" by {event.who}: {event.why}" if event.who else ""
    lost = f" ({event.losses} calls lost)" if event.losses is not None else ""
    return f"{event.incident} {event.cause}{lost}: {_INCIDENT[event.state]}{by}"


_INCIDENT = {
    "holding": "nobody is called or texted for it until it has passed",
    "draining": "it has passed; those it held are called and texted bit by bit",
    "released": "those it held are let go, bit by bit",
    "dropped": "those it held are cancelled",
    "over": "it is over",
}


def _trunk_resting(event: e.TrunkResting, time: Time) -> str:
    words = "still fails" if event.again else "failed several times in a row"
    return f"trunk {event.trunk} {words}: nobody is called over it until {time(event.until_at)}, then one"


def _stuck(event: e.TextsRefused | e.TextsDelayed, _time: Time) -> str:
    many = "1 text" if event.texts == 1 else f"{event.texts} texts"
    lost = f", {event.lost} of them lost" if event.lost else ""
    by = f" by {event.line}" if event.line else ""
    return f"{many}{by} of the last hour{lost}: {event.why}"


def _webhook_disabled(event: e.WebhookDisabled, _time: Time) -> str:
    why = _DISABLED.get(event.why, event.why)
    return f"{event.host} is told nothing any more: {why}; the console, Programs, switches endpoint {event.endpoint} on"


_DISABLED = {
    "gone": "it answered 410",
    "failing": "it took nothing for 5 days",
    "full": "too many messages wait for it",
}


def _agents_silent(event: e.AgentsSilent, time: Time) -> str:
    rung = f"{event.times} callbacks of {event.queue} since {time(event.since_at)} found agents free"
    return f"{rung} who did not answer: let them pause, or look at their phones"


def _rules(event: e.RulesInForce, _time: Time) -> str:
    return f"version {event.version} of the rules" + (f", by {event.who}: {event.why}" if event.who else "")


def _rules_conflict(event: e.RulesConflict, _time: Time) -> str:
    keys = ", ".join(event.keys)
    stands = f"the settings file was changed ({keys}), but version {event.version}, which people published, is in force"
    return f"{stands}: `callback rules take-file` or `callback rules keep` decides"


def _started(event: e.Started, _time: Time) -> str:
    journal = f", from byte {event.journal_from} of its journal on" if event.journal_from else ""
    return f"listening to {event.pbx}{journal}"


def _pbx(event: e.PbxJournalFull | e.PbxRefused | e.PbxBehind | e.PbxLevel | e.PbxStrangers, _time: Time) -> str:
    return f"{event.pbx}: {event.why}"


def _trouble(event: e.NodeGone | e.ClockOff | e.DiskLow | e.RedisAway, _time: Time) -> str:
    return f"{event.about}: {event.why}"


def _restored(event: e.Restored, time: Time) -> str:
    return f"restored from a backup of {time(event.backup_at)}; {event.texts} texts that waited may have left since"


def _compared(event: e.Compared, _time: Time) -> str:
    were = f"{event.go_on} callbacks go on, {event.done} were made, {event.left} are left to people"
    return f"what happened since the backup was compared: {were}{f' ({event.why})' if event.why else ''}"


def _case_opened(event: e.CaseOpened, time: Time) -> str:
    again = f", {event.repeats} before it" if event.repeats else ""
    return f"case {event.case} ({event.kind}) of {event.queue} is open, to be answered by {time(event.due_at)}{again}"


def _case_at_risk(event: e.CaseAtRisk, time: Time) -> str:
    whose = event.owner or event.department or "nobody's"
    return f"case {event.case} ({event.kind}, {whose}) is not answered: due by {time(event.due_at)}"


def _campaign(event: e.CampaignMoved, _time: Time) -> str:
    return f"campaign {event.campaign} is {event.state}: {event.told} of {event.people} told ({event.who})"


_SENTENCES: dict[type[e.Event], Callable[[Any, Time], str]] = {
    e.Merged: _merged,
    e.TrunkUnclear: _trunk_unclear,
    e.Withdrawn: lambda event, _time: f"#{event.reservation} the call was not lost after all",
    e.Held: _held,
    e.CarriedOver: _carried_over,
    e.Dialling: _dialling,
    e.AgentConnected: _agent_connected,
    e.CustomerDialled: lambda event, _time: f"#{event.reservation} the customer is being dialled",
    e.CustomerAnswered: lambda event, _time: f"#{event.reservation} the customer answered",
    e.AttemptEnded: _attempt_ended,
    e.ContactRefused: lambda event, _time: f"flag {event.flag} of {event.owner}: nobody is called, {event.why}",
    e.Returned: lambda event, _time: f"#{event.reservation} the customer was served: nothing more is owed",
    e.CalledByHand: _called_by_hand,
    e.RestsAfterOwnCall: _rests_after_own_call,
    e.PbxDown: _pbx_down,
    e.GapClosed: _gap,
    e.PromisesInDanger: _in_danger,
    e.HelpAsked: _help_asked,
    e.PromisesOutOfDanger: _out_of_danger,
    e.Overdue: _overdue,
    e.IncidentChanged: _incident,
    e.TrunkResting: _trunk_resting,
    e.TrunkBack: lambda event, _time: f"trunk {event.trunk} works again",
    e.AgentsSilent: _agents_silent,
    e.AgentsBack: lambda event, _time: f"an agent of {event.queue} has answered a callback again",
    e.TextsRefused: _stuck,
    e.TextsDelayed: _stuck,
    e.TextFailed: lambda event, _time: f"#{event.reservation} a text did not arrive: {event.code or 'refused'}",
    e.Answered: lambda event, _time: f"answer {event.answer}{' waits for a person' if event.for_people else ''}",
    e.WebhookDisabled: _webhook_disabled,
    e.SurveyAsked: lambda event, _time: f"question {event.survey} is asked after a {event.kind} of {event.queue}",
    e.SurveyAnswered: lambda event, _time: f"question {event.survey} was answered: {event.score} of 5",
    e.CaseOpened: _case_opened,
    e.CaseMoved: lambda event, _time: f"case {event.case} ({event.kind}): {event.event}, now {event.state}",
    e.CaseAtRisk: _case_at_risk,
    e.LetterFailed: lambda event, _time: f"letter {event.letter} to {event.department} was not sent: {event.why}",
    e.CampaignMoved: _campaign,
    e.Decided: _decided,
    e.Cancelled: lambda event, _time: f"#{event.reservation}: {event.why}",
    e.SiteKey: lambda event, _time: str(event.why),
    e.Started: _started,
    e.Standby: lambda event, _time: str(event.why),
    e.LeaseLost: lambda event, _time: f"this service no longer holds {event.pbx}, and ends: {event.why}",
    e.TextingBegun: lambda event, _time: f"texts of {event.pbx} are sent from here",
    e.TextingLost: lambda event, _time: f"texts of {event.pbx} are no longer sent from here: {event.why}",
    e.LineUnknown: lambda event, _time: f"who is on the line of {event.pbx} is not known: {event.why}",
    e.LineKnown: lambda event, _time: f"it is known again who is on the line of {event.pbx}",
    e.LeaseKept: lambda event, _time: f"the lease could not be given back, and lapses by itself: {event.why}",
    e.PbxUp: lambda event, _time: f"{event.pbx} is connected: {event.why}",
    e.PbxJournalFull: _pbx,
    e.PbxRefused: _pbx,
    e.PbxBehind: _pbx,
    e.PbxLevel: _pbx,
    e.PbxStrangers: _pbx,
    e.RulesInForce: _rules,
    e.RulesConflict: _rules_conflict,
    e.UnknownQueue: lambda event, _time: str(event.why),
    e.AuditHead: lambda event, _time: f"the record of decisions ends at anchor {event.anchor}",
    e.Restored: _restored,
    e.Compared: _compared,
    e.PutAside: lambda event, _time: f"nothing was done about this, a person must look: {event.item}: {event.why}",
    e.CommitterDied: lambda event, _time: f"{event.why}; another is begun in {event.again_in_s:g} s",
    e.DoorOpened: lambda event, _time: f"the page and the gateways' callbacks are served by process {event.pid}",
    e.DoorDied: lambda event, _time: f"the web process: {event.why}; it is begun again in {event.again_in_s:g} s",
    e.ConsoleOpened: lambda event, _time: f"the console is at {event.url}, served by process {event.pid}",
    e.ConsoleDied: lambda event, _time: f"the console: {event.why}; it is begun again in {event.again_in_s:g} s",
    e.ProcessDown: lambda event, _time: f"the process '{event.process}' ended and is begun again: {event.why}",
    e.ProcessBack: lambda event, _time: f"the process '{event.process}' has run for a minute again",
    e.MetricsOpened: lambda event, _time: f"metrics and health are at {event.where}, served by process {event.pid}",
    e.MetricsDied: lambda event, _time: f"the metrics: {event.why}; they are begun again in {event.again_in_s:g} s",
    e.NodeGone: _trouble,
    e.NodeBack: _trouble,
    e.ClockOff: _trouble,
    e.ClockRight: _trouble,
    e.DiskLow: _trouble,
    e.DiskEnough: _trouble,
    e.RedisAway: _trouble,
    e.RedisBack: _trouble,
    e.AlarmNotPassed: lambda event, _time: f"an alarm by [alarms] {event.channel}: {event.why}",
}
