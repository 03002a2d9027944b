"""The command line: what it prints, and that what an operator can mend is one sentence and status 2."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from callback.cli import main as cli
from callback.clock import now_us
from callback.store import engine
from tests.callback.cli.conftest import Typed
from tests.callback.world import World, call, rules

STREAMS = Path(__file__).parents[2] / "streams"
CAPTURES = sorted(STREAMS.glob("*.ami.gz"))
CALL_KEYS = ["call_id", "number", "queue", "kind", "reason", "side"]
CALL_KEYS += ["waited_s", "talked_s", "started_at", "evidence"]

SETTINGS = """
[database]
url = "sqlite:///{database}"

[pbx]
username = "lcr"
secret = "hush"
journal = "{folder}/journal"

[trunks.main]
region = "JP"
form = "national"

[rules]
zone = "Asia/Tokyo"
"""


@dataclass(frozen=True)
class Said:
    """What a command wrote, and its status."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Callback = Callable[..., Said]


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch, typed: Typed) -> Callback:
    """Run the command line in this process."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    return lambda *words: Said(*typed(*words))


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file that names a database which does not exist yet."""
    path = tmp_path / "callback.toml"
    path.write_text(SETTINGS.format(database=tmp_path / "calls.db", folder=tmp_path), encoding="utf-8")
    return path


# Replay


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name.removesuffix(".ami.gz"))
def test_every_capture_is_replayed_in_the_promised_shape(callback: Callback, capture: Path) -> None:
    said = callback("replay", "--json", capture)
    assert (said.status, said.err) == (0, "")
    for line in said.lines:
        record = json.loads(line)
        assert list(record) == CALL_KEYS
        assert isinstance(record["waited_s"], float)
        assert isinstance(record["talked_s"], float)
        assert all(isinstance(word, str) for word in record["evidence"])
        assert record["started_at"].endswith("Z")


def test_captures_are_replayed_each_on_its_own_in_the_order_given(callback: Callback) -> None:
    two = [STREAMS / "03a-abandon-ringing.ami.gz", STREAMS / "02-normal-agent-hangs-up.ami.gz"]
    kinds = [json.loads(line)["kind"] for line in callback("replay", "--json", *two).lines]
    assert kinds == ["abandoned", "served"]
    assert [json.loads(line)["kind"] for line in callback("replay", "--json", *two[::-1]).lines] == kinds[::-1]


def test_people_read_one_line_for_each_call(callback: Callback) -> None:
    capture = STREAMS / "03a-abandon-ringing.ami.gz"
    (line,) = callback("replay", capture).lines
    record = json.loads(callback("replay", "--json", capture).out)
    assert line.startswith(record["started_at"])
    assert f"{record['number']} in {record['queue']}: abandoned" in line


