"""What the doctor concludes from what he was told; that he is told it right is for the live tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.doctor import dialplan, house, probe, queues, rights, voice
from callback.doctor.finding import Finding, fault, sound, warning
from callback.settings import Database, PbxWiring, Settings, Trunk
from callback.store.engine import Store
from telephony.ami.protocol import Message
from tests.callback.world import rules

Level = str


def message(**headers: str) -> Message:
    return Message("\r\n".join(f"{key}: {value}" for key, value in headers.items()).encode())


def member(**headers: str) -> Message:
    given = {"Queue": "support", "Name": "Ann", "Location": "PJSIP/1001", "StateInterface": "PJSIP/1001", "Status": "1"}
    return message(Event="QueueMember", **{**given, **headers})


def levels(findings: list[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


def test_a_finding_is_a_line_and_its_remedy() -> None:
    assert sound("queue support").line() == "  ok    queue support"
    assert warning("no queue", "add it").line() == "  WARN  no queue\n        → add it"
    assert fault("no queue", "add it").line() == "  FAULT no queue\n        → add it"
    assert [one.ok for one in (sound(""), warning("", ""), fault("", ""))] == [True, True, False]


# Rights


@pytest.mark.parametrize(
    ("besides", "without", "expected"),
    [
        ([], [], ["ok"]),
        ([], ["DBGet"], ["fault"]),
        (["DBPut"], [], ["ok", "warning"]),
        (["Command", "UpdateConfig"], ["Originate"], ["fault", "warning"]),
    ],
)
def test_rights_are_read_from_the_actions_a_user_may_ask_for(
    besides: list[str], without: list[str], expected: list[Level]
) -> None:
    may = (rights.NEEDED.keys() - set(without)) | set(besides)
    found = list(rights.of_user(message(Response="Success", **dict.fromkeys(sorted(may), "It does. (Priv: some,all)"))))
    assert levels(found) == expected
    assert all(name in found[0].what for name in without)


# Contexts


def test_contexts_of_callbacks_are_needed_and_those_of_callers_are_missed() -> None:
    everything = [*dialplan.CALLBACKS, *dialplan.CALLERS]
    assert levels(list(dialplan.of_contexts(everything))) == ["ok"]
    assert levels(list(dialplan.of_contexts(list(dialplan.CALLBACKS)))) == ["warning"]
    assert levels(list(dialplan.of_contexts([]))) == ["fault", "warning"]


# Queues


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, None),
        ({"Status": "5"}, None),  # a phone that is not registered: its owner went home
        ({"Status": "0"}, "fault"),
        ({"Status": "4"}, "fault"),
        ({"StateInterface": "Local/1001@from-queue/n"}, "fault"),
        ({"StateInterface": "hint:1001@ext-local"}, None),
        ({"StateInterface": "Custom:desk"}, "warning"),
        ({"StateInterface": "Custom:desk", "Status": "0"}, "fault"),
    ],
)
def test_a_member_is_told_when_nobody_would_learn_that_he_is_free(
    state: dict[str, str], expected: Level | None
) -> None:
    found = queues.of_member(member(**state))
    assert (found.level if found else None) == expected
    assert found is None or found.what.startswith("Ann in support: ")


def test_queues_are_looked_for_by_their_exact_names() -> None:
    status = [
        message(Event="QueueParams", Queue="support"),
        member(),
        message(Event="QueueParams", Queue="empty"),
        message(Event="QueueParams", Queue="lcr-doctor"),
    ]
    found = list(queues.of_queues(["support", "empty", "Support"], status))
    assert levels(found) == ["ok", "fault", "fault"]
    assert found[0].what == "queue support: Ann not in use"
    assert found[2].remedy.endswith("this PBX has: empty, support")


# Voice


@pytest.mark.parametrize(
    ("dial", "endpoint"),
    [
        ("PJSIP/{number}@trunk", "trunk"),
        ("PJSIP/trunk/sip:{number}@192.0.2.1", "trunk"),
        ("Local/{number}@from-internal", ""),
        ("SIP/trunk/{number}", ""),
        ("DAHDI/g0/{number}", ""),
    ],
)
def test_the_endpoint_of_a_dial_string(dial: str, endpoint: str) -> None:
    assert voice.dialled_endpoint(Trunk(region="US", dial=dial)) == endpoint


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"trunk": "false", "1001": "false"}, ["ok", "ok"]),
        ({"trunk": "false", "1001": "true"}, ["ok", "warning"]),
        ({"trunk": "", "1001": "false"}, ["fault", "ok"]),
        ({"trunk": "no", "1001": ""}, ["ok", "warning", "ok"]),
        ({"trunk": "", "1001": ""}, ["warning"]),  # nobody can tell: no endpoint is accused
    ],
)
def test_endpoints_are_judged_by_their_direct_media(said: dict[str, str], expected: list[Level]) -> None:
    assert levels(list(voice.of_endpoints({"main": "trunk"}, ["1001"], said))) == expected


@pytest.mark.parametrize(
    ("channel", "expected"), [("PJSIP/", ["warning"]), ("PJSIP/100", ["warning"]), ("PJSIP/trunk", [])]
)
def test_agents_whose_channels_look_like_a_trunks_are_told(channel: str, expected: list[Level]) -> None:
    assert levels(list(voice.of_channels({"main": Trunk(region="US", channel=channel)}, ["1001"]))) == expected


# Events


ALL = [event for events in probe.WANTED.values() for event in events]


def heard(names: list[str], timestamp: str = "1.0") -> probe.Heard:
    got = probe.Heard()
    for name in names:
        got.feed(message(Event=name, Timestamp=timestamp))
    return got


@pytest.mark.parametrize(
    ("names", "expected", "told"),
    [
        (ALL, ["ok"], "call, dialplan, user, agent arrive"),
        ([name for name in ALL if name != "VarSet"], ["fault"], "no events of class dialplan"),
        (["Newexten", *(name for name in ALL if name != "VarSet")], ["fault"], "VarSet are filtered away"),
        ([name for name in ALL if not name.startswith("Queue")], ["fault"], "no events of class agent"),
        ([], ["fault"], "no events of class call, dialplan, user, agent"),
    ],
)
def test_a_missing_right_is_told_from_a_filter(names: list[str], expected: list[Level], told: str) -> None:
    found = list(probe.of_events(heard(names), has_queue=True))
    assert levels(found) == expected
    assert told in found[0].what


def test_without_its_queue_the_class_agent_is_not_accused() -> None:
    found = list(probe.of_events(heard([n for n in ALL if not n.startswith("Queue")]), has_queue=False))
    assert levels(found) == ["ok", "warning"]


def test_events_without_a_timestamp_are_told() -> None:
    assert levels(list(probe.of_events(heard(ALL, timestamp=""), has_queue=True))) == ["ok", "warning"]


# Folders


@pytest.mark.parametrize(("schema", "remedy"), [("0001", "it migrates"), ("9999", "later version")])
def test_another_schema_is_told_with_its_remedy(tmp_path: Path, schema: str, remedy: str) -> None:
    url = f"sqlite:///{tmp_path / 'some.db'}"
    with Store(url).write() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema,))
    wiring = PbxWiring(username="u", secret="s")  # noqa: S106
    found = house.database(
        Settings(pbx=wiring, trunks={"main": Trunk(region="US")}, rules=rules(), database=Database(url=url))
    )
    assert (found.level, remedy in found.remedy) == ("fault", True)


def test_the_journal_needs_a_folder_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place, expected in (("new/journal", "ok"), ("file", "fault"), ("file/journal", "fault")):
        wiring = PbxWiring(username="lcr", secret="hush", journal=tmp_path / place)  # noqa: S106 (a test's)
        assert next(house.folders(wiring)).level == expected


def test_the_queue_log_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "queue_log").touch()
    assert house.queue_log(str(tmp_path / "queue_log")).level == "ok"
    assert house.queue_log("postgresql://pbx/asterisk").level == "ok"
    assert house.queue_log("").level == "warning"
    assert house.queue_log(str(tmp_path / "none")).level == "fault"
    assert house.queue_log(str(tmp_path)).level == "fault"
