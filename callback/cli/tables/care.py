"""Cases and flags as people at a terminal read them, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from callback.care.cases import Case
from callback.care.flags import Flag
from callback.cli.tables import terminal
from callback.logs.masking import masked
from callback.reports.care import cases
from callback.reports.care.whole import Step, Whole
from callback.settings.care import Care
from callback.site.work import Work
from scheduler.clock import local, shown

_CLOCK: Final = {
    "running": "in time",
    "soon": "nearly due",
    "overdue": "overdue",
    "asked": "waits for the customer",
    "ended": "ended",
}
_KIND: Final = {"complaint": "complaint", "dissatisfied": "not content"}


def put_cases(work: Work, found: Sequence[Case], *, as_json: bool) -> None:
    """Print a list of cases."""
    if as_json:
        for one in found:
            terminal.put_json(case_json(work, one))
        return
    if not found:
        terminal.say("There is no such case.")
        return
    clock, care = _clock(work), work.site.rules.care
    heads = ("case", "number", "queue", "kind", "topic", "state", "first answer by", "clock", "in charge", "says")
    cells = [
        (
            *(str(one.id), masked(one.e164), one.queue, _KIND[one.kind], one.topic, one.state, clock(one.due_at)),
            *(_clock_words(one, care, work.now), one.owner or one.department, one.words[:80]),
        )
        for one in found
    ]
    terminal.put(terminal.table(heads, cells, sentences={"says"}, names={"queue", "topic", "in charge"}))


def _clock_words(case: Case, care: Care, now: int) -> str:
    return "to be closed" if case.state == "confirmed" else _CLOCK[cases.clock_of(case, care, now)]


def _note(step: Step) -> str:
    return step.note if step.callback is None else f"callback {step.callback}"


def put_case(work: Work, found: Whole, *, as_json: bool) -> None:
    """Print a case with its steps."""
    case, clock = found.case, _clock(work)
    if as_json:
        steps = [{**asdict(one), "at": _moment(work, one.at)} for one in reversed(found.steps)]
        terminal.put_json({**case_json(work, case), "steps": steps})
        return
    terminal.say(stands(work, case))
    promised = f"{case.promised}, by {clock(case.promised_by_at)}" if case.promised_by_at else case.promised
    repeat = f"case {case.repeat_of}, the {case.repeats + 1}th time" if case.repeat_of else ""
    for head, said in (
        ("says", case.words),
        ("wishes", case.wish),
        ("product", case.product),
        ("department", case.department),
        ("in charge", case.owner or ""),
        ("promised", promised),
        ("compensation", case.compensation),
        ("repeats", repeat),
        ("reference", case.reference or ""),
    ):
        if said:
            terminal.say(f"{head}: {said}")
    cells = [(f"{clock(one.at)}", one.event, one.state, one.who, _note(one)) for one in reversed(found.steps)]
    terminal.put(terminal.table(("at", "step", "state", "who", "note"), cells, sentences={"note"}, names={"who"}))


def stands(work: Work, case: Case) -> str:
    """Say in a line how a case stands."""
    clock = _CLOCK[cases.clock_of(case, work.site.rules.care, work.now)]
    about = f" about {case.topic}" if case.topic else ""
    due = f"; first answer by {_clock(work)(case.due_at)}: {clock}" if case.open and case.repaired_at is None else ""
    return f"case {case.id} of {masked(case.e164)} in {case.queue}{about}: {case.state}{due}"


def case_json(work: Work, case: Case) -> dict[str, Any]:
    """Give a case for programs; the number is masked."""
    found = {
        name: _moment(work, value) if name.endswith("_at") else value
        for name, value in asdict(case).items()
        if name not in {"pbx", "person_id", "e164", "asks", "warned_at"}
    }
    return {**found, "number": masked(case.e164), "clock": cases.clock_of(case, work.site.rules.care, work.now)}


def put_flags(work: Work, found: Sequence[Flag], *, as_json: bool) -> None:
    """Print a list of flags."""
    if as_json:
        for one in found:
            on = local(one.on_at, work.site.hours.zone).date().isoformat()
            about = {"flag": one.id, "number": masked(one.e164), "queue": one.queue, "day": on, "reason": one.reason}
            about |= {"owner": one.owner, "by": one.who, "state": one.state, "reservation": one.reservation_id}
            terminal.put_json({**about, "why_not": one.why_not})
        return
    if not found:
        terminal.say("Nobody is flagged.")
        return
    heads = ("flag", "number", "queue", "day", "state", "callback", "looks after it", "why")
    cells = [
        (
            *(str(one.id), masked(one.e164), one.queue, _day(work, one), one.why_not or one.state),
            *(f"#{one.reservation_id}" if one.reservation_id else "", one.owner, one.reason),
        )
        for one in found
    ]
    terminal.put(terminal.table(heads, cells, sentences={"why"}, names={"queue", "looks after it"}))


def flag_stands(work: Work, one: Flag) -> str:
    """Say in a line how a flag stands."""
    return f"flag {one.id} of {masked(one.e164)} in {one.queue} on {_day(work, one)}: {one.state}, {one.owner}"


def _day(work: Work, one: Flag) -> str:
    return local(one.on_at, work.site.hours.zone).date().isoformat()


def _clock(work: Work) -> Callable[[int], str]:
    """Say instants on the site's clock."""
    return lambda at: shown(at, work.now, work.site.hours.zone)


def _moment(work: Work, at: int | None) -> str | None:
    return None if at is None else local(at, work.site.hours.zone).isoformat(timespec="seconds")
