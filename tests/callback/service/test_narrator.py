"""What people and programs are told: one line for everything that happens, each in its own words."""

from __future__ import annotations

import io
import json
import re
import threading
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.attempts import settle
from callback.events import KINDS, Happened
from callback.service.narrator import Narrator
from scheduler.clock import DAY
from telephony.dialling.dialler import Order, StepName
from tests.callback.world import MINUTE, NOON, US, World, at, call, event, fed

TOKYO = ZoneInfo("Asia/Tokyo")
STEPS: tuple[StepName, ...] = get_args(StepName)
GAP = {
    "since_at": NOON - MINUTE,
    "until_at": NOON,
    "calls": 3,
    "why_not": "",
    "forged": 0,
    "unproved": 0,
    "recorded": False,
}
SERVICE = [  # told by the service itself
    event("contact-refused", NOON, {"flag": 1, "queue": "support", "owner": "anna", "why": "number-blocked"}),
    event("lease-lost", NOON, {"pbx": "main", "why": "another process holds it"}),
    event("committer-died", NOON, {"why": "it was killed", "again_in_s": 5.0}),
    event("restored", NOON, {"backup_at": NOON - MINUTE, "texts": 3}),
    event("compared", NOON, {"go_on": 4, "done": 2, "left": 1, "texts": 3, "why": "the queue_log begins too late"}),
    event("audit-head", NOON, {"anchor": "7:00ff"}),
    event("texting", NOON, {"pbx": "main"}),
    event("texting-lost", NOON, {"pbx": "main", "why": "another process sends them"}),
    event("line-unknown", NOON, {"pbx": "south", "why": "its listener has not looked for 20 s"}),
    event("line-known", NOON, {"pbx": "south"}),
    event("process-down", NOON, {"process": "console", "why": "it ended with status 71"}),
    event("process-back", NOON, {"process": "console"}),
    event("metrics-opened", NOON, {"pid": 7, "where": "127.0.0.1:9464"}),
    event("metrics-died", NOON, {"why": "it ended with status 1", "again_in_s": 1.0}),
    event("node-gone", NOON, {"about": "text here", "why": "no sign of life for 20 s"}),
    event("node-back", NOON, {"about": "text here", "why": "it is there again"}),
    event("clock-off", NOON, {"about": "here", "why": "3 s behind"}),
    event("clock-right", NOON, {"about": "here", "why": "it agrees again"}),
    event("disk-low", NOON, {"about": "here /var/lib/lcr", "why": "2 % free"}),
    event("disk-enough", NOON, {"about": "here /var/lib/lcr", "why": "20 % free"}),
    event("redis-away", NOON, {"about": "here", "why": "connection refused"}),
    event("redis-back", NOON, {"about": "here", "why": "it answers"}),
    event("started", NOON, {"pbx": "main", "journal_from": 0}),
    event("site-key", NOON, {"inside": True, "why": "the site's key is in the database"}),
    event("standby", NOON, {"why": "another process listens to main"}),
    event("stopped", NOON),
    event("pbx-up", NOON, {"pbx": "main", "why": "Asterisk started 2026-11-23 08:00:00"}),
    event("pbx-down", NOON, {"pbx": "main", "why": "the connection was cut:\n[Errno 104] Connection reset by peer"}),
    event("pbx-journal-full", NOON, {"pbx": "main", "why": "the journal holds its most"}),
    event("pbx-behind", NOON, {"pbx": "main", "why": "9 s: all is heard and kept"}),
    event("pbx-level", NOON, {"pbx": "main", "why": "all that was heard is judged"}),
    event("pbx-strangers", NOON, {"pbx": "main", "why": "callers on no trunk: 3 SIP/other"}),
    event("gap", NOON, GAP | {"calls": 3}),
    event("gap", NOON, GAP | {"since_at": 0, "forged": 2, "unproved": 1}),
    event("called-by-hand", NOON, {"reservation": 7, "call_id": "1.1", "phone": "PJSIP/agent1", "talked_s": 15.0}),
    event("rests-after-own-call", NOON, {"reservation": 7, "phone": "PJSIP/agent1", "until_at": NOON + MINUTE}),
    event("put-first", NOON, {"reservation": 7, "queue": "sales"}, "+819012345678"),
    event("decided", NOON, {"reservation": 7, "action": "slot", "slot_at": NOON, "who": "anna", "why": "he asked"}),
    event("decided", NOON, {"action": "erase", "cancelled": [7], "who": "anna", "why": "he asked us to"}),
    event("cancelled", NOON, {"reservation": 7, "why": "number-blocked"}),
    event("held", NOON, {"reservation": 7, "why": "one-ring-burst"}),
    event("pbx-refused", NOON, {"pbx": "main", "why": "2 forged messages"}),
    event("unknown-queue", NOON, {"queue": "sails", "why": "no such queue on the PBX"}),
    event("rules-in-force", NOON, {"version": 2, "who": "bo", "why": "a quiet day"}),
    event("rules-in-force", NOON, {"version": 3, "who": "", "why": ""}),
    event("rules-conflict", NOON, {"keys": ["window_min"], "version": 2}),
    event("lease-kept", NOON, {"why": "the database is away"}),
    event("expired", NOON, {"reservation": 7, "queue": "sales", "why": "only-watched"}, "+819012345678"),
    event("trunk-resting", NOON, {"trunk": "main", "until_at": NOON + MINUTE, "again": False}),
    event("trunk-unclear", NOON, {"trunk": "main"}),
    event("trunk-back", NOON, {"trunk": "main"}),
    event("agents-silent", NOON, {"queue": "sales", "times": 5, "since_at": NOON - MINUTE}),
    event("agents-back", NOON, {"queue": "sales"}),
    event("incident", NOON, {"incident": 3, "cause": "sales/queue-full/main", "state": "holding", "losses": 51}),
    event("overdue", NOON, {"reservation": 7, "queue": "sales", "by_at": NOON, "text": True}),
    event("alarm", NOON, {"group": "site", "due": 40, "missed": 14, "more": 2, "until_at": NOON, "again": False}),
    event("alarm-over", NOON, {"group": "site", "raised_at": NOON}),
    event("help-asked", NOON, {"group": "site", "more": 2, "until_at": NOON, "before": 9, "after": 1, "who": "Anna"}),
    event("texts-refused", NOON, {"line": "acme", "code": "21660", "texts": 2, "lost": 2, "why": "no such sender"}),
    event("texts-delayed", NOON, {"line": "", "code": "20429", "texts": 1, "lost": 0, "why": "too many at once"}),
    event("text-failed", NOON, {"reservation": 7, "code": "30003"}),
    event("answered", NOON, {"answer": 3, "for_people": True, "reservation": 7}),
    event(
        "follow-up-reserved",
        NOON,
        {"reservation": 8, "queue": "sales", "about": "case/7", "clock_starts_at": NOON, "deadline_at": NOON + MINUTE},
    ),
    event("survey-asked", NOON, {"survey": 1, "queue": "sales", "kind": "call", "agent": "Agent One"}),
    event("survey-answered", NOON, {"survey": 1, "queue": "sales", "kind": "call", "agent": None, "score": 1}),
    event(
        "case-opened",
        NOON,
        {"case": 7, "queue": "sales", "kind": "complaint", "topic": "billing", "department": "billing"}
        | {"due_at": NOON, "repeats": 1},
    ),
    event(
        "case-moved",
        NOON,
        {"case": 7, "queue": "sales", "kind": "complaint", "event": "answered", "state": "answered"}
        | {"department": "billing", "owner": None},
    ),
    event(
        "case-at-risk",
        NOON,
        {"case": 7, "queue": "sales", "kind": "complaint", "department": "", "owner": None, "due_at": NOON},
    ),
    event("letter-failed", NOON, {"letter": 4, "department": "billing", "why": "no such mailbox"}),
    event(
        "campaign-moved",
        NOON,
        {"campaign": 2, "name": "outage", "state": "running", "people": 9, "told": 3, "who": "anna"},
    ),
    event("webhook-disabled", NOON, {"endpoint": 2, "host": "crm.example.org", "why": "failing"}),
    event("alarm-not-passed", NOON, {"channel": "url", "why": "answered 503"}),
    event("door-opened", NOON, {"pid": 4711}),
    event("door-died", NOON, {"why": "it ended by itself (status 1)", "again_in_s": 2.0}),
    event("console-opened", NOON, {"pid": 4711, "url": "https://console.example.org"}),
    event("console-died", NOON, {"why": "it ended with status 71", "again_in_s": 1.0}),
    event("put-aside", NOON, {"item": "(Call(pbx='main'), Verdict())", "why": "CHECK failed\n[SQL: INSERT]\n(more)"}),
]


