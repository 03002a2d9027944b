"""Figures of care: what is learnt from cases that were opened in the last days."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.reports.care import report
from callback.reports.care.report import Wish
from callback.site.work import Work
from callback.web.api.access import Reporting
from callback.web.api.documented import PREFIX, problems
from callback.web.api.values import Said, Shown, Time
from scheduler.clock import local

router = APIRouter(prefix=PREFIX, tags=["figures"])


class Wanted(Said):
    """Of how many days, today among them, and by which part. What single agents did is no part of it."""

    model_config = Said.model_config | {"strict": False}
    days: Annotated[int, Field(ge=1, le=report.MOST_DAYS)] = 28
    split: Literal["queue", "team", "kind", "source", "topic", "department", "product", "severity"] = "topic"


class Cases(Shown):
    """Cases that were opened, and what became of them so far; shares beside what they are of.

    `timed` were answered for the first time or are overdue, `in_time` of them before that was due. `judged` told after
    a repair how it is now, `satisfied` of them said 4 or 5. Shares of fewer than 20 say little.
    """

    opened: int
    repeats: int
    timed: int
    in_time: int
    confirmed: int
    unreachable: int
    withdrawn: int
    still_open: int
    judged: int
    satisfied: int
    compensated: int
    repeat_rate: float | None
    in_time_rate: float | None
    satisfied_rate: float | None


class CasesFrom(Cases):
    """The same of a day, or of a week."""

    since: Time


class CasesOf(Cases):
    """The same of a part; empty: of none."""

    name: str


class Asked(Shown):
    """Questions of a kind: call, callback, repair."""

    kind: str
    asked: int
    answered: int
    low: int
    satisfied: int
    points: int
    mean: float | None


class Given(Shown):
    """What was given to customers for the trouble."""

    name: str
    title: str
    times: int
    value: float


class Met(Shown):
    """Customers who were lost so: how many, for how many the days after are over, and who of these complained."""

    pattern: str
    customers: int
    over: int
    complained: int


class Loop(Shown):
    """From lost calls to complaints, and back."""

    after_days: int
    met: list[Met]
    complainers: int
    lost_again: int


class Topic(Shown):
    """A topic of the week: how many cases, the mean of the four weeks before, whether it is hot, and newest cases."""

    path: str
    title: str
    many: int
    mean: float
    hot: bool
    cases: list[int]


class Care(Shown):
    """What is learnt from cases in the token's groups."""

    since: Time
    until: Time
    split: str
    whole: Cases
    before: Cases
    times: list[CasesFrom]
    lines: list[CasesOf]
    asked: list[Asked]
    given: list[Given]
    loop: Loop
    week_since: Time
    topics: list[Topic]


@router.get("/care", response_model=Care, summary="What is learnt from cases", responses=problems(),
            operation_id="read_care")  # fmt: skip
def care(caller: Reporting, wanted: Annotated[Wanted, Query()]) -> Response:
    """Give figures of cases by when they were opened, hot topics of the week, and how lost calls go with complaints."""

    def look(work: Work) -> dict[str, Any]:
        zone = work.site.hours.zone
        today = local(work.now, zone).date()
        wish = Wish(today - timedelta(days=wanted.days - 1), today, wanted.split, caller.groups)
        return report.as_json(report.make(work, wish), zone)

    return JSONResponse(caller.api.look(look))
