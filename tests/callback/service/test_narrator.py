"""What people and programs are told: one line for everything that happens, each in its own words."""

from __future__ import annotations

import io
import json
import re
import threading
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import callback
from callback.attempts import settle
from callback.events import News
from callback.service.narrator import Narrator
from scheduler.clock import DAY
from telephony.dialling.dialler import Order, StepName
from tests.callback.world import MINUTE, NOON, US, World, at, call

TOKYO = ZoneInfo("Asia/Tokyo")
STEPS: tuple[StepName, ...] = get_args(StepName)
SERVICE = [  # told by the service itself
    News("lease-lost", NOON, {"pbx": "main", "why": "another process holds it"}),
    News("committer-died", NOON, {"pbx": "main", "why": "it was killed"}),
    News("audit-head", NOON, {"anchor": "7:00ff"}),
    News("started", NOON, {"pbx": "main", "journal_from": 0}),
    News("site-key", NOON, {"inside": True, "why": "the site's key is in the database"}),
    News("standby", NOON, {"why": "another process listens to main"}),
    News("stopped", NOON),
    News("pbx-up", NOON, {"pbx": "main", "why": "Asterisk started 2026-11-23 08:00:00"}),
    News("pbx-down", NOON, {"pbx": "main", "why": "the connection was cut:\n[Errno 104] Connection reset by peer"}),
    News("pbx-journal-full", NOON, {"pbx": "main", "why": "the journal holds its most"}),
    News("pbx-behind", NOON, {"pbx": "main", "why": "9 s: all is heard and kept"}),
    News("pbx-level", NOON, {"pbx": "main", "why": "all that was heard is judged"}),
    News("pbx-strangers", NOON, {"pbx": "main", "why": "callers on no trunk: 3 SIP/other"}),
    News("gap", NOON, {"since_at": NOON - MINUTE, "until_at": NOON, "calls": 3, "why_not": ""}),
    News("gap", NOON, {"since_at": 0, "until_at": NOON, "calls": 3, "why_not": "", "forged": 2, "unproved": 1}),
    News("called-by-hand", NOON, {"reservation": 7, "number": "+8190", "phone": "PJSIP/agent1", "talked_s": 15.0}),
    News("rests-after-own-call", NOON, {"reservation": 7, "phone": "PJSIP/agent1", "until_at": NOON + MINUTE}),
    News("put-first", NOON, {"queue": "sales", "number": "+819012345678"}),
    News("decided", NOON, {"reservation": 7, "action": "slot", "slot_at": NOON, "who": "anna", "why": "he asked"}),
    News("decided", NOON, {"action": "erase", "cancelled": [7], "who": "anna", "why": "he asked us to"}),
    News("cancelled", NOON, {"reservation": 7, "why": "number-blocked"}),
    News("held", NOON, {"reservation": 7, "why": "one-ring-burst"}),
    News("pbx-refused", NOON, {"pbx": "main", "why": "2 forged messages"}),
    News("unknown-queue", NOON, {"queue": "sails", "why": "no such queue on the PBX"}),
    News("lease-kept", NOON, {"why": "the database is away"}),
    News("expired", NOON, {"reservation": 7, "number": "+819012345678", "queue": "sales", "why": "only-watched"}),
    News("trunk-resting", NOON, {"trunk": "main", "until_at": NOON + MINUTE, "again": False}),
    News("trunk-unclear", NOON, {"trunk": "main"}),
    News("trunk-back", NOON, {"trunk": "main"}),
    News("agents-silent", NOON, {"queue": "sales", "times": 5, "since_at": NOON - MINUTE}),
    News("agents-back", NOON, {"queue": "sales"}),
    News("incident", NOON, {"incident": 3, "cause": "sales/queue-full/main", "state": "holding", "losses": 51}),
    News("overdue", NOON, {"reservation": 7, "number": "+8190", "queue": "sales", "by_at": NOON, "text": True}),
    News("alarm", NOON, {"group": "site", "due": 40, "missed": 14, "more": 2, "until_at": NOON, "again": False}),
    News("alarm-over", NOON, {"group": "site", "raised_at": NOON}),
    News("alarm-not-passed", NOON, {"channel": "url", "why": "answered 503"}),
    News("door-opened", NOON, {"pid": 4711}),
    News("door-died", NOON, {"why": "it ended by itself (status 1)", "again_in_s": 2.0}),
    News("put-aside", NOON, {"item": "(Call(pbx='main'), Verdict())", "why": "CHECK failed\n[SQL: INSERT]\n(more)"}),
]