def told_of(world: World) -> list[Happened]:
    """Everything that the use cases tell in a day, as the feed has it."""
    world.hear(call(), source="live-partial")
    world.hear(call(ended_at=NOON + US))
    order = claimed(world, NOON + 2 * US)
    with world.store.write() as connection:
        for n, step in enumerate(STEPS):
            settle.progress(world.work(connection, NOON), order.attempt, step, NOON + (3 + n) * US, "Agent One")
    world.end(order.attempt, "busy", NOON + MINUTE)
    order = claimed(world, NOON + 10 * MINUTE)
    world.end(order.attempt, "reached", NOON + 12 * MINUTE)
    world.hear(call(None, ended_at=NOON + US))
    unheard = call("09012345602", ended_at=NOON + US)
    world.hear(unheard, source="log")
    world.hear(unheard, "served", now=NOON + 9 * US)
    world.hear(call("09012345603", ended_at=at("20:35")))
    world.carry_over(at("21:30"))
    world.hear(call("09012345604", ended_at=at("20:36")))
    world.carry_over(at("21:30"))
    world.hear(call("09012345603", ended_at=at("08:10", 24), talked_s=30), "served")
    world.carry_over(at("21:30", 24))
    return fed(world.store)


def claimed(world: World, now: int) -> Order:
    order = world.claim(now)
    assert order is not None
    return order


