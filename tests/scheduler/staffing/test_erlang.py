"""Erlang B, C and A: published results, a second method, limits, and what more agents must bring."""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.errors import SchedulerError
from scheduler.staffing.erlang import (
    OfferedTraffic,
    QueuePerformance,
    Target,
    blocked_share,
    needed,
    wait_share,
    waiting,
)

ROWS = tuple(csv.DictReader(Path(__file__).with_name("erlang_acceptance.csv").read_text(encoding="utf-8").splitlines()))
SETTINGS = {  # what the rows say in words: calls/s, handling s, patience s, within s
    "ErlangC 100 calls/30min AHT180s": (100 / 1800, 180, math.inf, 20),
    "ErlangC 360 calls/30min 240s": (360 / 1800, 240, math.inf, 15),
    "ErlangC 48/min 60s": (48 / 60, 60, math.inf, 20),
    "ErlangA 48/min 60s patience 120s": (48 / 60, 60, 120, 20),
    "ErlangA 100/30min 180s patience 300s": (100 / 1800, 180, 300, 20),
    "ErlangC table A=3.87": (3.87 / 60, 60, math.inf, 20),
    "ErlangC table A=4.08": (4.08 / 60, 60, math.inf, 20),
    "ErlangC 250/h 330s 80/30": (250 / 3600, 330, math.inf, 30),
}
COLUMNS = {
    "p_wait": "wait_share",
    "service_level": "served_share",
    "asa_s": "wait_s",
    "occupancy": "busy_share",
    "p_abandon": "hang_up_share",
    "mean_wait_s": "wait_s",
    "queue_len": "queue",
    "served_within_20s": "served_share",
}

loads = st.builds(OfferedTraffic, st.floats(1e-4, 1), st.floats(5, 600))
some_agents = st.integers(0, 120)
patience = st.floats(2, 3000)
within = st.floats(0, 300)


@pytest.mark.parametrize("row", ROWS, ids=[row["case"] for row in ROWS])
def test_published_results(row: dict[str, str]) -> None:
    calls_per_s, handling_s, patience_s, within_s = SETTINGS[row["case"].split(" n=")[0]]
    load = OfferedTraffic(calls_per_s, handling_s)
    assert load.erlang == pytest.approx(float(row["offered"]), abs=1e-4)
    result = waiting(load, int(row["agents"]), patience_s, within_s)
    told = [column for column in COLUMNS if row[column]]
    assert told
    for column in told:
        decimals = len(row[column].partition(".")[2])
        assert getattr(result, COLUMNS[column]) == pytest.approx(float(row[column]), abs=0.6 * 10**-decimals), column


def stationary(load: OfferedTraffic, agents: int, patience_s: float) -> list[float]:
    """Give the chance of every number of callers, from none up, by the balance of each step."""
    chances, tail = [1.0], math.inf
    while tail > 1e-17 or len(chances) <= agents:
        more = len(chances)
        leaves = min(more, agents) / load.handling_s + max(more - agents, 0) / patience_s
        chances.append(chances[-1] * load.calls_per_s / leaves)
        if chances[-1] > 1e200:
            chances = [chance / 1e200 for chance in chances]
        tail = chances[-1] / max(chances)
    total = math.fsum(chances)
    return [chance / total for chance in chances]


def served_in_time(agents: int, load: OfferedTraffic, patience_s: float, ahead: int, within_s: float) -> list[float]:
    """Give for 0 to `ahead` people before a caller the chance that he is served in time (uniformisation)."""
    finishing, leaving = agents / load.handling_s, 1 / patience_s
    rate = finishing + (ahead + 1) * leaving
    steps = rate * within_s
    served, result = [0.0] * (ahead + 1), [0.0] * (ahead + 1)
    for step in range(int(steps + 12 * math.sqrt(steps) + 30)):
        chance = math.exp(-steps + step * math.log(steps) - math.lgamma(step + 1))
        result = [done + chance * now for done, now in zip(result, served, strict=True)]
        nearer = [1.0, *served]
        served = [
            ((finishing + place * leaving) * nearer[place] + (rate - finishing - (place + 1) * leaving) * still) / rate
            for place, still in enumerate(served)
        ]
    return result


