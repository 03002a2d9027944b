"""The standby takes over with a call in each state: each gets one verdict, and nobody is rung or texted twice.

Two nodes listen to one PBX, a third one sends the texts. The first listener is killed; the second has its journal, or
has one of its own and learns from queue_log, and the call records that prove it, what ended meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from callback.store import tables as t
from lab import fetch, phone
from lab.asterisk import Asterisk
from lab.call import Call
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Phone
from lab.postgres import Server
from sms.outbox import text_outbox
from tests.live.floor import floor_pbx
from tests.live.nodes import Node

pytestmark = pytest.mark.live

WAITED_S = 2.2
DESKS = range(10, 32)
GRACE_S = 9
LOST = ("waits", "gives-up-meanwhile", "just-gone", "in-grace")
SERVED = ("rings-at-an-agent", "talks", "on-hold", "transferred")
CALLED_BACK = ("agent-rings", "customer-rings", "callback-talks")
STATES = {state: number for number, state in zip(range(10, 32, 2), (*LOST, *SERVED, *CALLED_BACK), strict=True)}
"""Each state has a desk of its own, and the odd one beside it."""


@pytest.fixture(scope="module")
def floor(asterisk_tree: fetch.AsteriskTree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    with floor_pbx(tmp_path_factory.mktemp("takeover"), asterisk_tree, desks=DESKS) as pbx:
        yield pbx


@pytest.fixture
def url(postgres_server: Server) -> Iterator[str]:
    yield postgres_server.create("takeover")
    postgres_server.drop("takeover")


class Scene:
    """People at the phones: a customer and a desk for each state."""

    def __init__(self, pbx: Asterisk, room: ExitStack) -> None:
        self._pbx, self._room = pbx, room
        self.carrier = room.enter_context(pbx.carrier())
        self._agents: dict[str, Phone] = {}
        self.callers: dict[str, Call] = {}

    @staticmethod
    def number(state: str) -> str:
        return f"090{STATES[state]}345678"  # each of another block: many of one would look like fraud

    def agent(self, state: str, beside: int = 0) -> Phone:
        """The phone of its desk, or of the one beside it; who sits there answers soon."""
        name = f"agent{STATES[state] + beside}"
        if name not in self._agents:
            self._agents[name] = self._room.enter_context(self._pbx.phone(name, phone.answer(0.1)))
        return self._agents[name]

    def pause(self, state: str, *, paused: bool = True) -> None:
        self._pbx.action("QueuePause", Interface=f"PJSIP/agent{STATES[state]}", Paused=str(paused).lower())

    def call(self, state: str) -> Call:
        self.callers[state] = self.carrier.call(f"540{STATES[state]}", caller=self.number(state)).wait_answered()
        return self.callers[state]

    def converse(self, state: str) -> tuple[Call, Call]:
        agent = self.agent(state)
        caller = self.call(state)
        ring = agent.wait_call().wait_answered()
        caller.wait_heard(AGENT_HZ)
        return caller, ring

    def lose(self, *states: str) -> None:
        """Let customers wait together, and give up."""
        calls = [self.call(state) for state in states]
        time.sleep(WAITED_S)  # so long they wait: it is what the calls are about
        for call in calls:
            call.hang_up()


def e164(state: str) -> str:
    return f"+81{Scene.number(state)[1:]}"


def of_whom(node: Node, rows: list[Any], person: Callable[[Any], int]) -> Counter[str]:
    states = {e164(state): state for state in STATES}
    numbers = {row.id: states[row.number] for row in node.rows(t.person)}
    return Counter(numbers[person(row)] for row in rows)


@pytest.mark.parametrize("shared", [True, False], ids=["one journal", "queue_log alone"])
def test_the_standby_takes_over_with_a_call_in_each_state(
    floor: Asterisk, url: str, tmp_path: Path, *, shared: bool
) -> None:
    queues = [f"desk{number}" for number in STATES.values()]
    rules: dict[str, Any] = {"text_grace_s": GRACE_S, "agent_wait_s": 60, "ring_s": 60, "retry_our_fault_min": 5}
    journal = tmp_path / "journal" if shared else None

    def node(name: str) -> Node:
        return room.enter_context(_closing(Node(floor, tmp_path / name, url, queues, journal=journal, **rules)))

    with ExitStack() as room:
        holder, standby, text = node("holder"), node("standby"), node("text")
        holder.start("--role", "pbx")
        text.start("--role", "text", until="texting")
        standby.start("--role", "pbx", until="standby")
        scene = Scene(floor, room)
        _call_back(scene, holder)
        for state in ("waits", "gives-up-meanwhile", "just-gone", "in-grace"):
            scene.pause(state)
        scene.lose("in-grace")
        holder.wait("reserved", lambda told: told["number"] == e164("in-grace"))
        agent_rings, transferred_to = _bring_into_all_states(scene)
        scene.callers["just-gone"].hang_up()
        holder.kill()
        scene.callers["gives-up-meanwhile"].hang_up()
        standby.wait("pbx-up")
        _go_on(scene, agent_rings, transferred_to)
        _compare(scene, standby, text)


class _closing:  # noqa: N801 - as contextlib's
    """A node that a test starts itself."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __enter__(self) -> Node:
        return self._node

    def __exit__(self, *exc: object) -> None:
        self._node.__exit__(*exc)


