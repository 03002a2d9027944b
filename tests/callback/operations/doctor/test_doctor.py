"""What the doctor concludes from what he was told; that he is told it right is for the live tests."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import telephony
from callback.operations.doctor import (
    dialplan,
    endpoints,
    eventfilter,
    machine,
    numbers,
    probe,
    queues,
    rights,
    storage,
)
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.settings.sections import Database, PbxWiring, Settings, Trunk
from callback.store.engine import Store
from telephony.ami.protocol import Message
from tests.callback.world import rules

SHIPPED = Path(telephony.__file__).parent / "dialplan" / "extensions_lcr.conf"

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
    (unknown,) = dialplan.of_contexts(None)  # who may not ask accuses nobody
    assert (unknown.level, unknown.remedy) == ("warning", "mend the rights above first")


def test_each_context_of_the_file_that_we_ship_is_looked_for() -> None:
    shipped = re.findall(r"^\[([\w-]+)\].*\n(?=\S)", SHIPPED.read_text(), re.MULTILINE)  # not of the one that is empty
    assert sorted(shipped) == sorted([*dialplan.CALLBACKS, *dialplan.CALLERS])


def step(application: str, data: str) -> Message:
    return message(Event="ListDialplan", Context="agents", Application=application, AppData=data)


@pytest.mark.parametrize(
    ("steps", "devices"),
    [
        ([step("Dial", "PJSIP/${EXTEN},20,t")], ["PJSIP/1002"]),
        ([step("NoOp", ""), step("Dial", "PJSIP/agent${EXTEN}"), step("Hangup", "")], ["PJSIP/agent1002"]),
        ([step("Dial", "PJSIP/1002&SIP/1002a,20")], ["PJSIP/1002", "SIP/1002a"]),
        ([step("Dial", "${DIALDEVICE},20")], []),  # who knows
        ([step("Dial", "Local/${EXTEN}@further/n")], []),
        ([step("Goto", "further,${EXTEN},1")], []),
        ([], []),
    ],
)
def test_the_phones_that_an_extension_dials_plainly(steps: list[Message], devices: list[str]) -> None:
    assert dialplan.devices_of(steps, "1002") == devices


@pytest.mark.parametrize(
    ("contexts", "what", "remedy"),
    [
        (None, "key 1 in a queue does nothing", "pbx_loopback.so"),
        ([*dialplan.CALLBACKS, *dialplan.CALLERS], "key 1 in a queue does nothing", "pbx_loopback.so"),
        ([*dialplan.CALLBACKS], "is not proved, because contexts are missing", "mend the contexts above"),
        ([*dialplan.CALLBACKS, "lcr-exit"], "is not proved, because contexts are missing", "mend the contexts above"),
    ],
)
def test_a_key_that_does_nothing_without_its_contexts_accuses_no_module(
    contexts: list[str] | None, what: str, remedy: str
) -> None:
    found = probe.of_key(heard([]), contexts)
    assert (what in found.what, remedy in found.remedy) == (True, True)


# Queues


@pytest.mark.parametrize("calls", [True, False])
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
        ({"StateInterface": "Custom:lcr-probe"}, None),  # our own dialplan changes it
        ({"StateInterface": "Custom:lcr-probe", "Status": "0"}, "warning"),  # the probe has not called yet
        ({"StateInterface": "Custom:lcr-probe", "Status": "4"}, "fault"),
    ],
)
def test_a_member_is_told_when_nobody_would_learn_that_he_is_free(
    state: dict[str, str], expected: Level | None, *, calls: bool
) -> None:
    """While nobody is called back for the queue, the service runs with it."""
    found = queues.of_member(member(**state), calls=calls)
    assert (found.level if found else None) == (expected if calls or expected is None else "warning")
    assert found is None or found.what.startswith("Ann in support: ")


BERT = {"Name": "Bert", "Location": "Local/1002@from-queue/n", "StateInterface": "Local/1002@from-queue/n"}


@pytest.mark.parametrize(
    ("given", "behind", "line"),
    [
        (BERT, ["PJSIP/1002"], "member => Local/1002@from-queue/n,0,Bert,PJSIP/1002 ("),
        (BERT | {"Penalty": "3"}, ["SIP/desk2"], "member => Local/1002@from-queue/n,3,Bert,SIP/desk2 ("),
        (BERT, [], "member => Local/1002@from-queue/n,0,Bert,PJSIP/<the phone of Bert> ("),
        (BERT, ["PJSIP/1002", "PJSIP/1002-mobile"], "Bert,PJSIP/<the phone of Bert> ("),  # which of them, he knows
        (BERT | {"Name": BERT["Location"]}, ["PJSIP/1002"], "member => Local/1002@from-queue/n,0,,PJSIP/1002 ("),
        (BERT | {"StateInterface": "Custom:b"}, ["PJSIP/1002"], "or give the member the phone as its state interface"),
        ({"Status": "4"}, [], "PJSIP/1001 is to be a device of this PBX"),
    ],
)
def test_the_remedy_names_the_members_own_phone_or_none(given: dict[str, str], behind: list[str], line: str) -> None:
    found = queues.of_member(member(**given), behind, calls=True)
    assert found is not None
    assert line in found.remedy


def test_queues_are_looked_for_by_their_exact_names() -> None:
    status = [
        message(Event="QueueParams", Queue="support"),
        member(),
        message(Event="QueueParams", Queue="empty"),
        message(Event="QueueParams", Queue="lcr-doctor"),
    ]
    found = list(queues.of_queues(["support", "empty", "Support"], status, {}, ["support"]))
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
    assert endpoints.dialled_endpoint(Trunk(region="US", dial=dial)) == endpoint


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
    assert levels(list(endpoints.of_endpoints({"main": "trunk"}, ["1001"], said))) == expected


@pytest.mark.parametrize(
    ("channel", "expected"), [("PJSIP/", ["warning"]), ("PJSIP/100", ["warning"]), ("PJSIP/trunk", [])]
)
def test_agents_whose_channels_look_like_a_trunks_are_told(channel: str, expected: list[Level]) -> None:
    assert levels(list(endpoints.of_channels({"main": Trunk(region="US", channel=channel)}, ["1001"]))) == expected


# Events


ALL = [event for events in probe.WANTED.values() for event in events]


def heard(names: list[str], timestamp: str = "1.0") -> probe.Heard:
    got = probe.Heard()
    for name in names:
        got.feed(varset(*eventfilter.NEEDED) if name == "VarSet" else message(Event=name, Timestamp=timestamp))
    return got


def varset(variable: str, value: str) -> Message:
    return message(Event="VarSet", Timestamp="1.0", Variable=variable, Value=value)


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


UNREAD = ("__LCR_ID", "doctor12")


@pytest.mark.parametrize(
    ("variables", "expected", "told"),
    [
        ([eventfilter.NEEDED, eventfilter.BAIT, eventfilter.MARKED], "ok", "little else"),
        ([eventfilter.NEEDED, eventfilter.BAIT, eventfilter.MARKED, UNREAD], "warning", "much that nobody here reads"),
        ([eventfilter.NEEDED, eventfilter.BAIT], "warning", "that is not ours"),
        ([eventfilter.NEEDED, eventfilter.MARKED], "fault", "callers can hide events"),
        ([eventfilter.NEEDED, eventfilter.MARKED, UNREAD], "fault", "callers can hide events"),
        ([eventfilter.NEEDED, UNREAD], "fault", "callers can hide events"),
        ([UNREAD], None, ""),  # that what is needed is filtered away was said already
        ([], None, ""),
    ],
)
def test_a_filter_is_known_by_the_variables_that_arrive(
    variables: list[tuple[str, str]], expected: Level | None, told: str
) -> None:
    got = probe.Heard()
    for variable in variables:
        got.feed(varset(*variable))
    found = list(eventfilter.look(got.variables))
    assert levels(found) == [expected] * (expected is not None)
    assert all(told in one.what for one in found)
    assert ("VarSet" in got.names) == (eventfilter.NEEDED in variables)


def test_asterisk_takes_the_line_that_baits_a_filter() -> None:
    assert all(len(f"{name}: {value}") < 1020 for name, value in eventfilter.originated())
    assert all("," not in value for _, value in eventfilter.originated())  # it would begin another variable


def test_a_database_that_is_still_to_be_made_is_sound_and_not_made_by_the_doctor(tmp_path: Path) -> None:
    wiring = PbxWiring(username="u", secret="s")  # noqa: S106
    database = Database(url=f"sqlite:///{tmp_path / 'new.db'}")
    settings = Settings(pbx=wiring, trunks={"main": Trunk(region="US")}, rules=rules(), database=database)
    found = [machine.database(settings), *storage.look(settings), *numbers.callers(settings)]
    assert all(finding.ok for finding in found)
    assert "made at the first run" in found[0].what
    assert not list(tmp_path.iterdir())


# Folders


@pytest.mark.parametrize(("schema", "remedy"), [("0001", "it migrates"), ("9999", "later version")])
def test_another_schema_is_told_with_its_remedy(tmp_path: Path, schema: str, remedy: str) -> None:
    url = f"sqlite:///{tmp_path / 'some.db'}"
    (tmp_path / "some.db").touch()
    with Store(url).write() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema,))
    wiring = PbxWiring(username="u", secret="s")  # noqa: S106
    found = machine.database(
        Settings(pbx=wiring, trunks={"main": Trunk(region="US")}, rules=rules(), database=Database(url=url))
    )
    assert (found.level, remedy in found.remedy) == ("fault", True)


def test_the_journal_needs_a_folder_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place, expected in (("new/journal", "ok"), ("file", "fault"), ("file/journal", "fault")):
        wiring = PbxWiring(username="lcr", secret="hush", journal=tmp_path / place)  # noqa: S106 (a test's)
        assert next(machine.folders(wiring)).level == expected


RECORD = (
    '"","5550001","500","from-trunk","","PJSIP/trunk-1","","Queue","support","{0}","{0}","{1}",20,20,"ANSWERED","",{2}'
)
ENDED = datetime(2026, 11, 23, 3, 0, 20, tzinfo=UTC)


def _call_records(tmp_path: Path, text: str, zone: str = "UTC") -> Finding:
    path = tmp_path / "Master.csv"
    path.write_text(text)
    os.utime(path, (ENDED.timestamp() + 1,) * 2)
    return machine.call_records(str(path), zone)


@pytest.mark.parametrize(
    ("uniqueid", "zone", "level", "remedy"),
    [
        ('"1795402800.7"', "UTC", "ok", ""),
        ('"1795402800.7","a, field of the site\'s"', "UTC", "ok", ""),
        ('""', "UTC", "warning", "loguniqueid = yes"),
        (None, "UTC", "warning", "loguniqueid = yes"),
        ('"1795402800.7"', "Asia/Kolkata", "warning", "cdr_zone"),
        ('"1795402800.7"', "America/New_York", "warning", "usegmtime"),
    ],
)
def test_call_records_are_of_use_with_their_uniqueids_and_in_their_zone(
    tmp_path: Path, uniqueid: str | None, zone: str, level: str, remedy: str
) -> None:
    began = ENDED - timedelta(seconds=20)
    line = RECORD.format(f"{began:%F %T}", f"{ENDED:%F %T}", uniqueid)
    if uniqueid is None:
        line = line.removesuffix(",None")
    found = _call_records(tmp_path, f"{line}\n", zone)
    assert (found.level, remedy in found.remedy) == (level, True)


def test_call_records_in_the_zone_of_the_site_are_taken_as_such(tmp_path: Path) -> None:
    there = ENDED.astimezone(ZoneInfo("Asia/Kolkata"))
    line = RECORD.format(f"{there - timedelta(seconds=20):%F %T}", f"{there:%F %T}", '"1795402800.7"')
    assert _call_records(tmp_path, f"{line}\nhalf a li", "Asia/Kolkata").level == "ok"


def test_call_records_are_looked_for(tmp_path: Path) -> None:
    assert _call_records(tmp_path, "").level == "ok"
    assert machine.call_records(str(tmp_path / "none"), "UTC").level == "warning"
    assert (
        machine.call_records(str(tmp_path / ("x" * 300)), "UTC").level == "warning"
    )  # one that may not even be looked at
    wiring = PbxWiring(username="lcr", secret="hush", journal=tmp_path, cdr=str(tmp_path / "none"))  # noqa: S106
    assert [found.level for found in machine.folders(wiring)] == ["ok", "warning", "warning"]


def test_the_queue_log_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "queue_log").touch()
    assert machine.queue_log(str(tmp_path / "queue_log")).level == "ok"
    assert machine.queue_log("postgresql://pbx/asterisk").level == "ok"
    assert machine.queue_log("").level == "warning"
    assert machine.queue_log(str(tmp_path / "none")).level == "fault"
    assert machine.queue_log(str(tmp_path / ("x" * 300))).level == "fault"  # one that may not even be looked at
    assert machine.queue_log(str(tmp_path)).level == "fault"