def lines_of(*news: Happened) -> list[str]:
    people = io.StringIO()
    Narrator(TOKYO, people, full_numbers=True).tell(news)
    return people.getvalue().splitlines()


def test_this_test_knows_every_event(sqlite_world: World) -> None:
    assert {news.name for news in (*told_of(sqlite_world), *SERVICE)} == set(KINDS)


def test_everything_is_told_in_one_line_with_time_and_event(sqlite_world: World) -> None:
    news = [*told_of(sqlite_world), *SERVICE]
    lines = lines_of(*news)
    assert len(lines) == len(news)
    for piece, line in zip(news, lines, strict=True):
        assert re.fullmatch(rf"\d\d:\d\d:\d\d  {piece.name} +.*", line), line


def test_people_are_told_times_of_the_day_and_never_microseconds(sqlite_world: World) -> None:
    lines = lines_of(*told_of(sqlite_world))
    assert [line for line in lines if re.search(r"\d{16}", line)] == []


def test_what_people_read(sqlite_world: World) -> None:
    news = told_of(sqlite_world)
    first = {piece.name: lines_of(piece)[0] for piece in reversed(news)}
    assert first["call"] == "12:00:00  call            +819012345678 in support: abandoned (gave-up), waited 20 s"
    assert first["reserved"] == (
        "12:00:00  reserved        #1 +819012345678 for support: aim 12:30:00, deadline 13:00:00 (window);"
        " a text follows"
    )
    assert first["merged"].endswith("#1 lost again (2 times); deadline 13:00:00")
    assert first["dialling"].endswith("#1 attempt 1: looking for an agent of support")
    assert first["agent-connected"].endswith("#1 Agent One answered; now the customer")
    assert first["outcome"] == "12:01:00  outcome         #1 busy; again at 12:06:00"
    assert first["carried-over"].endswith("#3 not kept today: due 11-24 08:00:00, deadline 11-24 09:00:00")
    assert first["not-recovered"].endswith("no number: no-number")
    assert first["withdrawn"].endswith("#2 the call was not lost after all")
    assert first["expired"].endswith("#4 +819012345604 in support is left to people: not reached after carrying over")
    assert first["returned"].endswith("#3 the customer was served: nothing more is owed")


def test_every_event_is_told_in_a_sentence_and_not_by_the_names_of_its_facts(sqlite_world: World) -> None:
    said = [
        (line.partition(one.name)[2].strip(), one.facts)
        for one in (*told_of(sqlite_world), *SERVICE)
        for line in lines_of(one)
    ]
    assert [words for words, facts in said if words == ", ".join(f"{key} {value}" for key, value in facts.items())] == [
        ""  # stopped: its name says it
    ]


def test_what_operators_read_of_the_service() -> None:
    said = {one.name: lines_of(one)[0].partition(one.name)[2].strip() for one in reversed(SERVICE)}
    assert said["started"] == "listening to main"
    assert lines_of(event("started", NOON, {"pbx": "main", "journal_from": 90}))[0].endswith(
        "listening to main, from byte 90 of its journal on"
    )
    assert said["pbx-up"] == "main is connected: Asterisk started 2026-11-23 08:00:00"
    assert said["pbx-level"] == "main: all that was heard is judged"
    assert said["audit-head"] == "the record of decisions ends at anchor 7:00ff"
    assert said["committer-died"] == "it was killed; another is begun in 5 s"
    assert said["door-opened"] == "the page and the gateways' callbacks are served by process 4711"
    assert said["unknown-queue"] == "no such queue on the PBX"


def test_a_call_that_named_no_queue_is_told_without_one() -> None:
    facts = {"call_id": "1.1", "queue": None, "kind": "unknown", "reason": None, "side": None}
    (line,) = lines_of(event("call", NOON, facts | {"waited_s": 0.0, "talked_s": 0.0}))
    assert line.endswith("no number in no queue: unknown, waited 0 s")