def told_of(world: World) -> list[News]:
    """Everything that the use cases tell in a day."""
    told = world.hear(call(), source="live-partial")
    told += world.hear(call(ended_at=NOON + US))
    order = claimed(world, NOON + 2 * US, told)
    with world.store.write() as connection:
        for n, step in enumerate(STEPS):
            moment = NOON + (3 + n) * US
            told += settle.progress(world.work(connection, NOON), order.attempt, step, moment, "Agent One")
    told += world.end(order.attempt, "busy", NOON + MINUTE)
    order = claimed(world, NOON + 10 * MINUTE, told)
    told += world.end(order.attempt, "reached", NOON + 12 * MINUTE)
    told += world.hear(call(None, ended_at=NOON + US))
    unheard = call("09012345602", ended_at=NOON + US)
    told += world.hear(unheard, source="log") + world.hear(unheard, "served", now=NOON + 9 * US)
    told += world.hear(call("09012345603", ended_at=at("20:35"))) + world.carry_over(at("21:30"))
    told += world.hear(call("09012345604", ended_at=at("20:36"))) + world.carry_over(at("21:30"))
    told += world.hear(call("09012345603", ended_at=at("08:10", 24), talked_s=30), "served")
    told += world.carry_over(at("21:30", 24))
    return told


def claimed(world: World, now: int, told: list[News]) -> Order:
    order = world.claim(now)
    assert order is not None
    told += world.told
    return order


def lines_of(*news: News) -> list[str]:
    people = io.StringIO()
    Narrator(TOKYO, people, full_numbers=True).tell(news)
    return people.getvalue().splitlines()


def events_in_source() -> set[str]:
    """What any part of the application may tell, as its source says."""
    folder = Path(str(callback.__file__)).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    steps = {step.removesuffix("_at").replace("_", "-") for step in STEPS}
    states = {"pbx-up", "pbx-down", "pbx-journal-full", "pbx-refused", "pbx-behind", "pbx-level", "pbx-strangers"}
    return set(re.findall(r'News\("([a-z-]+)"', text)) | steps | states


def test_this_test_knows_every_event(sqlite_world: World) -> None:
    assert {news.event for news in (*told_of(sqlite_world), *SERVICE)} == events_in_source()


def test_everything_is_told_in_one_line_with_time_and_event(sqlite_world: World) -> None:
    news = [*told_of(sqlite_world), *SERVICE]
    lines = lines_of(*news)
    assert len(lines) == len(news)
    for piece, line in zip(news, lines, strict=True):
        assert re.fullmatch(rf"\d\d:\d\d:\d\d  {piece.event} +.*", line), line


def test_people_are_told_times_of_the_day_and_never_microseconds(sqlite_world: World) -> None:
    lines = lines_of(*told_of(sqlite_world))
    assert [line for line in lines if re.search(r"\d{16}", line)] == []


def test_what_people_read(sqlite_world: World) -> None:
    news = told_of(sqlite_world)
    first = {piece.event: lines_of(piece)[0] for piece in reversed(news)}
    assert first["call"] == "12:00:00  call            09012345678 in support: abandoned (gave-up), waited 20 s"
    assert first["reserved"] == (
        "12:00:00  reserved        #1 +819012345678 for support: aim 12:30:00, deadline 13:00:00 (window);"
        " a text follows"
    )
    assert first["merged"].endswith("#1 lost again (2 times); deadline 13:00:00")
    assert first["dialling"].endswith("#1 attempt 1: looking for an agent of support")
    assert first["agent-connected"].endswith("#1 Agent One answered; now the customer")
    assert first["outcome"] == "12:01:00  outcome         #1 busy; again at 12:06:00"
    assert first["carried-over"].endswith("#3 not kept today: due 08:00:00, deadline 09:00:00")
    assert first["not-recovered"].endswith("no number: no-number")
    assert first["withdrawn"].endswith("#2 the call was not lost after all")
    assert first["expired"].endswith("#4 +819012345604 in support is left to people: not reached after carrying over")
    assert first["returned"].endswith("#3 he got through by himself: nothing more is owed to him")


