"""What a site's history says about the days to come: needs, hints with their evidence, and moves of shifts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

from callback.history.counts import History
from callback.processes import divided
from scheduler.clock import local
from scheduler.hours import Hours
from scheduler.staffing.blocks import Block
from scheduler.staffing.halfhours import A_DAY, WEEKDAYS, clock_time
from scheduler.staffing.planning import shifts, week
from scheduler.staffing.planning.evidence import Evidence, share_change
from scheduler.staffing.planning.hints import Hint
from scheduler.staffing.planning.need import StaffingTerms
from scheduler.staffing.planning.queue import Queue
from scheduler.staffing.planning.replay import SimulatedReplay, redial_curve
from scheduler.staffing.planning.roster import Roster
from scheduler.staffing.planning.shifts import ShiftLimits, ShiftPlan
from scheduler.staffing.planning.week import Outlook, Staff
from telephony.queue_log.agent_calls import phone_of

LENGTHS = (8, 12, 16)  # of new shifts, in half hours


@dataclass
class Week:
    """The `days` from `first` on, as `history` lets expect them; `hours` are the site's, for the replay."""

    history: History
    hours: Hours
    first: date
    roster: Roster | None = None
    days: int = 7
    shrinkage: float = 0.0

    @cached_property
    def queues(self) -> Mapping[str, Queue]:
        """What the queues are like."""
        return self.history.learnt()

    @cached_property
    def staff(self) -> Staff:
        """Who was there, and who is to be."""
        return Staff(self.history.attendance(), self.roster)

    @cached_property
    def terms(self) -> StaffingTerms:
        """What need is reckoned for: the site's own share of callers who call again."""
        return StaffingTerms(again_share=min(1.0, self.history.site().again_share), shrinkage=self.shrinkage)

    @cached_property
    def outlooks(self) -> list[Outlook]:
        """Every queue on every day, hints not proved yet."""
        days = week.to_come(self.queues, self.first, self.days)
        return [week.outlook(queue, day, self.staff, self.terms) for queue, day in days]

    def prove(self, most: int, progress: Callable[[Sequence[Any]], Iterator[Any]] = iter) -> None:
        """Put the evidence to the `most` hints that are about most callers, by replaying past days."""
        wanted = week.wanting(self.outlooks)[:most]
        wanted.sort(key=lambda pair: (pair[0].queue, pair[0].day))  # who simulates a day keeps it for its other hints
        replays = {name: self._replay(self.queues[name]) for name in {each.queue for each, _ in wanted}}
        for replay in replays.values():
            replay.after_s  # noqa: B018 - found once, here, and not by each process

        def proof(pair: tuple[Outlook, Hint]) -> Hint:
            each, hint = pair
            return week.proved(each, hint, self.queues[each.queue], self.staff, replays[each.queue])

        proofs = divided(proof, wanted)
        proved = {(each.queue, each.day, hint): next(proofs) for each, hint in progress(wanted)}
        self.outlooks = [
            replace(each, hints=tuple(proved.get((each.queue, each.day, hint), hint) for hint in each.hints))
            for each in self.outlooks
        ]

    def proofs_spoken(self) -> Iterator[str]:
        """Say the evidence of each hint that has one, line by line."""
        for line, others in self.proofs():
            yield from (line, *(f"  {other}" for other in others))

    def proofs(self) -> Iterator[tuple[str, list[str]]]:
        """Give the evidence of each hint that has one, and what the hint should change."""
        for each in self.outlooks:
            for hint in each.hints:
                if hint.evidence is not None:
                    yield (
                        f"{each.day:%a %d %b}, {each.queue or '(none)'} {hint}: {hint.evidence}",
                        list(self._changes(each, hint, hint.evidence)),
                    )

    def _changes(self, each: Outlook, hint: Hint, proof: Evidence) -> Iterator[str]:
        parts = [
            ("dialled", proof.dialled_share_without, proof.dialled_share),
            ("reached", proof.reached_share_without, proof.reached_share),
            ("closed", proof.closed_share_without, proof.closed_share),
        ]
        told = ((name, old, new) for name, old, new in parts if old is not None or new is not None)
        rates = ", ".join(f"{name} {share_change(old, new, 0)}" for name, old, new in told)
        if rates:
            yield f"in 30 min{_lost_only(proof)}: {rates}"
        live, logged = share_change(proof.hung_up_share_without, proof.hung_up_share), self.lost_share(each, hint)
        as_logged = "nobody came" if logged is None else f"{logged:.1%}"
        yield f"live callers who hang up: {live} (lost at first try, as logged: {as_logged})"

    def lost_share(self, outlook: Outlook, hint: Hint) -> float | None:
        """Give the share of callers who really were lost at first try in the half hours of the days replayed."""
        queue = self.queues[outlook.queue]
        calls, losses = (
            sum(table[day][number] for day in queue.loses(outlook.day).days for number in hint.half_hours)
            for table in (queue.demand.calls, queue.demand.losses)
        )
        return losses / calls if calls else None

    def _replay(self, queue: Queue) -> SimulatedReplay:
        losses = self.history.site().lost_known
        redial = redial_curve(self.history.gaps_s, losses)
        return SimulatedReplay(
            queue, self.history.past, redial, self.hours, lambda day: self.staff.was(queue.name, day), each=divided
        )

    def plan(self, day: date) -> ShiftPlan | None:
        """Plan a day's shifts, moves before additions; None where nobody knows who works when."""
        blocks = self.roster.blocks(day) if self.roster is not None else self._usual_blocks(day)
        needed = [sum(column) for column in zip(*self._needed(day), strict=True)]
        busy = [number for number in range(A_DAY) if any(needed[number : number + 1])]
        if not blocks or not busy:
            return None
        opens = min(busy[0], *(block.first for block in blocks))
        closes = max(busy[-1] + 1, *(block.until for block in blocks))
        lengths = tuple(length for length in LENGTHS if length <= closes - opens) or (closes - opens,)
        return shifts.plan(blocks, needed, ShiftLimits(lengths=lengths, opens=opens, closes=closes))

    def _usual_blocks(self, day: date) -> list[Block]:
        """Give the shifts of the last same weekday; an agent whom the log names by a phone is its number."""
        there = [past for past in self.staff.attendance.there if past < day and past.weekday() == day.weekday()]
        blocks = self.staff.attendance.blocks(max(there)) if there else []
        return [replace(block, agent=phone_of(block.agent) or block.agent) for block in blocks]

    def _needed(self, day: date) -> list[tuple[int, ...]]:
        return [each.needed for each in self.outlooks if each.day == day] or [(0,) * A_DAY]


