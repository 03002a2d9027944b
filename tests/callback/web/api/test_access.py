"""Who may ask for what: each route has its scope, and what another group owes is as if it were not."""

from __future__ import annotations

import re
from typing import Final

import pytest
from fastapi.routing import APIRoute

from callback.accounts import tokens
from callback.accounts.tokens import SCOPES, Scope
from callback.settings.rules import QueueRules
from callback.store import tables as t
from callback.web.api import access
from callback.web.api.app import ROUTES
from callback.web.api.problems import Misused
from callback.web.rate_limit import Pace
from tests.callback.accounts.people import change
from tests.callback.web.api.programs import NUMBER, V1, Office
from tests.callback.world import ON, World, rules

ROUTE_SCOPES: Final = {
    (method, route.path): access.scope_of(route)
    for router in ROUTES
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
}
TABLE: Final[dict[tuple[str, str], Scope | None]] = {
    ("GET", f"{V1}/"): None,
    ("GET", f"{V1}/healthz"): None,
    ("GET", f"{V1}/openapi.json"): None,
    ("GET", f"{V1}/reference.css"): None,
    ("POST", f"{V1}/reservations"): "reservations:write",
    ("GET", f"{V1}/reservations"): "reservations:read",
    ("GET", f"{V1}/reservations/{{reservation}}"): "reservations:read",
    ("GET", f"{V1}/reservations/{{reservation}}/timeline"): "reservations:read",
    ("POST", f"{V1}/reservations/{{reservation}}/decisions"): "reservations:write",
    ("DELETE", f"{V1}/reservations/{{reservation}}/decisions/{{decision}}"): "reservations:write",
    ("POST", f"{V1}/numbers/lookup"): "numbers:read",
    ("POST", f"{V1}/numbers/blocks"): "numbers:block",
    ("POST", f"{V1}/numbers/unblock"): "numbers:block",
    ("GET", f"{V1}/answers"): "reservations:read",
    ("POST", f"{V1}/answers/{{answer}}/done"): "reservations:write",
    ("GET", f"{V1}/incidents"): "reservations:read",
    ("POST", f"{V1}/incidents/{{incident}}/decisions"): "reservations:write",
    ("DELETE", f"{V1}/incidents/{{incident}}/decisions/{{decision}}"): "reservations:write",
    ("GET", f"{V1}/now"): "reports:read",
    ("GET", f"{V1}/queues"): "reports:read",
    ("GET", f"{V1}/rates"): "reports:read",
    ("GET", f"{V1}/rules"): "rules:read",
    ("GET", f"{V1}/health"): "health:read",
    ("GET", f"{V1}/switches"): "switches:write",
    ("POST", f"{V1}/switches"): "switches:write",
    ("DELETE", f"{V1}/switches/{{pause}}"): "switches:write",
    ("GET", f"{V1}/campaigns"): "reports:read",
    ("GET", f"{V1}/campaigns/{{campaign}}"): "reports:read",
    ("POST", f"{V1}/campaigns/{{campaign}}/start"): "switches:write",
    ("POST", f"{V1}/campaigns/{{campaign}}/stop"): "switches:write",
    ("GET", f"{V1}/care"): "reports:read",
    ("POST", f"{V1}/cases"): "cases:write",
    ("GET", f"{V1}/cases"): "cases:read",
    ("GET", f"{V1}/cases/{{case}}"): "cases:read",
    ("POST", f"{V1}/cases/{{case}}/acts"): "cases:write",
    ("POST", f"{V1}/flags"): "cases:write",
    ("GET", f"{V1}/flags"): "cases:read",
    ("DELETE", f"{V1}/flags/{{flag}}"): "cases:write",
    ("GET", f"{V1}/events"): "events:read",
    ("GET", f"{V1}/events/stream"): "events:read",
}


@pytest.fixture
def two_groups(sqlite_world: World) -> Office:
    """A site with a group for each queue."""
    queues = {"support": ON, "sales": QueueRules(**{**ON.model_dump(), "group": "sellers"})}
    return Office(World(sqlite_world.store.url, rules(queues=queues)))


def test_the_scopes_are_those_of_the_table() -> None:
    assert ROUTE_SCOPES == TABLE
    assert set(SCOPES) == {scope for scope in TABLE.values() if scope is not None}


@pytest.mark.parametrize(("method", "path"), sorted(key for key, scope in TABLE.items() if scope is not None))
def test_a_route_opens_to_its_scope_alone(sqlite_office: Office, method: str, path: str) -> None:
    needed = TABLE[method, path]
    place = re.sub(r"{\w+}", "7", path)
    assert sqlite_office.program(token="").request(method, place).status_code == 401
    every_other = [scope for scope in SCOPES if scope != needed]
    without = sqlite_office.program(*every_other)
    refused = without.request(method, place)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    if not path.endswith("/stream"):
        with_it = sqlite_office.program(*[scope for scope in SCOPES if scope == needed])
        assert with_it.request(method, place).status_code not in {401, 403}


