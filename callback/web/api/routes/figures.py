"""Figures: how it stands now, queue by queue, and how promises were kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.operations import health
from callback.reports.now.look import Now
from callback.reports.now.since import midnight
from callback.reports.queue.lanes import LANES
from callback.reports.rates_by_group import rates_by_group
from callback.site.work import Work
from callback.web.api import values
from callback.web.api.access import Reporting, SeeingHealth, SeeingRules
from callback.web.api.documented import PREFIX, problems
from callback.web.api.problems import Problem
from callback.web.api.values import Instant, Said, Shown, Time
from scheduler.clock import DAY

router = APIRouter(prefix=PREFIX, tags=["figures"])

FARTHEST_DAYS: Final = 7
"""Rates are measured for each request: of longer ago they take too long."""


class Danger(Shown):
    """Of the promises of a group that are due within two hours, those that will be missed."""

    group: str
    due: int
    missed: int
    hopeless: int = Field(description="Those that are missed whoever works.")
    more: int = Field(description="So many agents more, until `until_at`, would keep the others.")
    until_at: Time


class Part(Shown):
    """Whether a part of the service works."""

    name: str
    state: str
    at: Time | None
    word: str | None


class Figures(Shown):
    """How it stands now, in the token's groups."""

    at: Time
    open: int = Field(description="The sum of `by_lane`.")
    by_lane: dict[str, int] = Field(description="calling, aim, binds, window, late, later, held.")
    in_incident: int
    dangers: list[Danger]
    agents: dict[str, int] | None = Field(description="How many are in each state; none: nobody knows.")
    callers_waiting: int | None
    stopped: str | None = Field(description="Why nobody at all is called back, in a word.")
    answers: int = Field(description="Texts of customers that a person has still to read.")
    left_to_people: int
    health: list[Part]


class OfQueue(Shown):
    """What is owed in a queue now, and who waits in it."""

    queue: str
    group: str
    open: int
    by_lane: dict[str, int]
    callers_waiting: int | None


class Queues(Shown):
    """The queues, by name."""

    items: list[OfQueue]


class OfGroup(Shown):
    """How promises of a group were kept: counts, and shares of those whose time is over.

    `valid` are all but refused numbers and those that were not lost. Of the `due_30` so many were first dialled,
    reached, and closed by rule within 30 minutes; of the `due_60` within 60.
    """

    group: str
    valid: int
    due_30: int
    due_60: int
    dialled_30: int
    dialled_60: int
    reached_30: int
    reached_60: int
    closed_30: int
    closed_60: int
    carried_over: int
    returned: int
    refused: int
    numberless: int
    dialled_30_share: float | None
    dialled_60_share: float | None
    reached_30_share: float | None
    reached_60_share: float | None
    closed_30_share: float | None
    closed_60_share: float | None


class Rates(Shown):
    """Rates of what was promised since then."""

    since_at: Time
    at: Time
    items: list[OfGroup]


class Since(Said):
    """From when on."""

    model_config = Said.model_config | {"strict": False}
    since: Instant | None = Field(None, description="Reservations made from then on; else since midnight.")


class Rules(Shown):
    """The rules in force."""

    version: int
    rules: dict[str, Any]


class Health(Shown):
    """How the installation stands."""

    parts: list[Part]
    database: str
    database_bytes: int
    journal_bytes: int | None
    schema_revision: str
    version: str
    lease_holder: str | None
    lease_until_at: Time | None


@router.get("/now", response_model=Figures, summary="How it stands now", responses=problems(), operation_id="read_now")
def now(caller: Reporting) -> Response:
    """Give the figures of this moment, as the page Now has them."""

    def look(work: Work) -> dict[str, Any]:
        return _now(caller.api.figures.now(work, caller.groups), work)

    return JSONResponse(caller.api.look(look))


def _now(seen: Now, work: Work) -> dict[str, Any]:
    zone = work.site.hours.zone
    states = seen.floor.by_state
    return {
        "at": values.rfc3339(seen.at, zone),
        "open": seen.open.all.count,
        "by_lane": {lane: figure.count for lane, figure in seen.open.by_lane.items()},
        "in_incident": seen.open.in_incident,
        "dangers": [
            {
                "group": one.group,
                "due": one.due,
                "missed": one.missed.count,
                "hopeless": one.hopeless.count,
                "more": one.more,
                "until_at": values.rfc3339(one.until_at, zone),
            }
            for one in seen.dangers.groups
        ],
        "agents": None if states is None else dict(states),
        "callers_waiting": seen.floor.callers,
        "stopped": seen.floor.stopped,
        "answers": seen.needs.answers.count,
        "left_to_people": seen.needs.left.count,
        "health": _parts(seen, work),
    }