def test_a_call_that_named_no_queue_is_told_without_one() -> None:
    facts = {"call_id": "1.1", "number": None, "queue": None, "kind": "unknown", "reason": None, "side": None}
    (line,) = lines_of(News("call", NOON, facts | {"waited_s": 0.0, "talked_s": 0.0}))
    assert line.endswith("no number in no queue: unknown, waited 0 s")


def test_programs_get_one_json_object_a_line_with_every_fact(sqlite_world: World) -> None:
    news = [*told_of(sqlite_world), *SERVICE]
    people, programs = io.StringIO(), io.StringIO()
    Narrator(TOKYO, people, programs, full_numbers=True).tell(news)
    records = [json.loads(line) for line in programs.getvalue().splitlines()]
    assert records == [{"event": piece.event, "at": piece.at, **piece.facts} for piece in news]


def test_what_programs_get_steers_no_terminal_that_shows_it() -> None:
    people, programs = io.StringIO(), io.StringIO()
    why = "he said \x1b[2J\x9b31m\u202e, 多谢"
    Narrator(TOKYO, people, programs).tell([News("pbx-down", NOON, {"pbx": "main", "why": why})])
    line = programs.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert "多谢" in line
    assert json.loads(line)["why"] == why


def test_who_does_not_listen_any_more_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    people, programs = io.StringIO(), io.StringIO()
    narrator = Narrator(TOKYO, people, programs)
    people.close()
    narrator.tell([News("stopped", NOON)] * 2)
    assert len(programs.getvalue().splitlines()) == 2
    assert caplog.text.count("takes no more news") == 1


def test_threads_do_not_mix_their_lines() -> None:
    people = io.StringIO()
    narrator = Narrator(TOKYO, people)
    news = [News("stopped", NOON, {"who": "x" * 50})] * 20
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
    Narrator(TOKYO, people, people).tell([News("stopped", NOON)] * 3)
    assert len(people.each) == 6
    assert all(text.count("\n") == 1 and text.endswith("\n") for text in people.each)


def test_lines_say_when_they_were_written_and_what_lies_earlier_says_when() -> None:
    people, clock = io.StringIO(), iter([NOON + MINUTE, NOON + MINUTE, NOON + 3 * MINUTE])
    news = [News("stopped", NOON + MINUTE), News("stopped", NOON + MINUTE - US), News("stopped", NOON)]
    Narrator(TOKYO, people, now=lambda: next(clock)).tell(news)
    assert [line.split() for line in people.getvalue().splitlines()] == [
        ["12:01:00", "stopped"],
        ["12:01:00", "stopped"],
        ["12:03:00", "stopped", "(at", "12:00:00)"],
    ]


@given(st.lists(st.integers(-10 * MINUTE, 10 * MINUTE), max_size=20))
def test_lines_never_run_backwards(offsets: list[int]) -> None:
    people, clock = io.StringIO(), iter(range(NOON, NOON + DAY, 7 * US))
    Narrator(TOKYO, people, now=lambda: next(clock)).tell(News("stopped", NOON + offset) for offset in offsets)
    times = [line[:8] for line in people.getvalue().splitlines()]
    assert times == sorted(times)


def test_a_pbx_that_is_away_is_told_with_the_remedy_and_since_when() -> None:
    facts = {"pbx": "main", "why": "refused", "remedy": "start it"}
    (first,) = lines_of(News("pbx-down", NOON, facts))
    (still,) = lines_of(News("pbx-down", NOON, facts | {"still_since_at": NOON - MINUTE}))
    assert first.endswith("main is away: refused; start it")
    assert still.endswith("main is still away, since 11:59:00: refused; start it")