def test_a_broken_capture_is_told_with_its_line_after_the_calls_before_it(callback: Callback, tmp_path: Path) -> None:
    whole = gzip.decompress((STREAMS / "03a-abandon-ringing.ami.gz").read_bytes())
    broken = tmp_path / "broken.ami"
    broken.write_bytes(whole + b"Event: Hang\0up\r\n\r\n")
    said = callback("replay", "--json", broken)
    assert said.status == 2
    line = whole.count(b"\n") + 1
    assert said.err.startswith(f"callback: {broken}, line {line}: garbage: a NUL byte")
    assert len(said.lines) <= 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it holds nothing"),
        (b"hello\n", "this is not AMI"),
        (b"\x1f\x8b\x08garbage", "compressed data is damaged"),
    ],
)
def test_what_is_no_capture_is_refused(callback: Callback, tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "what.ami"
    path.write_bytes(content)
    said = callback("replay", "--json", path)
    assert (said.status, said.out) == (2, "")
    assert f"{path}, line 1: " in said.err
    assert words in said.err


OLD = (
    b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/line-1\r\nChannelState: 0\r\nCallerIDNum: 0312345678\r\n"
    b"Exten: 500\r\nUniqueid: 1400000000.7\r\n\r\n"
    b"Event: Join\r\nPrivilege: call,all\r\nChannel: SIP/line-1\r\nQueue: support\r\nUniqueid: 1400000000.7\r\n\r\n"
    b"Event: Hangup\r\nPrivilege: call,all\r\nChannel: SIP/line-1\r\nUniqueid: 1400000000.7\r\nCause: 16\r\n\r\n"
)
WORDS_ALONE = b"Event: Join\r\nQueue: support\r\nUniqueid: 1400000000.7\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Asterisk Call Manager/1.3\r\n" + OLD, "it greets as 'Asterisk Call Manager/1.3': Asterisk 11 and older"),
        (b"Asterisk Call Manager/1.1\r\n" + WORDS_ALONE, "it greets as 'Asterisk Call Manager/1.1'"),
        (OLD, "all of its 2 events on calls were refused"),  # it begins late
    ],
)
def test_a_capture_of_which_nothing_can_be_read_is_no_quiet_day(
    callback: Callback, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "old.ami"
    path.write_bytes(content)
    said = callback("replay", "--json", path)
    assert (said.status, said.out) == (2, "")
    assert words in said.err
    assert "Capture a connection to Asterisk 12 or newer" in said.err


def test_refused_messages_are_told_beside_the_calls(callback: Callback, tmp_path: Path) -> None:
    whole = gzip.decompress((STREAMS / "03a-abandon-ringing.ami.gz").read_bytes())
    path = tmp_path / "mixed.ami"
    path.write_bytes(whole + b"Event: Hangup\r\nUniqueid: 1.1\r\n\r\nEvent: Hangup\r\nUniqueid: 1.\x1b2\r\n\r\n")
    said = callback("replay", "--json", path)
    assert [json.loads(line)["kind"] for line in said.lines] == ["abandoned"]
    assert said.status == 0
    assert f"{path}: 2 messages were refused (2 forged), the last of them: Event: Hangup" in said.err
    assert "\x1b" not in said.err


def test_a_quiet_day_is_no_fault(callback: Callback, tmp_path: Path) -> None:
    path = tmp_path / "quiet.ami"
    path.write_bytes(b"Asterisk Call Manager/5.0.4\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n")
    said = callback("replay", path)
    assert (said.status, said.out, said.err) == (0, "", "")


def test_a_capture_that_is_not_there_is_named(callback: Callback, tmp_path: Path) -> None:
    said = callback("replay", tmp_path / "none.ami")
    assert said.status == 2
    assert "none.ami, line 1: cannot be read (No such file or directory)" in said.err


# The queue


def test_the_queue_of_a_new_database_says_what_to_do_first(callback: Callback, settings: Path) -> None:
    said = callback("queue", "--settings", settings)
    assert (said.status, said.out) == (2, "")
    assert "is empty: start `callback run` with these settings first" in said.err


def test_the_queue_in_json_has_a_line_for_each_open_reservation(callback: Callback, settings: Path) -> None:
    now = now_us()
    world = World(f"sqlite:///{settings.parent / 'calls.db'}", now=now)
    world.hear(call("09012345601", ended_at=now - 2))
    world.hear(call("09012345602", ended_at=now - 1))
    world.close()
    said = callback("queue", "-s", settings, "--json", "--limit", 1)
    (line,) = map(json.loads, said.lines)
    assert said.status == 0
    assert {"reservation", "number", "queue", "kind", "deadline_at", "overdue", "left_s", "assigned_to"} <= set(line)
    assert (line["number"], line["why_not"]) == ("+819012345601", "service-not-running")


def test_what_is_read_by_programs_or_searched_holds_everybody(
    callback: Callback, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = now_us()
    world = World(f"sqlite:///{settings.parent / 'calls.db'}", rules(queues={}), now=now)
    with world.store.write() as connection:
        for n in range(203):
            world.hear_in(connection, call(f"0901234{n:04}", ended_at=now - n))
    world.close()
    assert len(callback("queue", "-s", settings, "--json").lines) == 203
    piped = callback("queue", "-s", settings).out
    assert piped.count("+819012340") == 203
    assert "--limit" not in piped
    assert "those 7 with the nearest deadline" in callback("queue", "-s", settings, "--limit", 7).out
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    seen = callback("queue", "-s", settings).out
    assert seen.count("+819012340") == 200
    assert "203 open" in seen
    assert "those 200 with the nearest deadline are shown (--limit)" in seen


def test_a_misspelt_queue_is_not_taken_for_one_in_which_nobody_waits(callback: Callback, settings: Path) -> None:
    now = now_us()
    world = World(f"sqlite:///{settings.parent / 'calls.db'}", rules(queues={}), now=now)
    world.hear(call("09012345601", ended_at=now, queue="sales"))
    world.close()
    for words in ((), ("--closed",), ("--json",)):
        said = callback("queue", "-s", settings, "--queue", "suport", *words)
        assert (said.status, "no queue suport is known here: " in said.err, "sales" in said.err) == (2, True, True)
    assert callback("queue", "-s", settings, "--queue", "sales", "--closed").status == 0


def test_the_queue_for_people_is_a_table(callback: Callback, settings: Path) -> None:
    now = now_us()
    world = World(f"sqlite:///{settings.parent / 'calls.db'}", rules(queues={}), now=now)
    assert callback("queue", "-s", settings).out.strip() == "Nobody waits for a callback."
    world.hear(call("09012345601", ended_at=now))
    world.close()
    table = callback("queue", "-s", settings).out
    assert "+819012345601" in table
    assert "the service is not running" in table


def test_settings_may_be_named_by_the_environment(
    callback: Callback, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBACK_SETTINGS", str(settings))
    assert "is empty" in callback("queue").err


# A database that cannot be used


def test_a_database_in_a_folder_that_is_not_there_is_named(callback: Callback, settings: Path) -> None:
    text = settings.read_text(encoding="utf-8").replace("calls.db", "nowhere/calls.db")
    settings.write_text(text, encoding="utf-8")
    said = callback("queue", "-s", settings)
    assert said.status == 2
    assert "nowhere/calls.db cannot be opened (unable to open database file); mend [database] url" in said.err


def test_a_file_that_is_no_database_is_named(callback: Callback, settings: Path) -> None:
    (settings.parent / "calls.db").write_bytes(b"once upon a time" * 100)
    said = callback("queue", "-s", settings)
    assert said.status == 2
    assert "calls.db is no database of ours (file is not a database)" in said.err


@pytest.mark.parametrize("command", ["queue", "run"])
def test_a_database_that_is_locked_is_told_with_its_remedy(
    callback: Callback, settings: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    World(f"sqlite:///{settings.parent / 'calls.db'}").close()
    other = sqlite3.connect(settings.parent / "calls.db", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    said = callback(command, "-s", settings)
    other.close()
    assert said.status == 2
    assert "calls.db is locked by another program" in said.err
    assert "close it and try again" in said.err


# Settings and help


@pytest.mark.parametrize("command", ["run", "queue"])
def test_all_faults_of_the_settings_are_listed(callback: Callback, settings: Path, command: str) -> None:
    faulty = (
        settings.read_text(encoding="utf-8") + 'no_ring_after = "soon"\nwindow = 60\n[rules.queues.a]\ncalls = "y"\n'
    )
    settings.write_text(faulty, encoding="utf-8")
    said = callback(command, "-s", settings)
    assert (said.status, said.out) == (2, "")
    assert "3 faults in the settings" in said.err
    for words in ("[rules] no_ring_after", "[rules] window: is no setting of this section", "[rules.queues.a] calls"):
        assert words in said.err
    assert "Traceback" not in said.err


HUGE = "99999999999999999999999"


@pytest.mark.parametrize(
    "words",
    [
        ("reservation", "hold", HUGE, "--why", "test"),
        ("reservation", "hold", "0", "--why", "test"),
        ("reservation", "history", HUGE),
        ("reservation", "unreserved", "--hours", HUGE),
        ("incident", "release", HUGE, "--why", "test"),
        ("answers", "done", HUGE),
        ("queue", "--limit", HUGE),
        ("report", "--since-days", HUGE),
        ("satisfaction", "--days", HUGE),
    ],
)
def test_a_number_that_no_row_can_have_is_refused_where_it_is_read(
    callback: Callback, settings: Path, words: tuple[str, ...]
) -> None:
    said = callback(*words, "-s", settings)
    assert said.status == 2
    assert "Invalid value for" in said.err
    assert "Traceback" not in said.err


def test_a_number_is_read_by_the_trunks_alone(callback: Callback, settings: Path) -> None:
    settings.write_text('[trunks.de]\nregion = "DE"\ndial = "PJSIP/{number}@de"\n', encoding="utf-8")
    for signalled in ("4915112345678", "tel:+49-151-12345678", "+4915112345678;npdi;rn=+493012345"):
        said = callback("doctor", "-s", settings, "--number", signalled)
        assert (said.status, said.out) == (
            0,
            f"de: {signalled} is +4915112345678, dialled as PJSIP/+4915112345678@de\n",
        )


def test_a_language_without_texts_is_a_fault_of_the_settings(callback: Callback, settings: Path) -> None:
    text = settings.read_text(encoding="utf-8") + '[rules.queues.support]\nlanguage = "tlh"\n'
    settings.write_text(text, encoding="utf-8")
    said = callback("run", "-s", settings)
    assert said.status == 2
    assert "[rules.queues.support] language: 'tlh' has no texts; there are en, " in said.err
    assert not (settings.parent / "calls.db").exists()


def test_missing_settings_name_the_remedy(callback: Callback, tmp_path: Path) -> None:
    said = callback("run", "-s", tmp_path / "none.toml")
    assert said.status == 2
    assert "cannot be read: No such file or directory" in said.err


@pytest.mark.parametrize(
    ("words", "promised"),
    [
        (["--help"], ["run", "queue", "replay", "doctor", "calls them back within the hour"]),
        (["run", "-h"], ["Listen to the PBX, reserve, text and call back", "--settings", "--events-json"]),
        (["queue", "--help"], ["Show the open reservations", "--json", "--limit"]),
        (["replay", "--help"], ["Judge the calls of raw AMI captures", "--json"]),
        (["doctor", "--help"], ["say the remedy for each fault"]),
    ],
)
def test_help_says_what_a_command_does(callback: Callback, words: list[str], promised: list[str]) -> None:
    said = callback(*words)
    assert said.status == 0
    for text in promised:
        assert text in said.out


def test_an_option_that_is_none_is_an_error_of_its_own(callback: Callback) -> None:
    said = callback("queue", "--sort", "name")
    assert said.status == 2
    assert "--sort" in said.err


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "callback", "queue", "-s", str(tmp_path / "none.toml")]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none.toml: one fault in the settings" in done.stderr
    assert "Traceback" not in done.stderr


def _printed(to: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command that prints signs which are no ASCII."""
    command = [sys.executable, "-m", "callback", "texts"]
    own = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])} | environment
    return subprocess.run(command, env=own, stdout=to, stderr=subprocess.PIPE, check=False)  # type: ignore[call-overload, no-any-return]


def test_what_the_terminal_has_no_letter_for_is_replaced() -> None:
    done = _printed(subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"lost" in done.stdout


def test_where_there_is_no_room_for_what_is_printed_it_says_so() -> None:
    with Path("/dev/full").open("wb") as full:
        done = _printed(full)
    assert done.returncode == 2
    assert b"cannot be written: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


# Help


def test_help_begins_with_what_is_asked_for_first(callback: Callback) -> None:
    said = callback("--help").out
    places = [said.index(f"│ {name} ") for name in ("run", "doctor", "queue", "find", "today", "simulate")]
    assert places == sorted(places)


def test_the_version_is_said(callback: Callback) -> None:
    said = callback("--version")
    assert (said.status, said.out) == (0, f"callback {metadata.version('lost-call-recovery')}\n")


def test_each_command_has_the_line_that_it_says_itself(callback: Callback) -> None:
    for name, command in cli.COMMANDS.items():
        said = command.load(name).help or ""
        assert said.split("\n\n")[0].replace("\n", " ").strip() == command.help, name


def imported(*words: str) -> set[str]:
    """What Python imports for a command, by package."""
    run = [sys.executable, "-X", "importtime", "-m", "callback", *words]
    told = subprocess.run(run, capture_output=True, text=True, check=False).stderr
    return {line.split("|")[-1].strip().split(".")[0] for line in told.splitlines() if line.startswith("import time")}


WEB = {"fastapi", "starlette", "uvicorn", "jinja2", "babel"}
"""Of the web processes alone."""
HEAVY = {*WEB, "aiohttp", "alembic", "twilio", "apscheduler", "holidays"}


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (("--help",), {*HEAVY, "sqlalchemy", "pydantic", "phonenumbers"}),
        (("--version",), {*HEAVY, "sqlalchemy", "pydantic", "phonenumbers", "rich"}),
        (("replay", "none.ami"), {*HEAVY, "sqlalchemy", "phonenumbers"}),
        (("queue", "-s", "none.toml"), HEAVY - {"holidays"}),
        (("run", "-s", "none.toml"), WEB),
    ],
)
def test_a_command_imports_what_it_needs_and_no_more(words: tuple[str, ...], spared: set[str]) -> None:
    assert not imported(*words) & spared