def test_a_route_that_does_not_say_what_it_needs_is_found(sqlite_office: Office) -> None:
    sqlite_office.app.add_api_route("/stray", lambda: "hello", methods=["GET"])
    with pytest.raises(Misused, match="/stray must say which scope it needs"):
        access.check(sqlite_office.app)


def test_a_token_that_is_revoked_or_no_token_opens_nothing(sqlite_office: Office) -> None:
    token = sqlite_office.token()
    program = sqlite_office.program(token=token)
    assert program.read("/reservations").status_code == 200
    with sqlite_office.world.store.write() as connection:
        tokens.revoke(change(connection), 1)
    refused = program.read("/reservations")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    for header in ("", "Basic eDp5", token, f"Bearer {token}x"):
        said = sqlite_office.program(token="").get(f"{V1}/reservations", headers={"Authorization": header})
        assert (said.status_code, said.headers["content-type"]) == (401, "application/problem+json")


def test_cookies_say_nothing_and_no_other_site_is_let_in(sqlite_office: Office) -> None:
    program = sqlite_office.program(token="")
    program.cookies.set("lcr", sqlite_office.token())
    assert program.read("/reservations").status_code == 401
    asked = sqlite_office.program().get(f"{V1}/reservations", headers={"Origin": "https://elsewhere.example"})
    assert not any(name.startswith("access-control") for name in asked.headers)
    assert sqlite_office.program().options(f"{V1}/reservations").status_code == 405


def test_another_host_is_refused(sqlite_office: Office) -> None:
    said = sqlite_office.program().get(f"{V1}/healthz", headers={"Host": "rebound.example"})
    assert said.status_code == 421


def test_whoever_asks_too_often_is_told_how_long_to_wait(sqlite_world: World) -> None:
    office = Office(sqlite_world, pace=Pace(3, 0.1))
    token = office.token()
    statuses = [office.program(token=token).read("/reservations").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert office.program(token=token).read("/reservations").headers["retry-after"] == "1"
    assert office.program().read("/reservations").status_code == 200
    office.now += 200_000
    assert office.program(token=token).read("/reservations").status_code == 200


def test_that_a_token_is_used_is_written_down(sqlite_office: Office) -> None:
    sqlite_office.program().read("/reservations")
    assert [row.seen_at for row in sqlite_office.world.rows(t.api_token)] == [sqlite_office.now]


def test_what_another_group_owes_is_as_if_it_were_not(two_groups: Office) -> None:
    made = two_groups.program().register(queue="support").json()
    seller = two_groups.program(groups=frozenset({"sellers"}))
    sales = seller.register("+819087654321", queue="sales").json()
    same = {"X-Request-Id": "same"}
    for path in ("", "/timeline"):
        theirs, none = (
            seller.get(f"{V1}/reservations/{number}{path}", headers=same) for number in (made["id"], 999_999)
        )
        assert theirs.status_code == none.status_code == 404
        assert theirs.content == none.content
    assert [one["id"] for one in seller.read("/reservations").json()["items"]] == [sales["id"]]
    assert seller.read("/reservations", reference="x").json()["items"] == []
    assert {one["reservation"] for one in seller.read("/events", after=0).json()["items"]} == {sales["id"]}
    decided = [
        seller.post(
            f"{V1}/reservations/{number}/decisions", json={"act": "hold"},
            headers={"If-Match": f'"{made["revision"]}"', "Idempotency-Key": f"hold-{number}", **same},
        )
        for number in (made["id"], 999_999)
    ]  # fmt: skip
    assert [one.status_code for one in decided] == [404, 404]
    assert decided[0].content == decided[1].content
    refused = seller.register(queue="support")
    unknown = seller.register(queue="nobodys")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-queue")
    assert refused.json()["detail"] == unknown.json()["detail"]


def test_numbers_are_masked_unless_the_scope_says_otherwise(
    sqlite_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    writer = sqlite_office.program("reservations:write")
    made = writer.register(at="2026-11-23T15:00:00+09:00", reference="CASE-7")
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    blind = sqlite_office.program("reservations:read", "events:read")
    seeing = sqlite_office.program("reservations:read", "events:read", "numbers:read")
    digits = NUMBER.removeprefix("+81")
    for path in ("/reservations", f"/reservations/{number}", f"/reservations/{number}/timeline"):
        assert digits not in blind.read(path).text
    assert blind.read("/events", after=0).json()["items"][0]["number"] == "+81…78"
    assert digits not in made.text
    for path in ("/reservations", f"/reservations/{number}"):
        assert NUMBER in seeing.read(path).text
    assert NUMBER in seeing.read("/events", after=0).text
    assert writer.register("070 9012 3456 78").status_code == 422
    assert digits not in caplog.text
    kept = sqlite_office.world.rows(t.audit) + sqlite_office.world.rows(t.happened)
    assert digits not in str(kept)
