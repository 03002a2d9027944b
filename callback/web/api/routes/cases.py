"""Cases: complaints that a program registers, and what it tells about them, until the customer says it is solved."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field, StringConstraints
from starlette.responses import JSONResponse, Response

from callback.care.cases import Case, CasesOff, NoSuchCase
from callback.decisions.care import cases as deciding
from callback.decisions.care.acting import CASE_TEXT, Actor, AskedCase, CaseChanged
from callback.decisions.care.cases import How
from callback.decisions.care.registering import (
    Complaint,
    NumberBlocked,
    UnknownDepartment,
    UnknownTopic,
    of_reference,
    register,
)
from callback.errors import CallbackError, IllegalTransition, StoreError
from callback.logs.masking import masked_text
from callback.reports.care import cases as listing
from callback.reports.care import whole
from callback.site.work import Work
from callback.store.engine import HIGHEST
from callback.web.api import cursor, values
from callback.web.api.access import SAID, Caller, SeeingCases, WorkingOnCases
from callback.web.api.documented import PREFIX, problems
from callback.web.api.once import Answer, once
from callback.web.api.problems import Code, Problem, not_found
from callback.web.api.routes.decisions import Revision
from callback.web.api.routes.reservations import Key
from callback.web.api.values import After, Id, Instant, Name, Number, Reference, Said, Shown, Text, Time

router = APIRouter(prefix=PREFIX, tags=["cases"])

_MOST: Final = 200
OfCase = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the case.")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=CASE_TEXT, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Topic = Annotated[
    str,
    StringConstraints(max_length=131, pattern=r"^[a-z0-9/-]*$"),
    Field(description="Of the rules' topics; empty: none.", examples=["billing/wrong-amount"]),
]
Few = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Complaining(Said):
    """What a customer complains of."""

    number: Number
    queue: Name = Field(description="The queue whose customer it is.", examples=["support"])
    words: Words = Field(description="What the customer says.", examples=["I was charged twice."])
    wish: Words | None = Field(None, description="What the customer wants.")
    topic: Topic = ""
    product: Few = ""
    department: Few = Field("", description="Of the rules' departments: it is written to.")
    severity: Annotated[int, Field(ge=1, le=3, description="1 slight, 2 serious, 3 grave.")] = 1
    opened_at: Instant | None = Field(None, description="When the customer complained: the clock runs since then.")
    promised: Few = Field("", description="What the customer was promised.")
    promised_by: Instant | None = None
    owner: Few = Field("", description="Who is in charge; empty: whom the department names.")
    reference: Reference | None = None


class ShownCase(Shown):
    """A case as it stands."""

    id: Id
    revision: int = Field(description="Raised by every change; an act names the one that was seen.")
    kind: Literal["dissatisfied", "complaint"]
    state: str = Field(examples=["registered"])
    open: bool
    clock: Literal["running", "soon", "overdue", "asked", "ended"]
    number: str = Field(
        description="Masked, unless the token has the scope `numbers:read`; in answers that are kept, always."
    )
    queue: str
    topic: str
    product: str
    department: str
    severity: int
    words: str
    wish: str
    owner: str | None
    promised: str
    promised_by_at: Time | None
    compensation: str
    reference: str | None
    opened_at: Time
    due_at: Time = Field(description="The first answer is promised by then.")
    repaired_at: Time | None = Field(description="When it was answered first.")
    state_since_at: Time
    repeat_of: int | None = Field(description="The case of the same customer and topic that ended lately.")
    repeats: int


class Step(Shown):
    """Something that happened to it."""

    at: Time
    event: str
    state: str
    who: str
    note: str


class WholeCase(ShownCase):
    """A case with its steps, the newest 200, in order."""

    steps: list[Step]


class Cases(Shown):
    """Some cases; `after` of the next page, none on the last."""

    items: list[ShownCase]
    after: str | None


class Filter(Said):
    """Which ones."""

    model_config = Said.model_config | {"strict": False}
    state: Literal["open", "ended"] = "open"
    queue: Name | None = Field(None)
    department: Few = ""
    topic: Topic = ""
    reference: Reference | None = None
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 50
    after: After = Field(None, description="As the page before gave it, with the same filter.")

    @property
    def about(self) -> str:
        """What a cursor is sealed for."""
        return "cases" + self.model_dump_json(exclude={"after", "limit"})


class Wish(Said):
    """What is told about it."""

    act: Literal["answer", "confirm", "deny", "withdraw", "note"] = Field(
        description="`answer`: what was done, the customer is asked whether it is solved; `confirm`, `deny`,"
        " `withdraw`: what the customer said; `note`: nothing follows."
    )
    words: Words | None = Field(None, description="`answer` and `note` need them.")
    how: How | None = Field(None, description="How the customer said it; `confirm`, `deny` and `withdraw` need it.")
    why: Text | None = None


def shown(work: Work, caller: Caller, case: Case, *, kept: bool = False) -> dict[str, Any]:
    """Give a case for a program."""
    zone, sees = work.site.hours.zone, caller.sees_numbers and not kept
    found = {name: getattr(case, name) for name in ShownCase.model_fields if name not in {"number", "clock"}}
    found["clock"] = listing.clock_of(case, work.site.rules.care, work.now)
    plain: dict[str, Any] = values.plain(found, zone, whole=sees)
    return {**plain, "number": values.number(case.e164, whole=sees)}


def _etag(body: dict[str, Any]) -> dict[str, str]:
    return {"ETag": f'"{body["revision"]}"'}


_ETAG: Final = {"ETag": {"schema": {"type": "string"}, "description": "The revision, for `If-Match`."}}
_CODES: Final[dict[type[CallbackError], tuple[Code, str]]] = {
    CasesOff: ("cases-off", "switch care.cases on for the queue"),
    UnknownTopic: ("unknown-topic", "name one of [rules.care.topics]"),
    UnknownDepartment: ("unknown-department", "name one of [rules.care.departments]"),
    NumberBlocked: ("number-blocked", "take one of the blocks back first"),
    NoSuchCase: ("unknown-queue", "name a queue of this token's groups"),
}


@router.post(
    "/cases", status_code=201, response_model=ShownCase, summary="Register a complaint",
    responses={
        200: {"model": ShownCase, "description": "It is known, or joined one that is open.", "headers": _ETAG},
        201: {"description": "Its clock runs.", "headers": _ETAG, "links": {
            "read": {"operationId": "read_case", "parameters": {"case": "$response.body#/id"}},
        }},
        **problems(400, 409),
    },
    operation_id="register_case",
)  # fmt: skip
def registered(caller: WorkingOnCases, complaining: Complaining, key: Key) -> Response:
    """Register what a customer complains of: the clock runs, and the department is written to.

    One that the same customer has open about the same topic gets one more step and is given instead. What has the
    same `reference` is registered once.
    """
    said = complaining.model_dump(exclude={"opened_at", "promised_by", "wish"})
    complaint = Complaint(
        **said, wish=complaining.wish or "", source="api", opened_at=_instant(complaining.opened_at),
        promised_by_at=_instant(complaining.promised_by),
    )  # fmt: skip

    def do(work: Work) -> Answer:
        opened = register(work, complaint, _actor(caller, SAID))
        body = _one(work, caller, opened.case, kept=True)
        where = {"Location": f"{PREFIX}/cases/{opened.case}"}
        return Answer(201 if opened.made else 200, body, _etag(body) | where)

    try:
        return once(caller, key, {"case": complaining.model_dump()}, do)
    except StoreError:
        raise
    except CallbackError as error:
        code, remedy = _CODES.get(type(error), ("bad-request", ""))
        raise Problem(409 if code == "cases-off" else 422, code, masked_text(str(error)), remedy) from error


@router.get("/cases", response_model=Cases, summary="List cases", responses=problems(), operation_id="list_cases")
def listed(caller: SeeingCases, wanted: Annotated[Filter, Query()]) -> Response:
    """List those that are open, by their clocks, first those that wait for us; or those that have ended."""
    return JSONResponse(caller.api.look(lambda work: _page(work, caller, wanted)))


@router.get(
    "/cases/{case}", response_model=WholeCase, summary="Read a case",
    responses={200: {"headers": _ETAG, "links": {
        "act": {"operationId": "act_on_case", "parameters": {
            "case": "$response.body#/id", "header.If-Match": "$response.header.ETag",
        }},
    }}, **problems(404)},
    operation_id="read_case",
)  # fmt: skip
def read(caller: SeeingCases, case: OfCase) -> Response:
    """Read it as it stands, with its steps."""

    def look(work: Work) -> dict[str, Any]:
        found = whole.whole(work, case, caller.groups)
        if found is None:
            raise not_found()
        zone = work.site.hours.zone
        steps = [{name: getattr(one, name) for name in Step.model_fields} for one in reversed(found.steps)]
        return {
            **shown(work, caller, found.case),
            "steps": [values.plain(one, zone, whole=caller.sees_numbers) for one in steps],
        }

    body = caller.api.look(look)
    return JSONResponse(body, headers=_etag(body))


@router.post(
    "/cases/{case}/acts", response_model=ShownCase, summary="Tell something about a case",
    responses={200: {"description": "It is written down.", "headers": _ETAG}, **problems(400, 404, 409, 412, 428)},
    operation_id="act_on_case",
)  # fmt: skip
def act(caller: WorkingOnCases, case: OfCase, wish: Wish, key: Key, if_match: Revision) -> Response:
    """Tell what was done about it, or what the customer said. None of it closes a case: the customer's word does."""
    revision, actor = int(if_match[1:-1]), _actor(caller, wish.why or SAID)
    if wish.act in {"answer", "note"} and wish.words is None:
        raise Problem(422, "bad-request", f"{wish.act} needs `words`")
    if wish.act not in {"answer", "note"} and wish.how is None:
        raise Problem(422, "bad-request", f"{wish.act} needs `how` the customer said it")

    def do(work: Work) -> Answer:
        _do(work, AskedCase(case, revision), wish, actor)
        body = _one(work, caller, case, kept=True)
        return Answer(200, body, _etag(body))

    try:
        return once(caller, key, {"act": case, "revision": revision, **wish.model_dump()}, do)
    except NoSuchCase as error:
        raise not_found() from error
    except CaseChanged as error:
        raise Problem(412, "changed", str(error), "read it again, and decide anew") from error
    except IllegalTransition as error:
        raise Problem(409, "not-possible", str(error), "read it as it stands now") from error


