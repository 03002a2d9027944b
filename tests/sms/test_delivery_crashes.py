"""At most one text is accepted for a cause, wherever a process dies: between any two of its statements."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event

from sms import outbox
from sms.delivery import deliver
from sms.outbox import LEASE_S, SECOND
from tests.sms.database import NOW, Database, open_engine
from tests.sms.gateways import FakeGateway, book, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_PAST_THE_LEASE = round((LEASE_S + 1) * SECOND)


class Crash(BaseException):
    """The process dies here: nobody catches this, and what was not committed is gone."""


class Fuse:
    """Counts the points that a process passes, and kills it at one of them."""

    def __init__(self) -> None:
        self.crash_after: int | None = None

    def at(self, point: str) -> None:
        if self.crash_after == 0:
            self.crash_after = None
            raise Crash(point)
        if self.crash_after is not None:
            self.crash_after -= 1


class Mortal:
    """A database, a clock and a gateway between which a process may die at any point."""

    def __init__(self, folder: Path) -> None:
        self.fuse = Fuse()
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'outbox.db'}")
        self.database = Database(self.engine)
        self.clock = NOW
        self.behaviours: list[str] = []  # of the texts to come; then all are accepted
        self.gateway = FakeGateway(self._behave, self.fuse.at)
        event.listen(self.engine, "before_cursor_execute", self._before_statement)

    def deliver(self, crash_after: int | None = None) -> bool:
        """Say whether the process lived."""
        self.fuse.crash_after = crash_after
        try:
            addresses = book(self._address)
            finished(deliver(self._transaction, self.gateway, addresses, lambda: self.clock, limit=3))
        except Crash:
            return False
        finally:
            self.fuse.crash_after = None
        return True

    def _before_statement(self, _conn: Connection, _cursor: object, statement: str, *_others: object) -> None:
        if not statement.startswith("BEGIN"):  # before that one is before the transaction
            self.fuse.at(statement)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        self.fuse.at("before the transaction")
        with self.engine.begin() as conn:
            yield conn
            self.fuse.at("before the commit")
        self.fuse.at("after the commit")

    def _address(self, recipient: str) -> str:
        self.fuse.at("while the number is looked up")
        return f"+44{recipient.removeprefix('person:')}"

    def _behave(self, _ref: str) -> str:
        behaviour = self.behaviours.pop() if self.behaviours else "accept"
        if behaviour != "slow":
            return behaviour
        # The gateway takes longer than the lease, and another process looks after the outbox meanwhile.
        ours, self.fuse.crash_after = self.fuse.crash_after, None
        self.clock += _PAST_THE_LEASE
        with ThreadPoolExecutor(1) as another:  # an event loop of its own
            another.submit(self.deliver).result()
        self.fuse.crash_after = ours
        return "accept"


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    mortal = Mortal(tmp_path)
    yield mortal
    mortal.engine.dispose()


@pytest.mark.parametrize("behaviour", ["accept", "slow", "unsent", "refuse", "lost-before", "lost-after"])
def test_wherever_it_dies_a_text_is_accepted_once_at_most(mortal: Mortal, behaviour: str) -> None:
    ends: list[tuple[str, int]] = []
    while True:
        cause = f"lost:{len(ends)}"
        mortal.database.put(cause, expires_at=mortal.clock + 10 * _PAST_THE_LEASE, not_before_at=mortal.clock)
        mortal.behaviours = [behaviour]
        lived = mortal.deliver(crash_after=len(ends))
        for _ in range(3):  # others go on, for as long as it takes
            mortal.behaviours = []
            mortal.clock += _PAST_THE_LEASE
            mortal.deliver()
        ends.append((mortal.database.state(cause), mortal.gateway.accepted[cause]))
        if lived:
            break
    assert len(ends) > 15  # so many points were there to die at
    assert ends[0] == ("sent", 1)  # who dies before the claim has lost nothing
    usual = {"refuse": ("failed", 0), "lost-before": ("unknown", 0), "lost-after": ("unknown", 1)}
    assert ends[-1] == usual.get(behaviour, ("sent", 1))
    assert set(ends) <= {("sent", 1), ("unknown", 0), ("unknown", 1), usual.get(behaviour)}
    assert ("unknown", 0) in ends  # who dies between claim and receipt may have lost it, and it says so


_CAUSES = st.sampled_from(["1", "2", "3", "4"])
_BEHAVIOURS = st.lists(
    st.sampled_from(["accept", "refuse", "unsent", "lost-before", "lost-after", "slow"]),
    min_size=1,
    max_size=3,
)
# What may become of a state; everything else is final.
_AFTER = {
    "waiting": {"waiting", "sending", "sent", "failed", "unknown", "withdrawn", "expired"},
    "sending": {"waiting", "sending", "sent", "failed", "unknown", "withdrawn", "expired"},
    "unknown": {"unknown", "sent", "failed"},
}


class Outbox(RuleBasedStateMachine):
    """Anything may happen in any order, and any process may die of it."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.mortal = Mortal(Path(self.folder.name))
        self.before: dict[str, str] = {}
        self.fresh = 0

    @rule(cause=_CAUSES, delay_s=st.sampled_from([0, 20]), use_s=st.sampled_from([30, 3600]))
    def put(self, cause: str, delay_s: int, use_s: int) -> None:
        due = self.mortal.clock + delay_s * SECOND
        written = self.mortal.database.put(cause, not_before_at=due, expires_at=due + use_s * SECOND)
        assert written == (cause not in self.before)

    @rule(cause=_CAUSES)
    def withdraw(self, cause: str) -> None:
        with self.mortal.engine.begin() as conn:
            withdrawn = outbox.withdraw(conn, cause, "called again", self.mortal.clock)
        assert withdrawn == (self.before.get(cause) == "waiting")

    @rule(
        fresh=st.integers(0, 3),
        wait_s=st.sampled_from([0, 40, 130, 700]),
        behaviours=_BEHAVIOURS,
        crash_after=st.none() | st.integers(0, 40),
    )
    def deliver(self, fresh: int, wait_s: int, behaviours: list[str], crash_after: int | None) -> None:
        for _ in range(fresh):
            self.fresh += 1
            self.mortal.database.put(f"fresh:{self.fresh}", not_before_at=NOW, expires_at=self.mortal.clock * 2)
        self.mortal.clock += wait_s * SECOND
        self.mortal.behaviours = behaviours
        self.mortal.deliver(crash_after)

    @invariant()
    def no_text_is_accepted_twice_and_every_row_tells_the_truth(self) -> None:
        states = self.mortal.database.states()
        for cause, state in states.items():
            accepted = self.mortal.gateway.accepted[cause]
            truth = {"sent": {1}, "sending": {0, 1}, "unknown": {0, 1}}.get(state, {0})
            assert accepted in truth, f"{cause} is {state} and was accepted {accepted} times"
            before = self.before.get(cause, "waiting")
            assert state in _AFTER.get(before, {before}), f"{cause} was {before} and is {state}"
        assert self.before.keys() <= states.keys()
        self.before = states

    def teardown(self) -> None:
        if hasattr(self, "mortal"):
            self.mortal.engine.dispose()
            self.folder.cleanup()


Outbox.TestCase.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
TestOutbox = Outbox.TestCase
