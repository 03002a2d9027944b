"""Every entry has a sentence, in every language, and no word of a stranger is lost or read."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from callback.cli.tables import timeline as terminal
from callback.reports.timeline import entries, sentences, story
from callback.reports.timeline.entries import Entry
from callback.reports.timeline.sentences import Speech
from callback.site.work import Work
from callback.web.console import words
from callback.web.console.vocabulary import Subject
from callback.web.console.words import LANGUAGES, Language
from tests.callback.world import US
from tests.console.centre import AGENT, HOSTILE, NOW, Centre
from tests.console.seeded import fresh


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    return fresh(tmp_path_factory.mktemp("centre"))


def of(centre: Centre, name: str) -> story.Timeline:
    with centre.world.store.read() as connection:
        found = story.of_reservation(Work(connection, centre.world.site, NOW), centre.reservation[name])
    assert found is not None
    return found


def english(centre: Centre, name: str) -> list[str]:
    speech = terminal.speech(NOW, ZoneInfo("Asia/Tokyo"))
    return [sentences.said(entry, speech) for entry in of(centre, name).entries]


def test_a_life_reads_like_a_story(centre: Centre) -> None:
    assert english(centre, "binds") == [
        "called support, over kddi",
        "joined support, waited 4:10: the caller hung up",
        "LOST: hung up before anybody answered: gave up waiting, waited 4:10",
        "a callback is owed for it",
        "promise 1: aim 13:14, by 13:44: within the hour",
        "text, by when we call: delivered",
        "called support again, over kddi",
        "joined support, waited 1:02: the caller hung up",
        "LOST: hung up before anybody answered: gave up waiting, waited 1:02",
        "joined the callback that is owed",
        f"try 1 over kddi, {AGENT} answered in 0:03: busy",
        "Anna assigned it to 王伟 (Wei): a customer of ours since 2009",
        "alarm: 1 of 10 promises of support will be missed; 1 more agents until 13:48 would keep them",
        "alarm: 2 of 9 promises of support will be missed; 4 more agents until 13:50 would keep them",
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("slot", "Anna chose a time at 17:30: the customer asked for it"),
        ("postponed", "Bo put it off until 15:00; the deadline stays 13:10, before that: in a meeting until three"),
        ("window", f"wrote: {HOSTILE[0]} (waits for a person, answer 2)"),
        ("abroad", "promise 1: from 11-25 09:00, aim 11-25 09:30, by 11-25 10:00: carried over to the next opening"),
        ("returned", "was served by another call: nothing more is owed"),
        ("expired", "left to people: not reached by the new time either"),
        ("late", "a new time was told: by 14:20"),
        ("incident-1", "a callback is owed for it, in incident 1"),
        ("blocked", "Anna cancelled it with the number (blocked the number): insults <b>everybody</b>"),
        ("burst-0", "the service held it: many one-ring calls from its block of numbers"),
        ("not-lost", "Anna said that it was not lost: it was a test call"),
    ],
)
def test_decisions_and_events_say_what_they_did(centre: Centre, name: str, sentence: str) -> None:
    assert sentence in english(centre, name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_entry_is_said_in_every_language(centre: Centre, language: Language) -> None:
    catalogue = words.catalogue(language)

    def word(subject: Subject, code: str, /, **facts: object) -> str:
        return words.say(language, subject, code, **facts)

    speech = Speech(word, str, catalogue.gettext)
    told = [entry for name in centre.reservation for entry in of(centre, name).entries]
    said = {type(entry): sentences.said(entry, speech) for entry in told}
    assert set(said) == {kind for kind in vars(entries).values() if _is_entry(kind)}
    steps = [of(centre, name).next for name in ("binds", "calling", "held", "aim")]
    assert all(line for step in steps if step for line in sentences.next_said(step, speech))
    assert all(sentences.follows(one, speech) for step in steps if step for one in step.after)
    if language != "en":
        assert all(any(ord(letter) > 0x2E80 for letter in line) for line in said.values())


def _is_entry(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Entry) and kind is not Entry


def test_evidence_and_the_choice_are_said(centre: Centre) -> None:
    speech = terminal.speech(NOW, ZoneInfo("Asia/Tokyo"))
    found = of(centre, "binds").entries
    verdict = next(entry for entry in found if isinstance(entry, entries.Judged))
    assert [sentences.heard(line, speech) for line in verdict.evidence] == [
        "joined the queue (QueueCallerJoin support)",
        "gave up in the queue (QueueCallerAbandon support)",
        "the channel was gone (Hangup caller cause 16)",
    ]
    attempt = next(entry for entry in found if isinstance(entry, entries.Tried))
    assert sentences.chosen(attempt.choice, speech).startswith("is next; 1 agents were free, ")


def test_a_duration_is_minutes_and_seconds() -> None:
    lasted = [sentences.lasted(seconds * US) for seconds in (0, 59, 61, 3600, -5)]
    assert lasted == ["0:00", "0:59", "1:01", "1:00:00", "0:00"]
