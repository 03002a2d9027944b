"""Every sentence of the console is there in each language, and every code has a word."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import callback
from callback.accounts.roles import ROLES
from callback.accounts.tokens import TokenState
from callback.accounts.webhooks.deliveries import Fault as DeliveryFault
from callback.accounts.webhooks.deliveries import State as DeliveryState
from callback.accounts.webhooks.endpoints import Disabled
from callback.attempts.agent_states import AGENT_STATES
from callback.campaigns import states as campaign_states
from callback.campaigns.asking import WHY_BLANK
from callback.campaigns.audience import LeftOut
from callback.campaigns.checklist import LINES
from callback.care.cases import Kind as CaseKind
from callback.care.cases import Source
from callback.care.flags import FlagState
from callback.care.states import STATES as CASE_STATES
from callback.care.states import Event as CaseEvent
from callback.customers.caller import Reason
from callback.decisions import wrap_up
from callback.decisions.care.cases import How
from callback.decisions.care.registering import SEVERITIES
from callback.decisions.corrections import OF_PEOPLE
from callback.decisions.reasons import NONE_GIVEN, REASONS
from callback.decisions.records import ACTIONS, WORDS, Why
from callback.decisions.undoing import NotUndoneWhy
from callback.events import KINDS
from callback.losses.corrections import NO_CALLBACK, NOT_LOST
from callback.losses.decide import NoCallback
from callback.losses.incidents import Wish
from callback.losses.release import RESERVED
from callback.operations.doctor.finding import Level
from callback.reports.campaigns.asked import Which
from callback.reports.misses import CAUSES, LEVERS, MOVES
from callback.reports.now.figure import LISTS, Lane
from callback.reports.now.health import PartName, PartState
from callback.reports.queue.lanes import Sort
from callback.reports.queue.rows import Step
from callback.reports.queue.why import WORDS as WHY_NOT
from callback.reports.timeline import sentences
from callback.reports.timeline.again import WhyNot
from callback.reports.timeline.entries import Whose
from callback.reservations.deadlines import LeftWhy
from callback.reservations.states import STATES
from callback.site import handovers
from callback.site.pauses import WHAT
from callback.store.audit import CUSTOMER, RETAINED, SERVICE
from callback.store.tables import FOLLOW_UP
from callback.texts.compose import NoText
from callback.web.console import vocabulary, words
from callback.web.console.acts.form import Fault
from callback.web.console.care.forms import Fault as CaseFault
from callback.web.console.live import outcomes
from callback.web.console.pages.customers import person
from callback.web.console.pages.planning import switches
from callback.web.console.queue.asked import COLUMNS
from callback.web.console.queue.choices import Filter
from callback.web.console.reservation.content import Show
from callback.web.console.words import LANGUAGES, Language
from scheduler import promise
from scheduler.incident import STATES as INCIDENT_STATES
from scheduler.retry import OUTCOMES
from sms.gateway import Progress
from sms.inbound import Word
from sms.tables import STATES as TEXT_STATES
from sms.text import SAMPLES, TAILS
from telephony.calls.call import Kind, VisitEnd
from telephony.calls.facts.evidence import NAMES
from telephony.calls.verdict import TABLE, VerdictRow
from telephony.dialling.dialler import StepName
from tests.callback.audit_actions import collect

FOLDER = Path(words.__file__).parent
SENTENCES = Path(sentences.__file__).parent  # which the commands say too
TRANSLATED = [language for language in LANGUAGES if language != "en"]
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
_ACTED = set(vocabulary.VOCABULARY["action"]) | {"decided"}  # events that are named as what people do
_READ_HERE = {
    ("callback.decisions.batch", "WORDS[CLOSING[action]]"): {f"{word}-pending" for word in WORDS.values()},
    ("callback.losses.incidents", "wish"): {f"incident-{wish}" for wish in get_args(Wish)},
    ("callback.operations.retention.forgetting", "audit.RETAINED"): {RETAINED},
}
"""What `collect` cannot read of the source."""
_RUN_ALONE = {word for words in _READ_HERE.values() for word in words}


def _flat(codes: object) -> set[str]:
    """The words of a Literal, or of several in a union."""
    return {word for one in get_args(codes) for word in (_flat(one) if get_args(one) else {one})}


def steps() -> set[str]:
    """Every word by which the code keeps a step of a case, beside the events of its table."""
    root = Path(callback.__file__).parent
    modules = [*(root / "care").glob("*.py"), *(root / "decisions" / "care").glob("*.py")]
    calls = [one for file in modules for one in ast.walk(ast.parse(file.read_bytes())) if isinstance(one, ast.Call)]
    words = [one.args[3] for one in calls if ast.unparse(one.func) in {"cases.change", "_step"}]
    told = [part.value for word in words for part in ast.walk(word) if isinstance(part, ast.Constant)]
    return {word for word in told if isinstance(word, str)}


CODES: dict[vocabulary.Subject, set[str]] = {
    "paused": set(WHAT),
    "pausing": set(WHAT),
    "pause-means": set(WHAT),
    "pause-fault": set(get_args(switches.Fault)) - {""},
    "kind": {*get_args(Kind), FOLLOW_UP},
    "reason": {row.reason.replace("-{cause}", "") for row in TABLE if row.reason} | set(OF_PEOPLE["served"]),
    "state": set(STATES),
    "outcome": set(OUTCOMES),
    "role": set(ROLES),
    "incident-state": set(INCIDENT_STATES),
    "campaign-state": set(campaign_states.STATES),
    "campaign-part": {"delivered", "sent", "unknown", "failed", "leaving", "to-tell"},
    "campaign-line": {*get_args(Reason), "too-many-columns", "segment-not-usable", "no-such-language"},
    "campaign-column": {"customer"},
    "left-out": set(get_args(LeftOut)),
    "asked": {*get_args(Which), "waiting", "called"},
    "blank": {*WHY_BLANK, "not-reached", "called-off", "number-blocked", "never-in-hours"},
    "five-s": set(LINES),
    "five-s-means": set(LINES),
    "lane": set(get_args(Lane)),
    "why-not": set(WHY_NOT),
    "whose": set(get_args(Show)) | set(get_args(Whose)),
    "again": set(get_args(WhyNot)),
    "text": {*get_args(Progress), *TEXT_STATES},
    "no-text": set(get_args(NoText)),
    "template": set(SAMPLES) - set(TAILS),
    "recovery": {*_flat(NoCallback), *RESERVED, NOT_LOST, NO_CALLBACK},
    "left": {*outcomes.CLOSED, outcomes.MOVED, outcomes.CALLED_BY_HAND, outcomes.CANCELLED_BY_CUSTOMER}
    | {f"{how}-by" for how in outcomes.BY},
    "expired": set(get_args(LeftWhy)),
    "heard": {*NAMES.values(), *(step.partition("_")[0] for step in get_args(StepName))},
    "stage": set(get_args(Step)),
    "filter": set(get_args(Filter)),
    "actor": {CUSTOMER, SERVICE},
    "wish": set(get_args(Word)) | {"time"} | {f"choice-{number}" for number in range(1, 6)},
    "sort": {str(one) for one in Sort},
    "column": set(COLUMNS),
    "visit": set(get_args(VisitEnd)),
    "agent": set(AGENT_STATES),
    "part": set(get_args(PartName)),
    "part-state": set(get_args(PartState)),
    "list": set(LISTS),
    "finding": set(get_args(Level)),
    "cause": set(CAUSES),
    "action": {*MOVES, *LEVERS, *_RUN_ALONE},  # and all that is audited: `codes_of`
    "person-fault": set(get_args(person.Fault)),
    "handover-fault": set(get_args(handovers.Fault)),
    "act": set(ACTIONS),
    "act-done": {*ACTIONS, "undo"},
    "preset": set(REASONS),
    "change": {name for name, kind in KINDS.items() if {"reservation"} < {one.name for one in fields(kind)}} - _ACTED,
    "wrap-up": set(wrap_up.OUTCOMES),
    "wrap-up-cause": set(wrap_up.CAUSES),
    "fault": set(get_args(Fault)),
    "not-undone": {*get_args(NotUndoneWhy), "unknown"},
    "refusal": set(get_args(Why)),
    "case-state": set(CASE_STATES),
    "case-kind": set(get_args(CaseKind)),
    "case-source": set(get_args(Source)),
    "case-step": {*get_args(CaseEvent), *steps()},
    "case-how": set(get_args(How)),
    "case-fault": set(get_args(CaseFault)),
    "severity": {str(one) for one in SEVERITIES},
    "letter": {"waiting", "sent", "failed", "withdrawn"},
    "question": {"call", "callback", "repair"},
    "flag-state": set(get_args(FlagState)),
    "flag-why": {"number-blocked", "never-in-hours"},
    "token-state": set(get_args(TokenState)),
    "endpoint": {"at-work", *get_args(Disabled)} - {""},
    "delivery": set(get_args(DeliveryState)),
    "delivery-fault": set(get_args(DeliveryFault)) - {""},
    "promise": {
        promise.WINDOW,
        promise.EVENING,
        promise.CARRIED_OVER,
        promise.SLOT,
        promise.APOLOGY,
        promise.TRIED_SOONER,
    },
}


def codes_of(subject: vocabulary.Subject) -> set[str]:
    """Every code of the subject; what is audited is read from the source, when it is asked for."""
    return CODES[subject] | (collect().known if subject == "action" else set())


def said() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each sentence of templates and modules, with its file; of one with a plural, both."""
    for folder in (FOLDER, SENTENCES):
        for file, _line, message, _comments, _context in extract_from_dir(folder, METHODS, OPTIONS):
            yield file, (message,) if isinstance(message, str) else tuple(message)


