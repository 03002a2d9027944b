"""What must hold after every step, whatever happened before: asked of the rows, and of what was true outside."""

from __future__ import annotations

from collections import Counter
from typing import Any

from callback.reservations.deadlines import LEAST_US
from callback.store import audit
from tests.callback.centre import Centre

FREE_OF_CHARGE = {"trunk-failure", "agent-no-answer", "agent-cancelled", "refused-late"}
OPEN = {"waiting", "held", "calling"}
OF_THE_EVENING, OF_THE_CUSTOMER = "carried-over", "slot"
LEFT = {"returned", "cancelled"}  # closed although an attempt may still be under way


class MustHold:
    """Remembers what must never change again."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._seen: dict[Any, Any] = {}
        self._deadlines: dict[int, int] = {}

    def look(self) -> None:
        """Assert all of it."""
        centre = self._centre
        centre.note_who_was_reached()
        rows = centre.everything()
        reservations = {row.id: row for row in rows["reservation"]}
        numbers = {row.id: row.number for row in rows["person"]}
        self._nobody_is_rung_when_he_must_not_be()
        self._reservations_are_sound(reservations, numbers)
        self._promises_stay_as_they_were(reservations, rows["promise"])
        self._attempts_end_once(reservations, rows["attempt"])
        self._nobody_is_given_up_before_the_time_that_was_told(reservations, rows["text_outbox"])
        self._what_a_person_decided_stands(reservations, rows["attempt"])
        self._nothing_is_owed_to_whom_was_answered(reservations, rows["attempt"], numbers)
        self._texts_are_owed(reservations, rows["text_outbox"])
        with centre.store.read() as connection:
            assert audit.broken_at(connection) is None

    def _nobody_is_rung_when_he_must_not_be(self) -> None:
        over: dict[str, int] = {}
        rings = self._centre.switch.rings
        for ring in sorted(rings, key=lambda ring: ring.began_at):
            whom = ring.order.agent_sees
            if self._seen.get(("ring", ring.order.attempt)) != ring.ended_at:
                hours = self._centre.hours_of(whom)
                assert not hours.quiet(ring.began_at), "rung in quiet hours"
                cut = hours.ring_until(ring.began_at)
                assert cut is None or ring.ended_at < cut, "rung into quiet hours"
                self._seen["ring", ring.order.attempt] = ring.ended_at
            assert over.get(whom, 0) <= ring.began_at, "two rings at a time"
            over[whom] = ring.ended_at
        assert max(Counter(ring.order.attempt for ring in rings).values(), default=0) <= 1

    def _reservations_are_sound(self, reservations: dict[int, Any], numbers: dict[int, str]) -> None:
        still_open = Counter((row.person_id, row.queue) for row in reservations.values() if row.open)
        assert max(still_open.values(), default=0) <= 1
        for row in reservations.values():
            assert row.open == (row.state in OPEN)
            assert not row.open or numbers[row.person_id].startswith("+"), "owed to nobody"
            if not row.open:
                self._never_changes(("closed", row.id), (row.state, row.state_since_at, row.tries))

    def _promises_stay_as_they_were(self, reservations: dict[int, Any], promises: list[Any]) -> None:
        in_force: dict[int, Any] = {}
        for promise in sorted(promises, key=lambda promise: promise.number):
            self._never_changes(("promise", promise.reservation_id, promise.number), tuple(promise))
            in_force[promise.reservation_id] = promise
        for row in reservations.values():
            promise = in_force[row.id]
            times = (promise.clock_starts_at, promise.aim_at, promise.deadline_at)
            assert (row.clock_starts_at, row.aim_at, row.deadline_at) == times, "a promise that stands nowhere"
            before = self._deadlines.get(row.id, row.deadline_at)
            broken = promise.made_at >= before  # lost again after that
            if row.deadline_at > before and not broken:
                assert promise.reason in {OF_THE_EVENING, OF_THE_CUSTOMER}
                carried = promise.clock_starts_at > promise.made_at
                assert carried or promise.reason == OF_THE_CUSTOMER, "put off although a phone might ring"
            self._deadlines[row.id] = row.deadline_at

    def _nobody_is_given_up_before_the_time_that_was_told(self, reservations: dict[int, Any], texts: list[Any]) -> None:
        told = {int(row.cause.split("/")[1]): int(row.cause.split("/")[2]) for row in texts if "overdue/" in row.cause}
        for row in reservations.values():
            if row.state == "expired":
                in_force = max(row.deadline_at, row.overdue_by_at or 0)
                assert row.state_since_at >= in_force, "given up before the time in force"
                sooner = row.id in self._centre.chosen
                assert sooner or row.state_since_at >= told.get(row.id, 0), "given up before a time that was told"

    def _what_a_person_decided_stands(self, reservations: dict[int, Any], attempts: list[Any]) -> None:
        """No tick and no outcome undoes it; the customer may, and another decision."""
        for decided in self._centre.decided.values():
            row = reservations[decided.reservation]
            if decided.what in {"resume", "call-now"}:
                little = row.state_since_at - decided.at < LEAST_US
                assert row.state != "expired" or not little, "given up at once"
            if decided.what == "hold":
                assert row.state not in {"waiting", "calling", "expired"}, "let go by nobody"
            if decided.what == "postpone" and row.losses == decided.losses:
                since = [one for one in attempts if one.reservation_id == row.id and one.id not in decided.attempts]
                assert min((one.claimed_at for one in since), default=decided.due_at) >= decided.due_at, "too soon"

    def _attempts_end_once(self, reservations: dict[int, Any], attempts: list[Any]) -> None:
        flying = [row for row in attempts if row.in_flight]
        assert len({row.person_id for row in flying}) == len(flying)
        counted: Counter[int] = Counter()
        for row in attempts:
            if not row.in_flight:
                self._never_changes(("ended", row.id), (row.outcome, row.ended_at, row.evidence, row.counted))
                assert row.counted == (row.outcome not in FREE_OF_CHARGE)
                counted[row.reservation_id] += row.counted
        for reservation in reservations.values():
            flies = reservation.id in {row.reservation_id for row in flying}
            assert flies == (reservation.state == "calling") or reservation.state in LEFT
            assert reservation.tries == counted[reservation.id] or reservation.state in LEFT

    def _nothing_is_owed_to_whom_was_answered(
        self, reservations: dict[int, Any], attempts: list[Any], numbers: dict[int, str]
    ) -> None:
        """Once the service knows that he was spoken to, be it by his own call or by ours."""
        known = {row.id for row in attempts if row.outcome == "reached"} | {""}
        answered = [one for one in self._centre.answered if one.attempt in known]
        for row in reservations.values():
            whose = (numbers[row.person_id], row.queue_group)
            answers = [one.at for one in answered if (one.number, one.group) == whose]
            assert not row.open or row.last_lost_at >= max(answers, default=0), "still owed"

    def _texts_are_owed(self, reservations: dict[int, Any], texts: list[Any]) -> None:
        for row in texts:
            word, number, *_ = row.cause.split("/")
            if row.state == "waiting":
                self._is_owed(word, reservations[int(number)].state)
        assert max(self._centre.sent.values(), default=0) <= 1
        assert self._centre.texted_on_the_line == []

    @staticmethod
    def _is_owed(word: str, state: str) -> None:
        closed = {"given-up": "given-up", "returned": "returned", "ask": "reached"}
        assert state == closed[word] if word in closed else state in OPEN, f"text '{word}', though {state}"

    def _never_changes(self, key: Any, value: Any) -> None:
        assert self._seen.setdefault(key, value) == value
