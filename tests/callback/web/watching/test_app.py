"""What is served to whoever watches: metrics that exist, health that is true, and nothing for strangers."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from callback.attempts import snapshot
from callback.errors import StoreAway
from callback.operations.metrics import counting
from callback.operations.metrics.families import ALL, BY_NAME, labels_of
from callback.operations.vitals import Child, Delays, Listening, Vitals
from callback.settings.watch import Metrics
from callback.store.engine import Store
from callback.web.watching.app import Heard, Watching
from callback.web.watching.looks import Looks
from tests.callback.world import MINUTE, NOON, World, call, picture

HERE = {"Host": "127.0.0.1:9464"}
TOKEN = "a-token-of-enough-length"  # noqa: S105
TOLD = Vitals(
    role="all",
    pbx="main",
    node="here:1",
    state="at-work",
    database_off_s=0.1,
    failing={"text": "no"},
    children={"console": Child(up=True)},
    listening=Listening(
        connected=True, refused={"malformed": 2}, commits=Delays(bounds=(0.1, 1), within=(3, 4), count=5, total_s=2.5)
    ),
)


def watching(
    world: World, *, told: Vitals | None = TOLD, token: str = "", store: Any = None
) -> tuple[TestClient, Heard]:
    settings = world.settings.model_copy(update={"metrics": Metrics(listen="127.0.0.1:9464", token=token)})
    heard = Heard()
    if told is not None:
        heard.take(told.model_dump_json().encode())
    looks = Looks(settings, store or world.store, lambda: NOON + MINUTE, patience_s=30)
    return TestClient(Watching(settings, looks, heard).app(), headers=HERE), heard


def busy(world: World) -> None:
    """Something of everything that is measured."""
    with world.store.write() as connection:
        counting.count(connection, NOON)
        snapshot.store(connection, "main", picture(waiting={"support": 2}), NOON + MINUTE)
    world.hear(call())
    world.hear(call("09012345602", queue="sales"), "silent")
    order = world.claim(NOON + 1)
    assert order is not None
    world.end(order.attempt, "busy", NOON + 2)
    with world.store.write() as connection:
        counting.count(connection, NOON)


def scraped(client: TestClient) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def test_every_metric_is_declared_and_has_its_labels(world: World) -> None:
    busy(world)
    client, _ = watching(world)
    found = scraped(client)
    for name, samples in found.items():
        family = BY_NAME.get(name) or BY_NAME[name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")]
        for sample in samples:
            assert set(sample.labels) - {"le"} == set(labels_of(family)), name
    of_calls = {(one.labels["queue"], one.labels["kind"]): one.value for one in found["lcr_lost_calls_total"]}
    assert of_calls["support", "abandoned"] == 1
    assert of_calls["sales", "silent"] == 1
    assert of_calls["sales", "abandoned"] == 0  # so that its first is seen as a rise
    outcomes = {one.labels["outcome"]: one.value for one in found["lcr_attempts_ended_total"]}
    assert (outcomes["busy"], outcomes["reached"]) == (1, 0)
    assert found["lcr_callers_waiting"][0].value == 2
    assert found["lcr_commit_seconds_sum"][0].value == 2.5
    assert [one.value for one in found["lcr_commit_seconds_bucket"]] == [3, 4, 5]
    for name in (
        "lcr_sample_seconds",
        "lcr_sample_age_seconds",
        "lcr_promises_today",
        "lcr_promises_at_risk",
        "lcr_reservations_open",
        "lcr_lease_holder",
    ):
        assert found[name], name


def test_every_declared_metric_is_said_with_its_help(world: World) -> None:
    client, _ = watching(world)
    text = client.get("/metrics").text
    for family in ALL:
        assert f"# TYPE {family.name}" in text
        assert f"# HELP {family.name} {family.means}" in text


def test_no_number_of_anybody_is_in_them(world: World) -> None:
    busy(world)
    client, _ = watching(world)
    assert "12345" not in client.get("/metrics").text


def test_while_the_database_is_away_the_node_is_still_measured(world: World) -> None:
    client, _ = watching(world, store=Away())
    found = scraped(client)
    assert found["lcr_database_up"][0].value == 0
    assert found["lcr_ami_connected"][0].value == 1
    assert "lcr_lost_calls_total" not in found
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["wrong"]["database-away"] == "it is away; start it"
    assert client.get("/healthz").status_code == 200


def test_a_database_that_does_not_answer_holds_up_nobody_and_is_asked_once(world: World) -> None:
    silent = Silent(world.store)
    settings = world.settings.model_copy(update={"metrics": Metrics(listen="127.0.0.1:9464")})
    looks = Looks(settings, silent, lambda: NOON, patience_s=0.05)  # type: ignore[arg-type]

    async def asked() -> list[str]:
        faults = [(await looks.take()).fault for _ in range(3)]
        silent.answers.set()
        for _ in range(600):  # each waits as long as it has patience
            if not (looked := await looks.take()).fault:
                break
        return [*faults, looked.fault]

    *faults, last = asyncio.run(asked())
    assert faults == ["the database has not answered for 0.05 s"] * 3
    assert last == ""
    assert silent.asked == 1


def test_what_a_node_told_is_what_is_ready(world: World) -> None:
    client, heard = watching(world, told=None)
    assert client.get("/healthz").json()["wrong"].keys() == {"no-service"}
    heard.take(b"of another version\n")
    assert client.get("/healthz").status_code == 503
    well = TOLD.model_copy(update={"failing": {}})
    heard.take(well.model_dump_json().encode())
    assert client.get("/readyz").json() == {
        "ok": True,
        "role": "all",
        "pbx": "main",
        "node": "here:1",
        "state": "at-work",
        "stands_by": False,
        "wrong": {},
    }
    cut = well.model_copy(update={"listening": Listening(connected=False, why_not="the connection was lost")})
    heard.take(cut.model_dump_json().encode())
    assert client.get("/readyz").json()["wrong"] == {"pbx-not-connected": "the connection was lost"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [({}, False), ({"Authorization": "Bearer wrong"}, False), ({"Authorization": f"Bearer {TOKEN}"}, True)],
)
def test_with_a_token_only_who_has_it_reads_more_than_whether_it_is_well(
    world: World, headers: dict[str, str], allowed: bool
) -> None:
    client, _ = watching(world, token=TOKEN, told=TOLD.model_copy(update={"failing": {}}))
    assert client.get("/metrics", headers=headers).status_code == (200 if allowed else 401)
    answer = client.get("/readyz", headers=headers)
    assert answer.status_code == 200
    assert ("node" in answer.json()) == allowed


def test_a_page_of_anothers_reads_nothing_by_a_name_of_its_own(world: World) -> None:
    client, _ = watching(world)
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 401


class Away:
    """A database that is away."""

    def read(self) -> Any:
        raise StoreAway("it is away; start it")


class Silent:
    """A database that gives no answer until it does."""

    def __init__(self, store: Store) -> None:
        self._store, self.answers, self.asked = store, threading.Event(), 0

    @contextmanager
    def read(self) -> Any:
        self.asked += 1
        self.answers.wait(30)
        with self._store.read() as connection:
            yield connection
