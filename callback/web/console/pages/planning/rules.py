"""The rules as versions: what is in force and who made it; propose others, see their effect, publish, go back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from callback.decisions import ruling
from callback.decisions.ruling import NothingChanges, Superseded
from callback.errors import CallbackError, StoreError
from callback.reports.rules_preview.effect import Effect, effect
from callback.settings.rules import AIM_LONGER, SiteRules
from callback.site import rule_versions, written
from callback.site.context import site_of
from callback.site.rule_versions import Change, Faulty, Version
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.members import Member
from callback.web.console.rules import form
from callback.web.console.rules.settings import CHOICES, PLURALS, setting, typed
from callback.web.console.shown import masked
from callback.web.console.visit import Visit

router = APIRouter()

MOST: Final = 50
"""Versions that are listed."""
_NUMBERS: Final = "only_numbers"


async def _filled(request: Request) -> dict[str, str]:
    """Whatever was typed, by field."""
    return {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}


Filled = Annotated[dict[str, str], Depends(_filled)]


@dataclass(frozen=True, slots=True)
class _Standing:
    """The rules as they stand: what is in force, and the versions with what each changed; the newest first."""

    now: int
    in_force: Version
    versions: Sequence[tuple[Version, Sequence[Change] | None]]
    last: Mapping[str, Version]  # who changed a setting last, by its key
    waiting: Sequence[Version]
    conflict: Sequence[rule_versions.Conflict]


@dataclass(frozen=True, slots=True)
class _Proposal:
    """What somebody wants to change, against which version; `to` is the one that this goes back to."""

    base: Version
    rules: SiteRules
    changes: Sequence[Change]
    to: int | None


@router.get("/rules")
def rules(visit: gate.SeeRules) -> Response:
    """Show the rules in force, and the versions before them."""
    return _page(visit)


@router.get("/rules/change")
def change(visit: gate.Publish) -> Response:
    """Show the form. The password is asked for first: what is typed here is published within minutes."""
    _may_publish(visit)
    return _form(visit, _base(visit, {}))


@router.post("/rules/change")
def change_again(visit: gate.Propose, filled: Filled) -> Response:
    """Show the form with what was to be changed."""
    _may_publish(visit)
    base = _base(visit, filled)
    return _form(visit, base, form.changed(base.rules, form.changes_of(filled.get("changes", "{}"))))


@router.post("/rules/effect")
def show_effect(visit: gate.Propose, filled: Filled) -> Response:
    """Check what was typed, and show what it would change; nothing is changed."""
    _may_publish(visit)
    base = _base(visit, filled)
    body = _body(visit, base, filled)
    try:
        proposal = _proposal(visit, base, body, _number(filled.get("to")))
    except Faulty as error:
        return _form(visit, base, body, filled, error.faults, 422)
    if not proposal.changes:
        return _form(visit, base, body, filled, same=True)
    return _effect(visit, proposal)


@router.post("/rules/publish")
def publish(visit: gate.Publish, filled: Filled) -> Response:
    """Make it a version, now or from a time on. 409 where the rules are others by now."""
    _may_publish(visit)
    base = _base(visit, filled)
    body = _body(visit, base, filled)
    proposal = _proposal(visit, base, body, _number(filled.get("to")))
    why, said_at = filled.get("why", "").strip(), filled.get("at", "").strip()
    if not why:
        return _effect(visit, proposal, "no-reason", filled, 422)
    try:
        from_at = written.instant(said_at, visit.console.now(), visit.console.pages.zone) if said_at else None
    except CallbackError:
        from_at = 0
    if from_at is not None and from_at < visit.console.now():
        return _effect(visit, proposal, "bad-time", filled, 422)
    by = By(visit.viewer.user, why)
    try:
        visit.act(lambda work: _publish(work, visit, proposal, by, from_at))
    except Superseded as error:
        return _effect(visit, proposal, str(error), filled, 409)
    except NothingChanges:
        return _effect(visit, proposal, "same", filled, 409)
    return RedirectResponse("/rules", 303)


@router.post("/rules/withdraw")
def withdraw(visit: gate.Publish, filled: Filled) -> Response:
    """Let a version that waits for its time never hold."""
    number = _number(filled.get("version"))
    return _decided(visit, filled, lambda work, by: ruling.withdraw(work, number or 0, by))


@router.post("/rules/take-file")
def take_file(visit: gate.Publish, filled: Filled) -> Response:
    """Make the settings file's rules a version."""
    return _decided(visit, filled, lambda work, by: ruling.take_file(work, visit.console.settings, by))


@router.post("/rules/keep")
def keep(visit: gate.Publish, filled: Filled) -> Response:
    """Leave the rules as they are, whatever the settings file says."""
    return _decided(visit, filled, lambda work, by: ruling.keep(work, visit.console.settings, by))


def _may_publish(visit: Visit) -> None:
    """Rules are the whole site's: who sees some groups of queues alone does not publish them."""
    if visit.viewer.groups is not None:
        raise HTTPException(403)


def _publish(work: Work, visit: Visit, proposal: _Proposal, by: By, from_at: int | None) -> Version:
    if proposal.to is None or from_at is not None:
        return ruling.publish(work, proposal.rules, by, based_on=proposal.base.version, from_at=from_at)
    in_force = rule_versions.in_force(work.connection, work.pbx, work.now).version
    if in_force != proposal.base.version:
        raise Superseded(f"version {in_force} is in force by now: look at it, and decide again")
    return ruling.roll_back(work, visit.console.settings, proposal.to, by)