def test_programs_get_one_json_object_a_line_with_every_fact(sqlite_world: World) -> None:
    news = [*told_of(sqlite_world), *SERVICE]
    people, programs = io.StringIO(), io.StringIO()
    Narrator(TOKYO, people, programs, full_numbers=True).tell(news)
    records = [json.loads(line) for line in programs.getvalue().splitlines()]
    always = {"call", "not-recovered"}
    whose = [{"number": piece.number} if piece.number or piece.name in always else {} for piece in news]
    assert records == [
        {"event": piece.name, "at": piece.at, **number, **piece.facts}
        for piece, number in zip(news, whose, strict=True)
    ]


def test_what_programs_get_steers_no_terminal_that_shows_it() -> None:
    people, programs = io.StringIO(), io.StringIO()
    why = "he said \x1b[2J\x9b31m\u202e, 多谢"
    Narrator(TOKYO, people, programs).tell([event("pbx-down", NOON, {"pbx": "main", "why": why})])
    line = programs.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert "多谢" in line
    assert json.loads(line)["why"] == why


def test_who_does_not_listen_any_more_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    people, programs = io.StringIO(), io.StringIO()
    narrator = Narrator(TOKYO, people, programs)
    people.close()
    narrator.tell([event("stopped", NOON)] * 2)
    assert len(programs.getvalue().splitlines()) == 2
    assert caplog.text.count("takes no more events") == 1


def test_threads_do_not_mix_their_lines() -> None:
    people = io.StringIO()
    narrator = Narrator(TOKYO, people)
    news = [event("standby", NOON, {"why": "x" * 50})] * 20
    threads = [threading.Thread(target=narrator.tell, args=(news,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(people.getvalue().splitlines()) == set(lines_of(news[0]))


class Writes(io.StringIO):
    """Remembers what was written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.each: list[str] = []

    def write(self, text: str, /) -> int:
        self.each.append(text)
        return super().write(text)


def test_a_line_is_written_at_once_with_its_end() -> None:
    people = Writes()
    Narrator(TOKYO, people, people).tell([event("stopped", NOON)] * 3)
    assert len(people.each) == 6
    assert all(text.count("\n") == 1 and text.endswith("\n") for text in people.each)


def test_lines_say_when_they_were_written_and_what_lies_earlier_says_when() -> None:
    people, clock = io.StringIO(), iter([NOON + MINUTE, NOON + MINUTE, NOON + 3 * MINUTE])
    news = [event("stopped", NOON + MINUTE), event("stopped", NOON + MINUTE - US), event("stopped", NOON)]
    Narrator(TOKYO, people, now=lambda: next(clock)).tell(news)
    assert [line.split() for line in people.getvalue().splitlines()] == [
        ["12:01:00", "stopped"],
        ["12:01:00", "stopped"],
        ["12:03:00", "stopped", "(at", "12:00:00)"],
    ]


@given(st.lists(st.integers(-10 * MINUTE, 10 * MINUTE), max_size=20))
def test_lines_never_run_backwards(offsets: list[int]) -> None:
    people, clock = io.StringIO(), iter(range(NOON, NOON + DAY, 7 * US))
    Narrator(TOKYO, people, now=lambda: next(clock)).tell(event("stopped", NOON + offset) for offset in offsets)
    times = [line[:8] for line in people.getvalue().splitlines()]
    assert times == sorted(times)


def test_a_pbx_that_is_away_is_told_with_the_remedy_and_since_when() -> None:
    facts = {"pbx": "main", "why": "refused", "remedy": "start it"}
    (first,) = lines_of(event("pbx-down", NOON, facts))
    (still,) = lines_of(event("pbx-down", NOON, facts | {"still_since_at": NOON - MINUTE}))
    assert first.endswith("main is away: refused; start it")
    assert still.endswith("main is still away, since 11:59:00: refused; start it")


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("incident", {"incident": 1, "cause": "trunk", "state": "paused"}),
        ("decided", {"action": "slot", "who": "anna", "why": "asked"}),
        ("overdue", {"reservation": 1, "queue": "sales", "by_at": None, "text": True}),
    ],
)
def test_what_another_version_means_by_an_event_is_told_plainly(name: str, facts: dict[str, object]) -> None:
    people, programs = io.StringIO(), io.StringIO()
    Narrator(TOKYO, people, programs).tell([event(name, NOON, facts), event("stopped", NOON)])
    assert [line.split()[1] for line in people.getvalue().splitlines()] == [name, "stopped"]
    assert all(f"{key} {value}" in people.getvalue() for key, value in facts.items() if value is not None)
    assert [json.loads(line)["event"] for line in programs.getvalue().splitlines()] == [name, "stopped"]
