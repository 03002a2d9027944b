"""Whatever happens, in whatever order: what is rolled up is what there is to count.

Hypothesis draws losses, better verdicts, corrections, callers who come back, callbacks and their ends, decisions and
their undo, texts and what gateways say of them, scores, imported calls, time, and the turns of the service between.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event

from callback.decisions import batch, corrections, handled, pending, replies, undoing
from callback.decisions.corrections import Correction
from callback.decisions.records import Action, Asked
from callback.errors import CallbackError
from callback.losses import incidents
from callback.reservations import deadlines
from callback.reservations.reservation import read_one
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from sms import reports as sms_reports
from sms.gateway import Progress, Report
from sms.outbox import text_outbox
from telephony.calls.call import Call, Kind
from tests.callback.decisions.deciding import send_texts
from tests.callback.reports.rollups.rolling import must_be_rolled_up, ring, roll_up
from tests.callback.world import MINUTE, NOON, US, World, call, emptied, kept, picture, rules

PEOPLE: Final = [f"0901234560{n}" for n in range(1, 5)]
QUEUES: Final = ("support", "sales")
ACTS: Final[tuple[Action, ...]] = (
    "hold",
    "resume",
    "call-now",
    "slot",
    "postpone",
    "cancel",
    "done-elsewhere",
    "not-lost",
)
ANNA: Final = By("anna", "she asked")
FREE: Final = picture(free={"support": {"a", "b"}, "sales": {"a"}})
which = st.integers(0, 9)


class Centre(RuleBasedStateMachine):
    """A site at which anything may happen, and the service that rolls it up now and then."""

    store: ClassVar[Store]
    world: World

    @initialize(short_s=st.sampled_from([0, 10]), at_each_step=st.booleans())
    def begin(self, short_s: int, at_each_step: bool) -> None:
        self.at_each_step = at_each_step
        emptied(self.store)
        self.world = World(self.store.url, rules(short_abandon_s=short_s))
        self.now, self.heard, self.batches = NOON, list[tuple[Call, Kind]](), list[int]()

    @rule(seconds=st.sampled_from([1, 20, 300, 1800, 3600, 5 * 3600, 20 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * US

    @rule(number=st.sampled_from([*PEOPLE, None, "5"]), kind=st.sampled_from(["abandoned", "blocked", "requested"]),
          queue=st.sampled_from(QUEUES), waited_s=st.sampled_from([2, 40]), unsure=st.booleans())  # fmt: skip
    def a_customer_is_lost(self, number: str | None, kind: Kind, queue: str, waited_s: float, unsure: bool) -> None:
        self._hears(call(number, self.now, waited_s, queue), kind, "live-partial" if unsure else "live-complete")

    @rule(number=st.sampled_from(PEOPLE), queue=st.sampled_from(QUEUES))
    def a_customer_is_served(self, number: str, queue: str) -> None:
        self._hears(call(number, self.now, 1, queue, talked_s=1), "served", "live-complete")

    @rule(n=which, kind=st.sampled_from(["served", "abandoned", "blocked"]))
    def a_better_verdict_comes(self, n: int, kind: Kind) -> None:
        if self.heard:
            self.world.hear(self.heard[n % len(self.heard)][0], kind, self.now, "live-complete")

    @rule(n=which, to=st.sampled_from([("served", None), ("abandoned", None), ("blocked", "queue-full")]))
    def a_person_corrects(self, n: int, to: tuple[str, str | None]) -> None:
        if self.heard:
            wanted = Correction(self.heard[n % len(self.heard)][0].call_id, *to, None)
            self._tries(lambda work: corrections.correct(work, wanted, ANNA, earlier=True))

    @rule(outcome=st.sampled_from(["busy", "reached", "agent-no-answer", ""]), talked_s=st.sampled_from([5, 90]))
    def a_callback_is_made(self, outcome: str, talked_s: int) -> None:
        for order in self.world.claims(self.now, FREE, 1):
            ring(self.world, order.attempt, outcome, self.now)
            self.now += talked_s * US
            if outcome:
                self.world.end(order.attempt, outcome, self.now)

    @rule()
    def the_service_tends(self) -> None:
        with self.store.write() as connection:
            work = self.world.work(connection, self.now)
            incidents.tend(work)
            deadlines.check(work)
            pending.settle(work)

    @rule(action=st.sampled_from(ACTS), n=which)
    def somebody_decides(self, action: Action, n: int) -> None:
        if not (rows := self.world.reservations()):
            return
        row, then = rows[n % len(rows)], self.now + 45 * MINUTE
        asked = [Asked(row.id, row.revision)]
        done = self._tries(lambda work: batch.decide(work, action, asked, ANNA, at=then, to="dora"))
        if done is not None and done.id is not None:
            self.batches.append(done.id)

    @rule()
    def it_is_undone(self) -> None:
        if self.batches:
            self._tries(lambda work: undoing.undo(work, self.batches.pop(), ANNA))

    @rule(n=which)
    def one_left_to_people_is_dealt_with(self, n: int) -> None:
        left = [row for row in self.world.reservations() if row.state == "expired"]
        if left:
            row = left[n % len(left)]
            asked = [Asked(row.id, row.revision)]
            self._tries(lambda work: handled.handle(work, asked, ANNA))

    @rule(n=which, progress=st.sampled_from(["sent", "undelivered", "delivered"]))
    def texts_go_out(self, n: int, progress: Progress) -> None:
        send_texts(self.world, self.now)
        texts = [row for row in self.world.rows(text_outbox) if row.state == "sent"]
        if texts:
            text = texts[n % len(texts)]
            report = Report(text.gateway_ref, progress)
            with self.store.write() as connection:
                sms_reports.take(connection, str(text.id), text.gateway, report, self.now)

    @rule(n=which, number=st.integers(1, 5))
    def a_customer_says_how_it_was(self, n: int, number: int) -> None:
        reached = [row.id for row in self.world.reservations() if row.state == "reached"]
        if reached:
            self._tries(lambda work: self._scores(work, reached[n % len(reached)], number))

    @rule(days=st.integers(0, 3), kind=st.sampled_from(["served", "abandoned"]), heard=st.booleans())
    def past_calls_are_imported(self, days: int, kind: Kind, heard: bool) -> None:
        """Among them calls that the service has heard itself."""
        began_at = self.now - days * 24 * 60 * MINUTE
        name = self.heard[0][0].call_id if heard and self.heard else f"{began_at}.9"
        row = {"pbx": "main", "call_id": name, "queue": "support", "caller": 1, "kind": kind, "waited_us": 1}
        with self.store.write() as connection, suppress(Exception):
            connection.execute(t.past_call.insert().values(**row, began_at=began_at, over_at=began_at, talked_us=1))

    @rule(lost=st.booleans())
    def the_figures_are_rolled_up(self, lost: bool) -> None:
        """Somebody may be lost between what is read and what is kept."""
        earlier = call(PEOPLE[0], self.now - 40 * MINUTE)
        roll_up(self.world, self.now, (lambda: self._hears(earlier, "abandoned", "log")) if lost else lambda: None)
        must_be_rolled_up(self.world, self.now)

    @invariant()
    def it_is_rolled_up_at_each_step(self) -> None:
        """So that what one step leaves unmarked, the next does not mark for it."""
        if hasattr(self, "world") and self.at_each_step:
            self.the_figures_are_rolled_up(lost=False)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.the_figures_are_rolled_up(lost=False)

    def _scores(self, work: Work, reservation: int, number: int) -> bool:
        row = read_one(work.connection, reservation)
        return row is not None and replies.score(work, row, number)

    def _hears(self, heard: Call, kind: Kind, source: Any) -> None:
        self.world.hear(heard, kind, self.now, source)
        self.heard.append((heard, kind))

    def _tries(self, do: Any) -> Any:
        """What it gives; None where it may not be done."""

        def works(connection: Any) -> Any:
            work: Work = self.world.work(connection, self.now)
            return do(work)

        try:
            with self.store.write() as connection:
                return works(connection)
        except CallbackError:
            return None


def test_what_is_rolled_up_is_what_there_is_to_count(tmp_path: Path) -> None:
    store = kept(f"sqlite:///{tmp_path / 'test.db'}")
    event.listen(store.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
    store.engine.dispose()
    Centre.store = store
    some = settings(max_examples=settings().max_examples // 2, stateful_step_count=30,
                    phases=(Phase.reuse, Phase.generate))  # fmt: skip
    run_state_machine_as_test(Centre, settings=some)
    store.close()
