"""What the probe makes of a manager interface that refuses, lies, or says nothing. Each conversation is a process."""

from __future__ import annotations

import time

import pytest

from callback.probe import pbx
from callback.probe.conversation import converse
from callback.probe.errors import NotKnown
from callback.probe.pbx import Run, read
from callback.probe.settings import Call, Pbx
from tests.callback.probe.manager import Headers, manager, said, value

TOKEN = "0123456789abcdef" * 2
RECORD = f"{TOKEN} number:818012345678 placed:1700000000 joined:1700000001 left:1700000016"


def settings(port: int, timeout_s: float = 5) -> Pbx:
    return Pbx.model_validate({"port": port, "secret": "secret", "timeout_s": timeout_s})


def sound(action: Headers) -> str:
    if action["Action"] == "DBGet":
        return said("Success", action, "Result will follow") + value(action, RECORD)
    return said("Success", action, "Authentication accepted")


def test_the_record_of_the_last_run_is_read() -> None:
    with manager(sound) as port:
        run = pbx.last_run(settings(port))
    assert (run.token, run.number, run.joined, run.left) == (TOKEN, "818012345678", 1700000001, 1700000016)


def test_nothing_stands_there_yet() -> None:
    def play(action: Headers) -> str:
        return said("Error", action, "Database entry not found") if action["Action"] == "DBGet" else sound(action)

    with manager(play) as port:
        assert pbx.last_run(settings(port)) == Run()


def test_a_missing_right_is_named() -> None:
    def play(action: Headers) -> str:
        return sound(action) if action["Action"] == "Login" else said("Error", action, "Permission denied")

    with manager(play) as port, pytest.raises(NotKnown, match="reporting"):
        pbx.last_run(settings(port))
    with manager(play) as port, pytest.raises(NotKnown, match="originate"):
        pbx.free(settings(port))


def test_a_refused_login_names_the_setting() -> None:
    def play(action: Headers) -> str:
        return said("Error", action, "Authentication failed")

    with manager(play) as port, pytest.raises(NotKnown, match=r"\[pbx\] secret must be that of manager_lcr_probe.conf"):
        pbx.last_run(settings(port))


@pytest.mark.parametrize("quiet", ["Login", "DBGet"])
def test_a_long_silence_is_not_known_and_ends(quiet: str) -> None:
    def play(action: Headers) -> str:
        return "" if action["Action"] == quiet else sound(action)

    began = time.monotonic()
    with manager(play) as port, pytest.raises(NotKnown, match="does not answer"):
        pbx.last_run(settings(port, timeout_s=1))
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("banner", ["SSH-2.0-OpenSSH_9\r\n", "", "\0" * 50])
def test_what_is_no_manager_interface_is_not_known(banner: str) -> None:
    def play(_: Headers) -> str:
        return ""

    with manager(play, banner) as port, pytest.raises(NotKnown, match="does not answer"):
        pbx.last_run(settings(port, timeout_s=1))


def test_an_answer_to_somebody_else_is_passed_over() -> None:
    """Whoever writes into the stream cannot know the ActionID of this conversation."""
    forged = RECORD.replace("left", "rang:1700000020:818012345678 left")

    def play(action: Headers) -> str:
        if action["Action"] != "DBGet":
            return sound(action)
        lies = "".join(value(action, forged, action_id) for action_id in ("1", "0" * 32))
        return lies + said("Success", action, "Result will follow") + lies + value(action, RECORD)

    with manager(play) as port:
        assert pbx.last_run(settings(port)).rings("+818012345678") == []


def test_a_value_with_a_line_break_is_not_sent() -> None:
    asked: list[Headers] = []

    def play(action: Headers) -> str:
        asked.append(action)
        return sound(action)

    with manager(play) as port:
        told = converse({
            "host": "127.0.0.1", "port": port, "timeout_s": 1, "login": {"Username": "lcr-probe", "Secret": "s"},
            "actions": [{"Action": "Originate", "Data": "1\r\n\r\nAction: Command"}],
        })  # fmt: skip
    assert "Data" in told["fault"]
    assert asked == []


def test_what_is_asked_for_a_call() -> None:
    asked: list[Headers] = []

    def play(action: Headers) -> str:
        asked.append(action)
        return said("Success", action, "Originate successfully queued")

    with manager(play) as port:
        pbx.place(settings(port), Call(numbers=("+818012345678",)), "+818012345678", TOKEN)
    login, originate = asked
    assert login["Events"] == "off"
    assert originate["Channel"] == "Local/call@lcr-probe-caller/n"
    assert f"LCR_PROBE_TOKEN={TOKEN},LCR_PROBE_NUMBER=+818012345678," in originate["Variable"]


@pytest.mark.parametrize(
    "stored",
    ["", "nonsense", f"{TOKEN[1:]} placed:1", f" {TOKEN} placed:1", f"{TOKEN.upper()} placed:1", "é\u2028" * 20],
)
def test_what_is_no_record_of_ours_is_an_empty_one(stored: str) -> None:
    assert read(stored) == Run()


def test_a_word_counts_once_and_odd_ones_not_at_all() -> None:
    run = read(f"{TOKEN} placed:10 placed:99 left:x joined:-1 left:20 evil:1 rang:25: rang:30:09 rang:31:08012345678")
    assert (run.placed, run.joined, run.left) == (10, None, 20)
    assert run.rings("+818012345678") == [31]


def test_a_ring_before_the_loss_belongs_to_an_earlier_run() -> None:
    assert read(f"{TOKEN} placed:10 left:20 rang:15:08012345678").rings("+818012345678") == []