def _call_back(scene: Scene, holder: Node) -> None:
    """Bring three callbacks so far that an agent's phone rings, a customer's rings, and both talk."""
    for state in CALLED_BACK:
        scene.pause(state)
    scene.agent("agent-rings").script = phone.no_answer()
    for state in ("customer-rings", "callback-talks"):
        scene.agent(state)
    scene.carrier.behave(scene.number("agent-rings"), phone.answer(0.1))
    scene.carrier.behave(scene.number("customer-rings"), phone.no_answer())
    scene.carrier.behave(scene.number("callback-talks"), phone.answer(0.1))
    scene.lose(*CALLED_BACK)
    for state in CALLED_BACK:
        holder.wait("reserved", lambda told, state=state: told["number"] == e164(state))  # type: ignore[misc]
    for state in CALLED_BACK:
        scene.pause(state, paused=False)
    scene.agent("agent-rings").wait_call().wait_ringing()
    scene.carrier.wait_call(scene.number("customer-rings")).wait_ringing()
    scene.carrier.wait_call(scene.number("callback-talks")).wait_heard(AGENT_HZ)


def _bring_into_all_states(scene: Scene) -> tuple[Call, Call]:
    """Give the ring at an agent, and the ring at whom a call was handed on to."""
    scene.agent("rings-at-an-agent").script = phone.no_answer()
    scene.call("rings-at-an-agent")
    rings = scene.agent("rings-at-an-agent").wait_call().wait_ringing()
    scene.converse("talks")
    scene.converse("on-hold")[1].hold()
    scene.agent("transferred", 1).script = phone.no_answer()
    scene.converse("transferred")[1].transfer(f"540{STATES['transferred'] + 1}")
    handed_on = scene.agent("transferred", 1).wait_call().wait_ringing()
    for state in ("waits", "gives-up-meanwhile", "just-gone"):
        scene.call(state)
    time.sleep(WAITED_S)
    return rings, handed_on


def _go_on(scene: Scene, rings: Call, handed_on: Call) -> None:
    """Let everybody end what was begun."""
    scene.callers["waits"].hang_up()
    for ring in (rings, handed_on):
        ring.answer()
        ring.wait_heard(CUSTOMER_HZ)
    scene.agent("agent-rings").rings[-1].answer()
    scene.carrier.wait_call(scene.number("agent-rings")).wait_heard(AGENT_HZ)
    scene.carrier.rings_of(scene.number("customer-rings"))[0].answer()
    time.sleep(3.1)  # whole seconds of talk are counted, and two are enough
    for state in SERVED:
        scene.callers[state].hang_up()
    for state in CALLED_BACK:
        scene.carrier.rings_of(scene.number(state))[0].hang_up()


def _compare(scene: Scene, standby: Node, text: Node) -> None:
    """Hold the books against what the phones know."""
    deadline = time.monotonic() + 30
    while any(row.outcome is None for row in standby.rows(t.attempt)) or _texted(text) != set(map(e164, LOST)):
        assert time.monotonic() < deadline, (
            [(row.person_id, row.outcome) for row in standby.rows(t.attempt)],
            _texted(text),
            standby.said(),
        )
        time.sleep(0.1)
    calls = {row.call_id: row for row in standby.rows(t.call)}
    best: dict[str, Any] = {}
    for row in standby.rows(t.verdict):
        if row.call_id not in best or row.rank >= best[row.call_id].rank:
            best[row.call_id] = row
    kinds = {
        state: sorted(best[one].kind for one, row in calls.items() if row.person_id == person)
        for state, person in _persons(standby).items()
    }
    assert kinds == {state: ["served" if state in SERVED else "abandoned"] for state in STATES}
    wanted = Counter(dict.fromkeys((*LOST, *CALLED_BACK), 1))
    assert of_whom(standby, standby.rows(t.reservation), lambda row: row.person_id) == wanted
    attempts = standby.rows(t.attempt)
    assert of_whom(standby, attempts, lambda row: row.person_id) == Counter(dict.fromkeys(CALLED_BACK, 1))
    assert {row.outcome for row in attempts} == {"reached"}
    rings = {state: len(scene.carrier.rings_of(scene.number(state))) for state in STATES}
    assert rings == {state: int(state in CALLED_BACK) for state in STATES}
    sent = Counter(line.split(" to ")[1].split(":")[0] for line in text.said().splitlines() if "nobody's phone" in line)
    assert sent == Counter(dict.fromkeys(map(e164, LOST), 1))
    assert Counter(row.state for row in standby.rows(text_outbox))["sent"] == len(LOST)


def _persons(node: Node) -> dict[str, int]:
    numbers = {row.number: row.id for row in node.rows(t.person)}
    return {state: numbers.get(e164(state), 0) for state in STATES}


def _texted(text: Node) -> set[str]:
    return {line.split(" to ")[1].split(":")[0] for line in text.said().splitlines() if "nobody's phone" in line}