def catalogue_of(language: Language) -> Catalog:
    with (words.LOCALE / language / "LC_MESSAGES" / "console.po").open("rb") as lines:
        return read_po(lines, locale=language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: Language) -> None:
    catalogue = catalogue_of(language)
    missing = [
        (file, message)
        for file, message in said()
        if (found := catalogue.get(message[0])) is None or not all(_each(found.string))
    ]
    assert not missing


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_catalogue_holds_what_nobody_says(language: Language) -> None:
    known = {message[0] for _, message in said()}
    assert not [entry.id for entry in catalogue_of(language) if entry.id and _first(entry.id) not in known]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_holds_the_same_facts(language: Language) -> None:
    for entry in catalogue_of(language):
        for one in _each(entry.string):
            assert _facts(one) == _facts(_first(entry.id)), entry.id


def test_every_subject_has_its_codes() -> None:
    assert set(CODES) == set(get_args(vocabulary.Subject)) == set(vocabulary.VOCABULARY)


def test_the_audit_is_read_whole() -> None:
    assert collect().unread == set(_READ_HERE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.reason or row.kind)
def test_a_call_that_nobody_can_judge_is_kept_by_a_word(row: VerdictRow) -> None:
    code = (row.reason or row.kind).format(cause=16)
    english = vocabulary.sentence("recovery", code)[0]
    assert english in {word for words in vocabulary.VOCABULARY.values() for word in words.values()}