def first_day(history: History) -> date:
    """Give the day after the last call."""
    return local(history.last_at, history.zone).date() + timedelta(days=1)


def _lost_only(proof: Evidence) -> str:
    """Say where the shares are of one side alone, because on the other nobody is lost."""
    if proof.dialled_share is None:
        return " without, for with it nobody is lost"
    return " with it, for without nobody is lost" if proof.dialled_share_without is None else ""


def plan_spoken(day: date, made: ShiftPlan) -> list[str]:
    """Say a day's moves, then what is still missing."""
    lines = [f"{day:%a %d %b}: {move.before} becomes {move.after}" for move in made.moves]
    if made.added:
        spans = ", ".join(f"{clock_time(block.first)}-{clock_time(block.until)}" for block in made.added)
        lines.append(f"{day:%a %d %b}: {len(made.added)} more shifts: {spans}")
    return lines


def hint_json(outlook: Outlook, hint: Hint, *, proved: bool = True) -> dict[str, Any]:
    """Give a hint for a program; its evidence is `proved` by a replay, or else an estimate by sums."""
    told: dict[str, Any] = {
        "queue": outlook.queue,
        "day": outlook.day.isoformat(),
        "weekday": WEEKDAYS[outlook.day.weekday()],
        "first": clock_time(hint.first),
        "until": clock_time(hint.last + 1),
        "more": hint.more,
        "losses_expected": round(outlook.weight(hint), 2),
    }
    if hint.evidence is not None:
        proof = hint.evidence
        names = [
            f"{part}_share{side}"
            for part in (("hung_up", "dialled", "reached", "closed") if proved else ("hung_up",))
            for side in ("", "_without")
        ]
        shares = {name: getattr(proof, name) for name in names}
        kept = {"kept": proof.kept, "kept_without": proof.kept_without} if proved else {}
        told["evidence" if proved else "estimate"] = (
            {"days": proof.days}
            | kept
            | {name: None if share is None else round(share, 4) for name, share in shares.items()}
        )
    return told


def half_hour_rows(outlook: Outlook) -> Iterator[dict[str, Any]]:
    """Give a day's half hours, for CSV and programs; none where too little is known."""
    if outlook.too_little:
        return
    for number, calls, needed, planned in week.shown(outlook):
        yield {
            "queue": outlook.queue,
            "day": outlook.day.isoformat(),
            "time": clock_time(number),
            "calls": round(calls, 2),
            "losses": round(outlook.losses[number], 2),
            "needed": needed,
            "planned": planned,
            "more": needed - planned,
        }


def weeks(outlooks: Iterable[Outlook]) -> Iterator[tuple[str, list[Outlook]]]:
    """Give each queue's days a week at a time; `outlooks` are ordered by queue."""
    for queue, group in groupby(outlooks, key=lambda one: one.queue):
        every = list(group)
        for _, seven in groupby(every, key=lambda one: (one.day - every[0].day).days // 7):
            yield queue, list(seven)
