"""What each stage is said to be, from what was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback.probe import stages
from callback.probe.api import Known
from callback.probe.pbx import Run
from callback.probe.stages import Stage, overall
from callback.probe.texts import Text

NUMBER = "+818012345678"
LOST = Run(token="t", number="818012345678", placed=100, joined=101, left=116)  # noqa: S106 - no secret
FREED = replace(LOST, freed=130)
RUNG = replace(FREED, agent=133, rang=((134, "08012345678"),))
TALKED = replace(RUNG, answered=135, hung=150)


@pytest.mark.parametrize(
    ("run", "result", "cause"),
    [
        (LOST, "ok", ""),
        (Run(), "unknown", "was not placed"),
        (replace(LOST, joined=None), "unknown", "did not reach its queue"),
        (replace(LOST, left=None), "unknown", "did not end after 15 s"),
    ],
)
def test_its_own_call(run: Run, result: str, cause: str) -> None:
    stage = stages.called_in(run, 15)
    assert stage.result == result
    assert cause in stage.cause


@pytest.mark.parametrize(
    ("text", "result", "cause"),
    [
        (Text("delivered"), "ok", ""),
        (Text("sent"), "ok", ""),
        (None, "failed", "no text"),
        (Text("waiting"), "failed", "had not sent it after 60 s"),
        (Text("failed", 30007), "failed", "filtered by the carrier (error 30007)"),
        (Text("failed", 30003), "failed", "not delivered (error 30003)"),
        (Text("failed"), "failed", "no error number"),
    ],
)
def test_a_text(text: Text | None, result: str, cause: str) -> None:
    stage = stages.texted(text, 3.0, 60)
    assert stage.result == result
    assert cause in stage.cause
    assert (result == "ok") == (stage.remedy == "")


@pytest.mark.parametrize(
    ("run", "result", "cause"),
    [
        (RUNG, "ok", ""),
        (FREED, "failed", "no agent was asked"),
        (replace(FREED, agent=133), "failed", "never rang"),
        (LOST, "unknown", "could not be made free"),
        (replace(RUNG, rang=((999, "08012345678"),)), "failed", "called back only after 869 s"),
        (replace(RUNG, rang=((134, "08012345678"), (170, "08012345678"))), "failed", "rung 2 times"),
        (replace(RUNG, rang=((134, "08099999999"),)), "failed", "never rang"),
    ],
)
def test_a_callback(run: Run, result: str, cause: str) -> None:
    stage = stages.called_back(run, NUMBER, 300)
    assert stage.result == result
    assert cause in stage.cause


def test_the_service_says_why_nobody_called() -> None:
    assert "the service says 'watch'" in stages.called_back(FREED, NUMBER, 300, why="watch").remedy


@pytest.mark.parametrize(
    ("run", "result"),
    [
        (TALKED, "ok"),
        (replace(TALKED, hung=138), "failed"),
        (replace(TALKED, hung=None), "unknown"),
        (replace(TALKED, answered=None), "failed"),
    ],
)
def test_a_talk(run: Run, result: str) -> None:
    stage = stages.talked(run, NUMBER, 15)
    assert stage is not None
    assert stage.result == result
    assert stages.talked(FREED, NUMBER, 15) is None


@pytest.mark.parametrize(
    ("known", "asked", "texted", "rung", "result"),
    [
        (Known(1, "waiting"), True, False, False, "ok"),
        (None, True, False, False, "failed"),
        (None, True, True, False, "failed"),
        (None, False, True, False, "ok"),
        (None, False, False, True, "ok"),
        (None, False, False, False, "failed"),
    ],
)
def test_whether_it_was_found(known: Known | None, asked: bool, texted: bool, rung: bool, result: str) -> None:
    assert stages.found(known, 2.0, asked=asked, texted=texted, rung=rung).result == result


def test_a_failure_counts_more_than_what_is_not_known() -> None:
    ok, failed, unknown, skipped = (Stage("found", result) for result in ("ok", "failed", "unknown", "skipped"))
    assert overall([ok, unknown, failed]) == "failed"
    assert overall([ok, unknown]) == "unknown"
    assert overall([ok, skipped]) == "ok"