def _parts(seen: Now, work: Work) -> list[dict[str, Any]]:
    zone = work.site.hours.zone
    return [
        {
            "name": part.name,
            "state": part.state,
            "at": None if part.at is None else values.rfc3339(part.at, zone),
            "word": part.word,
        }
        for part in seen.health
    ]


@router.get(
    "/queues", response_model=Queues, summary="What is owed, queue by queue", responses=problems(),
    operation_id="list_queues",
)  # fmt: skip
def queues(caller: Reporting) -> Response:
    """Give each queue of the token's groups with what is owed in it now."""

    def look(work: Work) -> list[dict[str, Any]]:
        by_queue: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for cell in caller.api.figures.queue(work).census.cells:
            by_queue[cell.queue][cell.lane] += cell.many
        rules = work.site.rules
        floor = caller.api.figures.now(work, caller.groups).floor
        waiting = None if floor.waiting is None else {one.queue: one.callers for one in floor.waiting}
        return [
            {
                "queue": queue,
                "group": rules.queue(queue).group,
                "open": by_queue[queue].total(),
                "by_lane": {lane: by_queue[queue][lane] for lane in LANES},
                "callers_waiting": None if waiting is None else waiting.get(queue, 0),
            }
            for queue in sorted({*rules.queues, *by_queue})
            if caller.groups is None or rules.queue(queue).group in caller.groups
        ]

    return JSONResponse({"items": caller.api.look(look)})


@router.get(
    "/rates", response_model=Rates, summary="How promises were kept", responses=problems(), operation_id="read_rates"
)
def rates(caller: Reporting, wanted: Annotated[Since, Query()]) -> Response:
    """Give the three rates by group, always apart, of what was promised in the last 7 days at most."""

    def look(work: Work) -> dict[str, Any]:
        since_at = midnight(work.site, work.now) if wanted.since is None else values.instant_of(wanted.since)
        if work.now - since_at > FARTHEST_DAYS * DAY:
            raise Problem(422, "bad-request", f"since: at most {FARTHEST_DAYS} days ago", "`callback report` has more")
        zone = work.site.hours.zone
        found = [
            {"group": group} | {name: value for name, value in one.as_json().items() if name != "queue"}
            for group, one in rates_by_group(work, since_at).items()
            if caller.groups is None or group in caller.groups
        ]
        return {"since_at": values.rfc3339(since_at, zone), "at": values.rfc3339(work.now, zone), "items": found}

    return JSONResponse(caller.api.look(look))


@router.get("/rules", response_model=Rules, summary="The rules in force", responses=problems(),
            operation_id="read_rules")  # fmt: skip
def rules(caller: SeeingRules) -> Response:
    """Give the rules by which the service works now; numbers in them are masked unless they may be seen."""

    def look(work: Work) -> dict[str, Any]:
        said = work.site.rules.model_dump(mode="json")
        shown = values.plain(said, work.site.hours.zone, whole=caller.sees_numbers)
        return {"version": work.site.version, "rules": shown}

    return JSONResponse(caller.api.look(look))


@router.get("/health", response_model=Health, summary="How the installation stands", responses=problems(),
            operation_id="read_health")  # fmt: skip
def healthy(caller: SeeingHealth) -> Response:
    """Say which parts work, who holds the lease, and how much is kept."""

    def look(work: Work) -> dict[str, Any]:
        standing = asdict(health.look(work, caller.api.settings))
        until_at = standing["lease_until_at"]
        return {
            "parts": _parts(caller.api.figures.now(work, None), work),
            "schema_revision": standing["schema"],
            "lease_holder": standing["holder"],
            "lease_until_at": values.rfc3339(until_at, work.site.hours.zone) if until_at else None,
            **{name: standing[name] for name in ("database", "database_bytes", "journal_bytes", "version")},
        }

    return JSONResponse(caller.api.look(look))
