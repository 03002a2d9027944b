"""What the samples of a campaign said: the mean score with its interval, by segment, and beside the round before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, case, func, select

from callback.site.work import Work
from callback.store import tables as t
from scheduler import sampling
from scheduler.sampling import Difference, Estimate

_S, _A, _P, _R = t.campaign_sample.c, t.campaign_asked.c, t.campaign_person.c, t.reservation.c
_TALKED = and_(_A.state == "called", _R.open.is_(False))
_STATE = case((_TALKED, "to-score"), else_=_A.state)
"""Who was called, and whose callback has ended, is to be scored."""
_ROUNDS = select(_S.round, _S.seed, _S.size, _S.drawn_at, _S.drawn_by)
_COUNTED = (
    select(_A.round, _A.segment, _STATE.label("state"), _A.score, _A.why_not, func.count().label("many"))
    .outerjoin(t.reservation, _R.id == _A.reservation_id)
    .group_by(_A.round, _A.segment, _STATE, _A.score, _A.why_not)
)
_SIZES = select(_P.segment, func.count().label("many")).where(_P.state != "left-out").group_by(_P.segment)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the audience: how many were drawn of it, and what their answers say about it."""

    name: str
    drawn: int
    result: Estimate


@dataclass(frozen=True, slots=True)
class Round:
    """A sample: how it was drawn, how far it is, and what it says.

    `states` counts who waits for the call, is called, is to be scored, is scored, or is blank; `blank` the latter by
    reason. `since` is how far the mean lies from that of the round before, which is named.
    """

    round: int
    seed: int
    size: int
    drawn_at: int
    drawn_by: str
    states: Mapping[str, int]
    blank: Mapping[str, int]
    answers: Mapping[int, int]
    result: Estimate
    segments: tuple[Segment, ...]
    before: int | None = None
    since: Difference | None = None


@dataclass(slots=True)
class _Tally:
    """The rows of one round, added up."""

    states: Counter[str] = field(default_factory=Counter)
    blank: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    drawn: Counter[str] = field(default_factory=Counter)

    def add(self, row: Any) -> None:  # noqa: ANN401 - a row of _COUNTED
        """Add a row."""
        self.states[row.state] += row.many
        self.drawn[row.segment] += row.many
        if row.score is not None:
            self.answers[row.segment][row.score] += row.many
        if row.state == "blank":
            self.blank[row.why_not] += row.many


def rounds(work: Work, campaign: int) -> list[Round]:
    """Every sample of a campaign, the first first."""
    sizes = {row.segment: int(row.many) for row in work.connection.execute(_SIZES.where(_P.campaign_id == campaign))}
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for row in work.connection.execute(_COUNTED.where(_A.campaign_id == campaign)):
        tallies[row.round].add(row)
    made: list[Round] = []
    for row in work.connection.execute(_ROUNDS.where(_S.campaign_id == campaign).order_by(_S.round)):
        made.append(_round(row, tallies[row.round], sizes, made))
    return made


def _round(row: Any, tally: _Tally, sizes: Mapping[str, int], earlier: list[Round]) -> Round:  # noqa: ANN401 - a row
    answers: Counter[int] = Counter()
    for one in tally.answers.values():
        answers.update(one)
    result = sampling.estimate(answers, sum(sizes.values()))
    segments = tuple(
        Segment(name, drawn, sampling.estimate(tally.answers[name], sizes.get(name, drawn)))
        for name, drawn in sorted(tally.drawn.items())
    )
    before = next((one for one in reversed(earlier) if one.result.valid), None)
    return Round(
        row.round, row.seed, row.size, row.drawn_at, row.drawn_by, dict(tally.states), dict(tally.blank),
        dict(sorted(answers.items())), result, segments,
        None if before is None else before.round,
        None if before is None else sampling.difference(before.result, result),
    )  # fmt: skip