@pytest.mark.parametrize("subject", sorted(CODES))
def test_every_code_has_a_word(subject: vocabulary.Subject) -> None:
    assert codes_of(subject) - set(vocabulary.VOCABULARY[subject]) == set()


def test_a_word_says_the_facts_of_the_row() -> None:
    assert words.say("en", "reason", "hangup-34") == "was hung up on, cause 34"
    assert words.say("zh_Hans", "why-not", "in-incident", incident=12) == "因事件 12 暂停"
    assert words.say("en", "why-not", "held", held_by="Anna") == "held by Anna: \N{EN DASH}"
    assert words.say("en", "kind", "never-{heard}-of") == "never {heard} of"


def _first(identity: str | tuple[str, ...] | list[str]) -> str:
    return identity if isinstance(identity, str) else identity[0]


def _each(told: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [told or ""] if isinstance(told, str) or told is None else list(told)


def _facts(sentence: str) -> set[str]:
    """What a sentence takes in: {name} of a word, %(name)s of a template."""
    named = {name for _, name, _, _ in string.Formatter().parse(sentence.replace("%(", "{").replace(")s", "}")) if name}
    return {name.partition("!")[0] for name in named}


def test_reasons_that_can_be_chosen_and_who_is_no_person_are_said_in_the_language() -> None:
    assert words.given("zh_Hans", REASONS["meeting"]) == "客户在开会"
    assert words.given("zh_Hans", NONE_GIVEN) == "未说明原因"
    assert words.given("zh_Hans", "a customer of ours") == "a customer of ours"
    assert words.given("en", "x" * 50, 10) == "x" * 9 + "…"
    assert [words.actor("zh_Hans", who) for who in (SERVICE, CUSTOMER, "anna")] == ["系统", "客户", "anna"]