def _decided(visit: Visit, filled: Mapping[str, str], do: Callable[[Work, By], object]) -> Response:
    """Do what takes a reason alone, and show the rules."""
    _may_publish(visit)
    why = filled.get("why", "").strip()
    if not why:
        return _page(visit, "no-reason", 422)
    try:
        visit.act(lambda work: do(work, By(visit.viewer.user, why)))
    except (Superseded, NothingChanges) as error:
        return _page(visit, str(error), 409)
    return RedirectResponse("/rules", 303)


def _base(visit: Visit, filled: Mapping[str, str]) -> Version:
    """The version that a form was made from; of a new one, that in force."""
    number = _number(filled.get("based_on"))

    def read(work: Work) -> Version:
        if number is None:
            return rule_versions.in_force(work.connection, work.pbx, work.now)
        return rule_versions.version_of(work.connection, work.pbx, number)

    return visit.look(read)


def _body(visit: Visit, base: Version, filled: Mapping[str, str]) -> dict[str, Any]:
    to = _number(filled.get("to"))
    if to is not None:
        earlier = visit.look(lambda work: rule_versions.version_of(work.connection, work.pbx, to))
        return earlier.rules.model_dump(mode="json")
    if "changes" in filled:
        return form.changed(base.rules, form.changes_of(filled["changes"]))
    return form.body_of(base.rules.model_dump(mode="json"), filled)


def _proposal(visit: Visit, base: Version, body: Mapping[str, Any], to: int | None) -> _Proposal:
    """Faulty with every fault."""
    proposed = rule_versions.proposed(visit.console.settings, body, visit.console.now())
    return _Proposal(base, proposed, rule_versions.changes(base.rules, proposed), to)


def _standing(work: Work, visit: Visit) -> _Standing:
    connection, pbx = work.connection, work.pbx
    found = rule_versions.versions(connection, pbx, MOST)
    listed: list[tuple[Version, Sequence[Change] | None]] = []
    last: dict[str, Version] = {}
    for newer, older in pairwise(found):
        changes = _changes(older, newer)
        listed.append((newer, changes))
        if newer.withdrawn_at is None:
            last |= {one.key: newer for one in changes or () if one.key not in last}
    listed += [(found[-1], None)] if found else []
    return _Standing(
        work.now,
        rule_versions.in_force(connection, pbx, work.now),
        listed,
        last,
        rule_versions.waiting(connection, pbx, work.now),
        rule_versions.conflict(connection, visit.console.settings, work.now),
    )


def _changes(older: Version, newer: Version) -> Sequence[Change] | None:
    """What a version changed; None where one of the two was made by a program whose settings are not ours."""
    try:
        return rule_versions.changes(older.rules, newer.rules)
    except StoreError:
        return None


def _page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    seen = visit.look(lambda work: _standing(work, visit))
    body = seen.in_force.rules.model_dump(mode="json")
    return visit.page(
        "planning/rules.html", status, seen=seen, form=form.shown(body, {}, {}), problem=problem, **_words(visit)
    )


def _form(
    visit: Visit,
    base: Version,
    body: Mapping[str, Any] | None = None,
    filled: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    status: int = 200,
    *,
    same: bool = False,
) -> Response:
    seen = visit.look(lambda work: _standing(work, visit))
    rules_body = base.rules.model_dump(mode="json") if body is None else body
    shown = form.shown(rules_body, filled or {}, faults or {})
    return visit.page(
        "planning/rules_form.html", status, seen=seen, base=base, form=shown, same=same, filled=filled or {},
        **_words(visit),
    )  # fmt: skip


def _effect(
    visit: Visit, proposal: _Proposal, problem: str = "", filled: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    settings = rule_versions.fitting(visit.console.settings, proposal.rules)
    site = site_of(settings, proposal.base.version + 1, visit.console.two_way)

    def read(work: Work) -> tuple[Version, Effect]:
        in_force = rule_versions.in_force(work.connection, work.pbx, work.now)
        return in_force, effect(work, site, visit.viewer.groups)

    in_force, told = visit.look(read)
    meanwhile = rule_versions.changes(proposal.base.rules, in_force.rules) if in_force != proposal.base else ()
    viewer = visit.viewer
    stale = isinstance(viewer, Member) and not viewer.session.fresh(visit.console.now())
    return visit.page(
        "planning/rules_effect.html", status,
        proposal=proposal, carried=form.carried(proposal.changes), effect=told, problem=problem, filled=filled or {},
        in_force=in_force, meanwhile=meanwhile, now=visit.console.now(), prove=stale, **_words(visit),
    )  # fmt: skip


def _words(visit: Visit) -> dict[str, Any]:
    """What templates say settings with."""
    may = visit.viewer.may("publish-rules") and visit.viewer.groups is None
    return {
        "may_publish": may, "said": _said(in_full=may), "setting": setting, "choices": CHOICES, "plurals": PLURALS,
        "aim_longer": AIM_LONGER,
    }  # fmt: skip


def _said(*, in_full: bool) -> Callable[[str, object], str]:
    """A value as it is read; numbers of customers in full by those alone who may change them."""

    def said(key: str, value: object) -> str:
        if key.endswith(_NUMBERS) and not in_full:
            numbers = value.split(", ") if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
            return ", ".join(masked(number) for number in numbers if number)
        return typed(value)

    return said


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004
