"""The doctor on a real Asterisk: what is sound he finds sound, and each fault he names with its remedy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callback.operations import doctor
from callback.operations.doctor import Finding, manager
from lab.asterisk import Asterisk
from lab.fetch import AsteriskTree
from tests.live.service import Service

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def patient(asterisk_tree: AsteriskTree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """An Asterisk of its own, whose files these tests change, reload, and change back."""
    agents = ("agent1", "agent2", "agent17")  # the last one is in no queue
    with Asterisk.start(tmp_path_factory.mktemp("patient"), tree=asterisk_tree, agents=agents) as pbx:
        yield pbx


@pytest.fixture
def settings(patient: Asterisk, tmp_path: Path) -> Path:
    file = Service(patient, tmp_path).settings
    form = 'form = "national"\n'
    sound = file.read_text().replace(form, form + 'signals = "national"\n')
    file.write_text(sound.replace("[pbx]", f'key_file = "{tmp_path / "key" / "site.key"}"\n[pbx]', 1))
    return file


@contextmanager
def changed(pbx: Asterisk, file: str, old: str, new: str, reload: str) -> Iterator[None]:
    """Let a file of this PBX differ for a while."""
    path = pbx.run_dir / "etc" / file
    before = path.read_text()
    assert old in before, f"{file} has no {old!r}"
    path.write_text(before.replace(old, new))
    pbx.command(reload)
    try:
        yield
    finally:
        path.write_text(before)
        pbx.command(reload)


def troubles(settings: Path) -> list[Finding]:
    """What the doctor says, less what is sound and less that nobody offers callbacks while no service runs."""
    said = list(doctor.examine(settings))
    assert len(said) > 3, said
    return [one for one in said if one.level != "ok" and "no callback is offered now" not in one.what]


def test_a_sound_installation_is_found_sound(patient: Asterisk, settings: Path) -> None:
    assert troubles(settings) == []


def test_an_offer_that_stands_is_seen(patient: Asterisk, settings: Path) -> None:
    def of_offer() -> tuple[str, str]:
        return next((one.level, one.what) for one in doctor.examine(settings) if "callback is offered" in one.what)

    assert of_offer() == ("warning", "queue sales: no callback is offered now (LCR_OFFER_sales is not set)")
    patient.action("Setvar", Variable="LCR_OFFER_sales", Value=str(int(time.time()) - 1))
    assert "(LCR_OFFER_sales is past)" in of_offer()[1]
    patient.action("Setvar", Variable="LCR_OFFER_sales", Value=str(int(time.time()) + 20))
    assert any("queue sales: a callback may be offered for" in one.what for one in doctor.examine(settings))


WRITE, READ = "write = call,originate,reporting", "read = system,call,agent,user,dialplan,reporting"
MANAGER = ("manager_lcr.conf", "manager reload")
FILTER = "eventfilter = "
DIALPLAN = ("extensions_lcr.conf", "dialplan reload")


@pytest.mark.parametrize(
    ("where", "old", "new", "level", "what", "remedy"),
    [
        (
            MANAGER,
            "timestampevents = yes",
            "timestampevents = no",
            "warning",
            "events carry no Timestamp",
            "timestampevents = yes",
        ),
        (
            MANAGER,
            WRITE,
            "write = call,reporting",
            "fault",
            "lacks write = originate (for Originate)",
            "write = call,originate,reporting",
        ),
        (
            MANAGER,
            WRITE,
            "write = call,originate",
            "fault",
            "lacks write = reporting (for CoreShowChannels, CoreStatus, DBGet, ShowDialPlan)",
            "write = call,originate,reporting",
        ),
        (
            MANAGER,
            WRITE,
            "write = all",
            "warning",
            "more rights than needed: write = system,command,config",
            "suffices",
        ),
        (
            MANAGER,
            READ,
            "read = system,call,user,reporting",
            "fault",
            "no events of class dialplan, agent arrive",
            READ,
        ),
        (
            MANAGER,
            READ,
            READ + "\neventfilter = !Event: VarSet\neventfilter = !Event: QueueCallerJoin",
            "fault",
            "events VarSet, QueueCallerJoin are filtered away",
            "eventfilter",
        ),
        (
            MANAGER,
            FILTER,
            ";" + FILTER,
            "warning",
            "the PBX sends much that nobody here reads",
            "the two eventfilter lines of manager_lcr.conf",
        ),
        (
            MANAGER,
            FILTER,
            "eventfilter = !MusicOnHoldStart\n" + FILTER,
            "fault",
            "callers can hide events",
            "and no others",
        ),
        (
            MANAGER,
            "|LCR_FILTER_1",
            "",
            "warning",
            "an eventfilter that is not ours",
            "the two eventfilter lines of manager_lcr.conf",
        ),
        (
            MANAGER,
            "|Newchannel",
            "",
            "fault",
            "events Newchannel are filtered away",
            "eventfilter",
        ),
        (
            MANAGER,
            "|QueueCaller",
            "",
            "fault",
            "no events of class agent arrive",
            "no eventfilter but the two of manager_lcr.conf",
        ),
        (
            ("pjsip.conf", "module reload res_pjsip.so"),
            "direct_media = no",
            "direct_media = yes",
            "warning",
            "direct_media is on for trunk, agent2",
            "direct_media = no",
        ),
        (
            DIALPLAN,
            "[lcr-ended]",
            "[gone]",
            "fault",
            "dialplan contexts missing: lcr-ended",
            "extensions_lcr.conf",
        ),
        (
            DIALPLAN,
            "[lcr-closed]",
            "[gone]",
            "warning",
            "dialplan contexts missing: lcr-closed: callers get nothing",
            "extensions_lcr.conf",
        ),
        (
            DIALPLAN,
            "[lcr-exit-open]",
            "[gone]",
            "warning",
            "what key 1 in a queue does is not proved, because contexts are missing",
            "mend the contexts above",
        ),
        (
            DIALPLAN,
            "[lcr-doctor]",
            "[gone]",
            "warning",
            "which events arrive, whether silence can be heard, and what key 1 does are not proved",
            "mend the contexts above",
        ),
        (
            MANAGER,
            WRITE,
            "write = call,originate",
            "warning",
            "dialplan contexts are not proved, because a right is missing",
            "mend the rights above first",
        ),
        (
            ("queues_lcr.conf", "queue reload all"),
            "[lcr-doctor]",
            "[gone]",
            "warning",
            "there is no queue lcr-doctor",
            "queues_lcr.conf",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_a_fault_is_named_with_its_remedy(
    patient: Asterisk,
    settings: Path,
    where: tuple[str, str],
    old: str,
    new: str,
    level: str,
    what: str,
    remedy: str,
) -> None:
    file, reload = where
    with changed(patient, file, old, new, reload):
        named = [one for one in troubles(settings) if what in one.what]
    assert [one.level for one in named] == [level]
    assert remedy in named[0].remedy
    assert troubles(settings) == []


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("pbx_loopback.so", "key 1 in a queue does nothing"),
        ("func_talkdetect.so", "silent calls cannot be told: TALK_DETECT"),
        ("func_pjsip_endpoint.so", "endpoints cannot be looked at: trunk, agent2"),
    ],
)
def test_a_module_that_is_not_loaded_is_named(patient: Asterisk, settings: Path, module: str, what: str) -> None:
    patient.action("ModuleLoad", Module=module, LoadType="unload")
    named = troubles(settings)
    patient.action("ModuleLoad", Module=module, LoadType="load")
    assert [one.level for one in named] == ["warning"]
    assert what in named[0].what
    assert module in named[0].remedy


@pytest.mark.parametrize(
    ("interface", "watched", "level", "what"),
    [
        ("Local/1001@nowhere/n", "", "fault", "the state of Local/1001@nowhere/n is invalid"),
        ("Local/agent2@behind-local/n", "", "fault", "never shows that the member's phone is in use"),
        ("Local/agent2@behind-local/n", "hint:1001@nowhere", "fault", "the state of hint:1001@nowhere is"),
        ("Local/agent2@behind-local/n", "Custom:desk", "fault", "the state of Custom:desk is unknown"),
    ],
)
def test_a_member_whose_state_never_changes_is_named(
    patient: Asterisk, settings: Path, interface: str, watched: str, level: str, what: str
) -> None:
    extra = {"StateInterface": watched} if watched else {}
    patient.action("QueueAdd", Queue="sales", Interface=interface, MemberName="Ann", **extra)
    try:
        named = troubles(settings)
    finally:
        patient.action("QueueRemove", Queue="sales", Interface=interface)
    assert [one.level for one in named] == [level]
    assert named[0].what.startswith("Ann in sales: ")
    assert what in named[0].what
    phone = "PJSIP/agent2 (" if "agent2" in interface else "PJSIP/<the phone of Ann> ("
    assert f"member => {interface},0,Ann,{phone}" in named[0].remedy


def test_a_dialplan_without_our_contexts_is_one_fault_and_accuses_no_module(patient: Asterisk, settings: Path) -> None:
    with changed(patient, "extensions.conf", '#include "extensions_lcr.conf"', "", "dialplan reload"):
        told = [(one.level, one.what.partition(":")[0]) for one in troubles(settings)]
    not_proved = "which events arrive, whether silence can be heard, and what key 1 does are not proved"
    assert told == [
        ("fault", "dialplan contexts missing"),
        ("warning", "dialplan contexts missing"),
        ("warning", f"{not_proved}, because contexts are missing"),
    ]


def test_direct_media_is_told_of_all_phones_at_once(patient: Asterisk, settings: Path) -> None:
    """Also of one that is rung behind a Local channel, and whose state nobody watches yet."""
    patient.action("QueueAdd", Queue="sales", Interface="Local/17@from-queue/n", MemberName="Bert")
    try:
        with changed(patient, "pjsip.conf", "direct_media = no", "direct_media = yes", "module reload res_pjsip.so"):
            named = [one.what for one in troubles(settings) if "direct_media is on" in one.what]
    finally:
        patient.action("QueueRemove", Queue="sales", Interface="Local/17@from-queue/n")
    assert len(named) == 1
    assert all(phone in named[0] for phone in ("trunk", "agent2", "agent17"))


def test_a_member_behind_a_local_channel_with_his_phone_watched_is_sound(patient: Asterisk, settings: Path) -> None:
    member = {"Queue": "sales", "Interface": "Local/agent2@behind-local/n"}
    patient.action("QueueAdd", **member, StateInterface="PJSIP/agent2")
    assert troubles(settings) == []
    patient.action("QueueRemove", **member)


@pytest.mark.parametrize(
    ("dial", "level", "what"),
    [
        ("PJSIP/{number}@nobody", "fault", "trunk main: there is no PJSIP endpoint nobody"),
        ("PJSIP/nobody/sip:{number}@10.0.0.1", "fault", "trunk main: there is no PJSIP endpoint nobody"),
        ("Local/{number}@nowhere", "fault", "trunk main: there is no context nowhere"),
        ("Local/{number}@from-agent/n", "ok", "trunk main dials through the context from-agent"),
        ("DAHDI/g0/{number}", "ok", "trunk main dials DAHDI/g0/{number} (no PJSIP: not looked at)"),
    ],
)
def test_what_a_trunk_dials_over_is_there(patient: Asterisk, settings: Path, dial: str, level: str, what: str) -> None:
    settings.write_text(settings.read_text().replace("PJSIP/{number}@trunk", dial))
    assert [one.level for one in doctor.examine(settings) if one.what == what] == [level]


def test_a_user_who_may_not_read_system_is_told_so(
    patient: Asterisk, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "BOOT_S", 0.5)
    file, reload = MANAGER
    with changed(patient, file, READ, READ.replace("system,", ""), reload):
        (named,) = troubles(settings)
    assert named.level == "fault"
    assert "read class system" in named.what