def _do(work: Work, asked: AskedCase, wish: Wish, actor: Actor) -> None:
    """Do what is wished; a note, too, names the revision that was seen."""
    words, how = wish.words or "", wish.how or "call"
    if wish.act == "note":
        deciding.note(work, asked.case, words, actor)
    elif wish.act == "answer":
        deciding.answer(work, asked, words, actor)
    elif wish.act == "confirm":
        deciding.confirm(work, asked, how, actor, words)
    elif wish.act == "deny":
        deciding.deny(work, asked, how, actor, words)
    else:
        deciding.withdraw(work, asked, how, actor, words)


def _one(work: Work, caller: Caller, case: int, *, kept: bool = False) -> dict[str, Any]:
    found = listing.one(work, case, caller.groups)
    if found is None:
        raise not_found()
    return shown(work, caller, found, kept=kept)


def _page(work: Work, caller: Caller, wanted: Filter) -> dict[str, Any]:
    place = None if wanted.after is None else cursor.opened(work, wanted.after, wanted.about)
    if wanted.reference is not None:
        same = of_reference(work, wanted.reference)
        one = None if same is None else listing.one(work, same.id, caller.groups)
        return {"items": [] if one is None else [shown(work, caller, one)], "after": None}
    asked = listing.Wanted(
        ended=wanted.state == "ended", queue=wanted.queue or "", department=wanted.department, topic=wanted.topic
    )
    page = listing.page(work, asked, caller.groups, None if place is None else listing.Place(*place), wanted.limit)
    after = None if page.after is None else [page.after.part, page.after.key, page.after.case]
    return {
        "items": [shown(work, caller, one) for one in page.cases],
        "after": None if after is None else cursor.sealed(work, after, wanted.about),
    }


def _actor(caller: Caller, why: str) -> Actor:
    """A program acts on the cases of its groups as a supervisor does."""
    return Actor(caller.by(why), frozenset({"supervisor"}), caller.groups)


def _instant(said: str | None) -> int | None:
    return None if said is None else values.instant_of(said)
