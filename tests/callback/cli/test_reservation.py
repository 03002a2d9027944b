"""`callback reservation …`: it teaches by --help, says what was done in a line, and names the remedy of each fault."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from callback.cli import main as cli
from callback.cli.tables import terminal
from callback.losses import incidents
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.cli.conftest import Typed
from tests.callback.world import MINUTE, NOON, World, at, call, rules

SETTINGS = """
[database]
url = "sqlite:///{database}"
[pbx]
username = "lcr"
secret = "hush"
[trunks.main]
channel = "PJSIP/trunk"
region = "JP"
form = "national"
[rules]
zone = "Asia/Tokyo"
"""
BY = ("--why", "he asked", "--by", "anna")
Reservation = Callable[..., tuple[int, str]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(f"sqlite:///{tmp_path / 'calls.db'}", rules())


@pytest.fixture
def reservation(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
    clock_shows: Callable[[int], None],
) -> Reservation:
    """Run `callback reservation …` a minute after noon; give the status and what it said."""
    path = Path(str(world.store.engine.url.database)).with_name("callback.toml")
    path.write_text(SETTINGS.format(database=world.store.engine.url.database), encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CALLBACK_SETTINGS", str(path))
    clock_shows(NOON + MINUTE)

    def run(*words: str) -> tuple[int, str]:
        status, out, err = typed("reservation", *words)
        return status, out + err

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hold", "1"), "#1 held"),
        (("call-now", "1"), "#1 call-now"),
        (("slot", "1", "2026-11-23 18:30"), "#1 slot"),
        (("postpone", "1", "2026-11-23 14:00"), "#1 postpone"),
        (("assign", "1", "bert"), "#1 assign"),
        (("cancel", "1"), "#1 cancelled"),
        (("done-elsewhere", "1"), "#1 done-elsewhere"),
        (("not-lost", "1"), "#1 withdrawn"),
        (("block", "090-1234-5678"), "blocked for calls and texts; cancelled #1"),
        (("block", "+819012345678", "--only", "texts"), "blocked for texts"),
        (("unblock", "09012345678"), "not blocked any more"),
        (
            ("erase", "09012345678"),
            "erase; cancelled #1\nthe journal holds what the PBX said of the calls for seven days",
        ),
    ],
)
def test_what_is_decided_is_said_in_a_line_and_kept(
    world: World, reservation: Reservation, words: tuple[str, ...], said: str
) -> None:
    world.hear(call())
    status, out = reservation(*words, *BY)
    assert status == 0
    assert out.startswith(said)
    row, *_ = world.rows(t.audit)
    assert (row.who, row.why, row.at) == ("anna", "he asked", NOON + MINUTE)


@pytest.mark.parametrize(
    "words", [("call-now", "1"), ("slot", "1", "2026-11-23 18:30"), ("postpone", "1", "2026-11-23 14:00")]
)
def test_a_decision_about_the_time_says_that_it_ends_a_hold(
    world: World, reservation: Reservation, words: tuple[str, ...]
) -> None:
    world.hear(call())
    assert "held no more" not in reservation(*words, *BY)[1]
    reservation("hold", "1", *BY)
    assert "; held no more\n" in reservation(*words, *BY)[1]
    assert reservation("history", "1")[1].count("held no more") == 1


def test_a_loss_that_is_only_listed_is_released_by_its_name_in_the_list(world: World, reservation: Reservation) -> None:
    world.hear(call(ended_at=at("09:00")), now=at("11:59"))
    _, listed = reservation("unreserved", "--hours", "24")
    heads, _, loss = filter(str.strip, listed.splitlines())
    assert "lost at" in heads
    assert "not called back because" in heads
    assert loss.split()[-4:] == ["+819012345678", "support", "abandoned", "late-news"]
    status, out = reservation("release", loss.split()[0], *BY)
    assert (status, out) == (0, "#1 reserved\n#1 release\n#1 now: the service is not running\n")
    assert reservation("unreserved") == (0, "Everybody who was lost in the last 24 hours has a reservation.\n")
    assert "release  anna: he asked" in reservation("history", "1")[1]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("hold", "7"), "there is no reservation 7 on main; `callback queue` lists the open"),
        (("slot", "1", "soon"), "'soon' is no time: write it as 14:50 (the next such moment), +20m"),
        (("slot", "1", "2026-11-23 23:00"), "choose a time from 2026-11-24 08:00 on"),
        (("postpone", "1", "2026-11-23 11:00"), "postpone to a later one, or `call-now`"),
        (("block", "twelve"), "write it with its country, as in +819012345678"),
        (("erase", "09099999999"), "nobody with the number +819099999999 is known here"),
        (("release", "1.1"), "`callback reservation unreserved` lists what may be released"),
        (("lost", "1"), "reservation 1 was not withdrawn as not lost"),
        (("resume", "1"), "reservation 1 is 'waiting', not to be resumed now"),
    ],
)
def test_what_cannot_be_done_names_the_remedy(
    world: World, reservation: Reservation, words: tuple[str, ...], remedy: str
) -> None:
    world.hear(call())
    status, out = reservation(*words, *BY)
    assert status == 2
    assert remedy in out
    assert world.rows(t.audit) == []


def test_help_teaches_every_decision_and_what_erasing_leaves(reservation: Reservation) -> None:
    _, out = reservation("--help")
    for name in ("hold", "resume", "call-now", "slot", "postpone", "assign", "cancel", "done-elsewhere", "not-lost"):
        assert re.search(rf"{name}\s+[A-Z]", out), name
    for name in ("block", "unblock", "erase", "release", "unreserved", "history"):
        assert re.search(rf"{name}\s+[A-Z]", out), name
    _, out = reservation("erase", "--help")
    assert "seven days at most" in " ".join(out.split())


@pytest.mark.parametrize("name", ["[/anna]", "[red]anna[/]", "an[na", "\x1b[31manna", "an\nna\u202e"])
def test_whoever_is_assigned_is_shown_as_written_and_steers_nothing(
    world: World,
    reservation: Reservation,
    typed: Typed,
    name: str,
) -> None:
    world.hear(call(queue="[/x]"))
    assert reservation("assign", "1", name, "--why", f"{name} asked", "--by", name)[0] == 0
    status, told = reservation("history", "1")
    looked, shown, _ = typed("queue")
    assert (status, looked) == (0, 0)
    as_shown = terminal.printable(name)
    assert f"assigned to {as_shown}" in shown
    assert " [/x] " in shown
    assert f"{as_shown}: {as_shown} asked" in told
    assert not set(told + shown) & set("\x1b\u202e")


def test_a_number_is_found_in_the_queue_by_grep(
    world: World, reservation: Reservation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.hear(call("09012345601", queue="a-queue-with-quite-a-long-name"))
    reservation("assign", "1", "somebody with a long name", *BY)
    for columns in ("20", "80", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setattr(sys, "argv", ["callback", "queue"])
        with pytest.raises(SystemExit):
            cli.main()
        (line,) = (line for line in capsys.readouterr().out.splitlines() if "+819012345601" in line)
        assert "a-queue-with-quite-a-long-name" in line
        assert "the service is not running" in line


def told(world: World, reservation: Reservation, *words: str) -> str:
    status, out = reservation(*words)
    assert status == 0, out
    return out


def test_history_says_the_time_or_the_name_decided(world: World, reservation: Reservation) -> None:
    world.hear(call())
    for words in (("postpone", "1", "14:50"), ("slot", "1", "+2h"), ("assign", "1", "bert"), ("assign", "1", "")):
        told(world, reservation, *words, "--why", "meeting", "--by", "anna")
    said = told(world, reservation, "history", "1").splitlines()
    assert said[0] == "#1 +819012345678 in support: waiting since 12:00"
    why = "anna: the customer is in a meeting"
    assert [line.split("  ", 1)[1] for line in said[1:]] == [
        f"postpone until 14:50; the deadline stays 13:00, before that  {why}",
        f"slot at 14:01  {why}",
        f"assign to bert  {why}",
        f"assign to nobody  {why}",
    ]


def test_history_of_what_is_not_there_is_a_fault_and_of_the_undecided_a_sentence(
    world: World, reservation: Reservation
) -> None:
    status, out = reservation("history", "9999")
    assert (status, "there is no reservation 9999 on main" in out) == (2, True)
    world.hear(call())
    assert "nobody has decided anything about it" in told(world, reservation, "history", "1")


@pytest.mark.parametrize("act", ["block", "erase"])
def test_what_a_decision_about_a_number_cancelled_keeps_why(world: World, reservation: Reservation, act: str) -> None:
    world.hear(call())
    world.hear(call(queue="sales"))
    world.hear(call("09012345699"))
    told(world, reservation, act, "09012345678", "--why", "asked", "--by", "anna")
    for number in ("1", "2"):
        said = told(world, reservation, "history", number)
        assert f"cancelled by {act}  anna: the customer asked for it" in said
        assert ": cancelled since 12:01" in said
    assert "nobody has decided anything" in told(world, reservation, "history", "3")


def test_whom_an_incident_holds_a_person_may_hold_and_then_it_does_not_let_go(
    world: World, reservation: Reservation
) -> None:
    held = World(world.store.url, rules(incident_losses=1))
    for n in range(2):
        held.hear(call(f"0901234560{n}", NOON + n), "blocked")
    assert "#1 held\n#1 now: held by anna until resumed: he asked\n" in told(world, reservation, "hold", "1", *BY)
    assert [(row.state, row.incident_id) for row in world.reservations()] == [("held", None), ("held", 1)]
    status, out = reservation("hold", "1", *BY)
    assert (status, "'held', not to be held now" in out) == (2, True)


def test_history_says_that_an_incident_was_dropped(world: World, reservation: Reservation) -> None:
    held = World(world.store.url, rules(incident_losses=1))
    for n in range(2):
        held.hear(call(f"0901234560{n}", NOON + n), "blocked")
    with held.store.write() as connection:
        incidents.decide(Work(connection, held.site, NOON), 1, "dropped", By("anna", "a drill"))
        incidents.tend(Work(connection, held.site, NOON + 1))
        incidents.tend(Work(connection, held.site, NOON + 2))
    said = told(world, reservation, "history", "2")
    assert ": cancelled since 12:00" in said
    assert "incident-dropped  anna: a drill" in said


def test_not_lost_is_taken_back(world: World, reservation: Reservation) -> None:
    world.hear(call())
    world.hear(call(ended_at=NOON + 1))
    told(world, reservation, "not-lost", "1", *BY)
    out = told(world, reservation, "lost", "1", *BY)
    assert out.startswith("#2 reserved\n#2 lost after all, instead of #1\n")
    first, second = world.reservations()
    assert (first.state, second.state, second.deadline_at) == ("withdrawn", "waiting", NOON + 61 * MINUTE)
    status, out = reservation("lost", "1", *BY)
    assert (status, "a callback was reserved for him since: see reservation 2" in out) == (2, True)


@pytest.mark.parametrize(("word", "reason"), [("meeting", "the customer is in a meeting"), ("meetings", "meetings")])
def test_a_usual_reason_is_said_in_a_word(world: World, reservation: Reservation, word: str, reason: str) -> None:
    world.hear(call())
    told(world, reservation, "hold", "1", "-w", word)
    assert [row.why for row in world.rows(t.audit)] == [reason]


@pytest.mark.parametrize("who", ["customer", "service"])
def test_nobody_decides_in_the_name_of_the_customer_or_the_service(
    world: World, reservation: Reservation, who: str
) -> None:
    world.hear(call())
    status, out = reservation("hold", "1", "--why", "x", "--by", who)
    assert (status, "name the person who decides" in out) == (2, True)


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999999", "1.5", "+49"])
def test_a_reservation_is_a_number_that_can_be_one(world: World, reservation: Reservation, number: str) -> None:
    assert reservation("history", "--", number)[0] == 2


def test_a_verdict_is_corrected_and_what_follows_is_said(world: World, reservation: Reservation) -> None:
    world.hear(call("09012345678", NOON))
    status, said = reservation("correct", "1", "served", "--reason", "test-call", *BY)
    assert status == 0, said
    (loss,) = world.rows(t.loss)
    assert f"#1 correct {loss.call_id} from abandoned (gave-up) to served (test-call): it is withdrawn" in said
    assert [row.state for row in world.reservations()] == ["withdrawn"]
    status, said = reservation("correct", loss.call_id, "silent", *BY)
    assert (status, "#2 reserved" in said, "#2 now: " in said) == (0, True, True)


def test_what_would_follow_is_said_and_nothing_is_changed(world: World, reservation: Reservation) -> None:
    world.hear(call("09012345678", NOON))
    status, said = reservation("correct", "1", "silent", "--preview", *BY)
    assert status == 0, said
    assert said.splitlines() == [
        "hung up before anybody answered: gave up → heard silence",
        "it counts as: heard silence",
        "promised by 12:11 instead of 13:00",
        "nothing was changed: this was a preview",
    ]
    assert [row.kind for row in world.reservations()] == ["abandoned"]
    assert len(world.rows(t.verdict)) == 1


def test_what_no_call_can_be_is_refused_with_what_it_can(world: World, reservation: Reservation) -> None:
    world.hear(call("09012345678", NOON))
    status, said = reservation("correct", "1", "lost", *BY)
    assert status != 0
    assert "say one of served, abandoned, blocked, dropped, silent, requested" in said
