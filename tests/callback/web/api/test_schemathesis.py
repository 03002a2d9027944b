"""What the API says of itself is true: whatever is sent, each answer is one that the description names.

schemathesis makes requests of the description, whole and broken ones, and looks at each answer by all of its checks;
then it follows the description's links from one answer to the next request.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from callback.attempts import snapshot
from callback.settings.care import QueueCare
from callback.web.api.app import ROUTES
from tests.callback.decisions.care.centre import CARE
from tests.callback.web.api.programs import NUMBER, Office
from tests.callback.world import NOON, ON, World, picture, rules

STREAM: Final = "stream_events"  # it does not end
OPERATIONS: Final = sorted(
    route.operation_id
    for router in ROUTES
    for route in router.routes
    if isinstance(route, APIRoute) and route.operation_id and route.operation_id != STREAM
)
CONFIG: Final = {
    "checks": {
        # Of what the description cannot say: which numbers there are, which queues, and which revision is the newest
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "401", "403", "404", "409", "412", "422"],
        },
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "415", "422", "428"]
        },
        "missing_required_header": {"expected-statuses": ["400", "401", "422", "428"]},
    },
}
QUIET: Final = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder: Path = tmp_path_factory.mktemp("api")
    switched_on = ON.model_copy(update={"care": QueueCare(cases=True, flags=True)})
    world = World(f"sqlite:///{folder / 'calls.db'}", rules(queues={"support": switched_on}, care=CARE))
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(), NOON)  # what closes something needs a service that runs
    yield Office(world, public_url="https://testserver")
    world.store.close()


@pytest.fixture(scope="module")
def described(office: Office) -> Any:
    token = office.token()
    assert office.program(token=token).register(NUMBER, reference="CASE-1").status_code == 201
    config = SchemathesisConfig.from_dict(CONFIG)
    headers = {"Authorization": f"Bearer {token}"}
    found = schemathesis.openapi.from_asgi("/api/v1/openapi.json", office.app, config=config)
    found.config.update(headers=headers)
    return found.exclude(operation_id=STREAM)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_one_that_the_description_names(described: Any, operation: str, mode: GenerationMode) -> None:
    cases = described.find_operation_by_id(operation).as_strategy(generation_mode=mode)

    @QUIET
    @given(case=cases)
    def ask(case: Any) -> None:
        at_once(case)
        case.call_and_validate()

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE


def test_one_answer_leads_to_the_next_request(described: Any) -> None:
    machine = described.as_state_machine()
    machine.before_call = lambda _, case: at_once(case)
    machine.run(settings=settings(QUIET, max_examples=10, stateful_step_count=6))


def at_once(case: Any) -> None:
    """Let nobody wait for events that do not come."""
    if isinstance(case.query, dict) and isinstance(case.query.get("wait_s"), int):
        case.query["wait_s"] = min(case.query["wait_s"], 0)