@given(loads, some_agents, patience)
@example(OfferedTraffic(2, 900), 3, 600)
@example(OfferedTraffic(0.8, 60), 0, 120)
def test_erlang_a_agrees_with_the_balance_of_every_state(load: OfferedTraffic, agents: int, patience_s: float) -> None:
    chances = stationary(load, agents, patience_s)
    result = waiting(load, agents, patience_s)
    queue = math.fsum(chance * max(0, callers - agents) for callers, chance in enumerate(chances))
    busy = math.fsum(chance * min(callers, agents) for callers, chance in enumerate(chances))
    assert result.wait_share == pytest.approx(math.fsum(chances[agents:]), abs=1e-9)
    assert result.queue == pytest.approx(queue, rel=1e-9, abs=1e-9)
    assert result.hang_up_share == pytest.approx(queue / patience_s / load.calls_per_s, abs=1e-9)
    assert result.busy_share == pytest.approx(busy / agents if agents else 0, abs=1e-9)


@pytest.mark.parametrize("within_s", [0.5, 20, 90])
@pytest.mark.parametrize("patience_s", [15, 120, 3000])
@pytest.mark.parametrize(("calls_per_s", "handling_s", "agents"), [(0.055, 180, 9), (0.055, 180, 14), (0.2, 60, 4)])
def test_served_in_time_agrees_with_the_queue_that_shrinks_before_a_caller(
    calls_per_s: float, handling_s: float, agents: int, patience_s: float, within_s: float
) -> None:
    load = OfferedTraffic(calls_per_s, handling_s)
    chances = stationary(load, agents, patience_s)
    ahead = max(callers for callers, chance in enumerate(chances) if chance > 1e-12) - agents
    in_time = served_in_time(agents, load, patience_s, max(ahead, 0), within_s)
    expected = math.fsum(chances[:agents]) + math.fsum(map(float.__mul__, chances[agents:], in_time))
    assert waiting(load, agents, patience_s, within_s).served_share == pytest.approx(expected, abs=1e-6)


@given(loads, some_agents, patience, within)
def test_what_comes_goes_and_shares_are_shares(
    load: OfferedTraffic, agents: int, patience_s: float, within_s: float
) -> None:
    result = waiting(load, agents, patience_s, within_s)
    served_per_s = agents * result.busy_share / load.handling_s
    assert served_per_s + result.hang_up_share * load.calls_per_s == pytest.approx(load.calls_per_s, rel=1e-9)
    assert result.queue == pytest.approx(load.calls_per_s * result.wait_s)
    for share in (result.wait_share, result.hang_up_share, result.busy_share, result.served_share):
        assert -1e-12 <= share <= 1 + 1e-12
    assert result.served_share + result.hang_up_share <= 1 + 1e-9


@given(loads, some_agents, patience, within)
def test_more_agents_never_make_it_worse(load: OfferedTraffic, agents: int, patience_s: float, within_s: float) -> None:
    few, more = (waiting(load, number, patience_s, within_s) for number in (agents, agents + 1))
    assert more.wait_share <= few.wait_share + 1e-12
    assert more.hang_up_share <= few.hang_up_share + 1e-12
    assert more.wait_s <= few.wait_s + 1e-9
    assert more.served_share >= few.served_share - 1e-9


@given(loads, st.integers(1, 120), patience, within, within)
def test_more_time_serves_more(
    load: OfferedTraffic, agents: int, patience_s: float, one_s: float, other_s: float
) -> None:
    shares = [waiting(load, agents, patience_s, within_s).served_share for within_s in sorted((one_s, other_s))]
    assert shares[0] <= shares[1] + 1e-9
    endless = waiting(load, agents, patience_s, 1e7)
    assert endless.served_share == pytest.approx(1 - endless.hang_up_share, abs=1e-7)


@given(loads, st.integers(1, 120), patience)
def test_the_patient_wait_more_and_hang_up_less(load: OfferedTraffic, agents: int, patience_s: float) -> None:
    hasty, patient = (waiting(load, agents, mean_s) for mean_s in (patience_s, 1.5 * patience_s))
    assert patient.hang_up_share <= hasty.hang_up_share + 1e-12
    assert patient.wait_share >= hasty.wait_share - 1e-12


@given(st.floats(0.1, 60), st.integers(1, 30), st.floats(10, 600), st.floats(0, 60))
def test_endless_patience_is_erlang_c(erlang: float, spare: int, handling_s: float, within_s: float) -> None:
    load, agents = OfferedTraffic(erlang / handling_s, handling_s), math.ceil(erlang) + spare
    limit, patient = waiting(load, agents, 1e9, within_s), waiting(load, agents, math.inf, within_s)
    for name in ("wait_share", "hang_up_share", "served_share", "busy_share"):
        assert getattr(limit, name) == pytest.approx(getattr(patient, name), abs=1e-5), name
    assert limit.wait_s == pytest.approx(patient.wait_s, rel=1e-3)
    assert patient.wait_share == wait_share(load.erlang, agents)


@given(loads, patience)
def test_agents_enough_for_everybody_let_nobody_wait(load: OfferedTraffic, patience_s: float) -> None:
    agents = int(2 * load.erlang + 12 * math.sqrt(load.erlang) + 60)
    for mean_s in (patience_s, math.inf):
        result = waiting(load, agents, mean_s)
        assert result.wait_share < 1e-9
        assert result.wait_s < 1e-6
        assert result.served_share == pytest.approx(1)


@given(st.floats(0.1, 60), st.integers(1, 80))
def test_shares_of_erlang_b_and_c_keep_their_order(erlang: float, agents: int) -> None:
    assert 0 < blocked_share(erlang, agents) <= wait_share(erlang, agents) <= 1
    assert blocked_share(erlang, agents) < blocked_share(erlang, agents - 1)


def test_erlang_b_by_hand() -> None:
    assert blocked_share(2, 2) == pytest.approx(2 / (1 + 2 + 2))
    assert blocked_share(0, 3) == 0


@given(loads, patience, st.floats(0, 0.97), st.floats(0, 120), st.floats(0.01, 1))
def test_needed_is_enough_and_one_less_is_not(
    load: OfferedTraffic, patience_s: float, served_share: float, within_s: float, hang_up_share: float
) -> None:
    target = Target(served_share, within_s, hang_up_share)
    agents = needed(load, target, patience_s)
    assert target.is_met(waiting(load, agents, patience_s, within_s))
    assert not agents or not target.is_met(waiting(load, agents - 1, patience_s, within_s))


def test_published_needs() -> None:
    assert needed(OfferedTraffic(250 / 3600, 330), Target(0.8, 30)) == 28
    assert needed(OfferedTraffic(100 / 1800, 180), Target(0.8, 20)) == 14


@pytest.mark.parametrize(
    ("load", "agents", "patience_s"),
    [
        (OfferedTraffic(25, 200), 5000, 120),  # five thousand busy
        (OfferedTraffic(25, 200), 4000, 1e5),  # for ever too few
        (OfferedTraffic(500, 200), 100_100, 300),
        (OfferedTraffic(100, 200), 10, 5),
    ],
)
def test_large_loads(load: OfferedTraffic, agents: int, patience_s: float) -> None:
    result = waiting(load, agents, patience_s)
    served_per_s = agents * result.busy_share / load.handling_s
    assert served_per_s + result.hang_up_share * load.calls_per_s == pytest.approx(load.calls_per_s, rel=1e-9)
    assert 0 <= result.served_share <= 1 - result.hang_up_share


def test_served_rises_with_the_agents_of_a_large_queue() -> None:
    shares = [waiting(OfferedTraffic(25, 200), agents, 120).served_share for agents in range(4000, 5200, 100)]
    assert all(few <= more for few, more in pairwise(shares))
    assert shares[0] < 0.1
    assert shares[-1] > 0.99


def test_too_few_agents_for_the_patient() -> None:
    assert waiting(OfferedTraffic(1, 10), 10) == QueuePerformance(1, 0, math.inf, math.inf, 1, 0)
    assert waiting(OfferedTraffic(0, 10), 0) == QueuePerformance(0, 0, 0, 0, 0, 1)


@pytest.mark.parametrize(("calls_per_s", "handling_s"), [(-1, 10), (1, 0), (math.inf, 10), (math.nan, 10)])
def test_a_load_nobody_means_is_refused(calls_per_s: float, handling_s: float) -> None:
    with pytest.raises(SchedulerError, match="no load"):
        OfferedTraffic(calls_per_s, handling_s)


def test_nonsense_is_refused_with_a_remedy() -> None:
    with pytest.raises(SchedulerError, match="be 0 or more"):
        waiting(OfferedTraffic(1, 10), -1)
    with pytest.raises(SchedulerError, match="served_share be below 1"):
        Target(served_share=1)
