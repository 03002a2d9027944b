"""What must hold after every step, whatever happened before: asked of the rows, and of what was true outside."""

from __future__ import annotations

from collections import Counter
from typing import Any

from callback.reservations import deadlines
from callback.reservations.deadlines import LEAST_US
from callback.reservations.reservation import read_one
from callback.site import links
from callback.store import audit
from callback.texts.compose import clock_time
from callback.web import customer_page
from scheduler.promise import APOLOGY, TRIED_SOONER, Facts, not_before
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
        self._rows: dict[int, Any] = {}

    def look(self) -> None:
        """Assert all of it."""
        centre = self._centre
        centre.note_who_was_reached()
        rows = centre.everything()
        reservations = {row.id: row for row in rows["reservation"]}
        numbers = {row.id: row.number for row in rows["person"]}
        self._nobody_is_rung_when_he_must_not_be()
        self._reservations_are_sound(reservations, numbers)
        self._every_change_raises_the_revision(reservations)
        promises = _by_reservation(rows["promise"])
        self._promises_stay_as_they_were(reservations, promises)
        self._the_columns_say_what_stands(reservations, promises)
        self._attempts_end_once(reservations, rows["attempt"])
        self._nobody_is_given_up_before_the_time_that_was_told(reservations, promises)
        self._what_is_said_is_what_is_enforced(reservations, promises, rows["text_outbox"])
        self._what_a_person_decided_stands(reservations, rows["attempt"])
        self._nothing_is_owed_to_whom_was_answered(reservations, rows["attempt"], numbers)
        self._texts_are_owed(reservations, rows["text_outbox"])
        self._a_persons_verdict_stands(rows["verdict"])
        self._losses_are_counted(reservations, rows["loss"])
        with centre.store.read() as connection:
            assert audit.broken_at(connection) is None

    @staticmethod
    def _a_persons_verdict_stands(verdicts: list[Any]) -> None:
        """Whatever is heard afterwards: only a person corrects a person."""
        newest: dict[str, Any] = {}
        for row in sorted(verdicts, key=lambda row: row.version):
            before = newest.get(row.call_id)
            assert before is None or before.source != "person" or row.source == "person", "a person's word was replaced"
            newest[row.call_id] = row

    @staticmethod
    def _losses_are_counted(reservations: dict[int, Any], losses: list[Any]) -> None:
        counted = Counter(row.reservation_id for row in losses)
        for row in reservations.values():
            assert not row.open or row.losses == counted[row.id], "other losses than it counts"

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

    def _every_change_raises_the_revision(self, reservations: dict[int, Any]) -> None:
        """Whoever saw a row decides about what stands still if its revision does; nothing else is a change."""
        for row in reservations.values():
            before = self._rows.setdefault(row.id, row)
            assert row == before or row.revision > before.revision, "changed behind the back of who looks"
            self._rows[row.id] = row

    def _promises_stay_as_they_were(self, reservations: dict[int, Any], promises: dict[int, list[Any]]) -> None:
        for promise in (promise for ones in promises.values() for promise in ones):
            self._never_changes(("promise", promise.reservation_id, promise.number), tuple(promise))
        for row in reservations.values():
            said = promises[row.id][: row.promise_number]
            promise = next(one for one in reversed(said) if one.reason not in {APOLOGY, TRIED_SOONER})
            before = self._deadlines.get(row.id, row.deadline_at)
            broken = promise.made_at >= before  # lost again after that
            if row.deadline_at > before and not broken:
                assert promise.reason in {OF_THE_EVENING, OF_THE_CUSTOMER}
                carried = promise.clock_starts_at > promise.made_at
                assert carried or promise.reason == OF_THE_CUSTOMER, "put off although a phone might ring"
            self._deadlines[row.id] = row.deadline_at

    def _the_columns_say_what_stands(self, reservations: dict[int, Any], promises: dict[int, list[Any]]) -> None:
        """Whatever was written, in whatever order: the promise in force, the apology that holds, and what follows."""
        for row in reservations.values():
            made = promises[row.id]
            assert [promise.number for promise in made] == [*range(1, len(made) + 1)]
            in_force = next(promise for promise in reversed(made) if promise.reason != APOLOGY)
            assert row.promise_number == in_force.number
            times = (in_force.clock_starts_at, in_force.aim_at, in_force.deadline_at)
            assert (row.clock_starts_at, row.aim_at, row.deadline_at) == times, "a promise that stands nowhere"
            if row.overdue_by_at is not None:
                assert (made[-1].reason, made[-1].deadline_at) == (APOLOGY, row.overdue_by_at), "told by nobody"
            facts = Facts(row.clock_starts_at, row.put_off_until_at, row.retry_at, row.quiet_until_at)
            assert row.not_before_at == row.due_at == not_before(facts)

    def _nobody_is_given_up_before_the_time_that_was_told(
        self, reservations: dict[int, Any], promises: dict[int, list[Any]]
    ) -> None:
        """What was told last, be it a promise or an apology; also where somebody decided otherwise since."""
        for row in reservations.values():
            if row.state == "expired":
                assert row.state_since_at >= promises[row.id][-1].deadline_at, "given up before a time that was told"
                assert row.state_since_at >= (row.put_off_until_at or 0), "given up before a time that a person said"

    def _what_is_said_is_what_is_enforced(
        self, reservations: dict[int, Any], promises: dict[int, list[Any]], texts: list[Any]
    ) -> None:
        """On the page, and in texts; until then a tick leaves the customer alone, and then it does not."""
        for row in texts:
            word, number, *at = row.cause.split("/")
            if word == "overdue" and row.state == "waiting":
                stands = reservations[int(number)]
                told = stands.overdue_by_at or stands.deadline_at
                assert int(at[0]) >= told or int(at[0]) <= self._centre.clock, "a text will say too early a time"
            if word in {"overdue", "slot"}:
                said = {one.deadline_at if word == "overdue" else one.clock_starts_at for one in promises[int(number)]}
                assert int(at[0]) in said, "a text says what nobody promised"
        centre = self._centre
        with centre.store.read() as connection:
            for row in (row for row in reservations.values() if row.state == "waiting"):
                stands = read_one(connection, row.id)
                assert stands is not None
                told = stands.told_by_at
                for at, looked_after in ((told - 1, False), (told, True)):
                    passed = {one.id for one in deadlines.passed(connection, "main", at)}
                    assert (row.id in passed) == looked_after, "enforced is another time than the one that stands"
                if told > centre.now:
                    token = links.token(connection, row.id, told)
                    page = customer_page.show(centre.work(connection, centre.now), token)
                    chosen = row.slot_at if (row.slot_at or 0) > centre.now else told
                    assert clock_time(chosen, centre.now, centre.site) in page.html.split("<h2>")[0], "the page"

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
                until_at = decided.not_before_at
                assert min((one.claimed_at for one in since), default=until_at) >= until_at, "too soon"
            if row.state == "given-up" and row.id not in self._with_an_invalid_number(attempts):
                assert row.state_since_at >= (row.slot_at or 0), "given up before the chosen time"
            if row.losses == decided.losses:
                assert row.put_off_until_at == decided.put_off_until_at, "put off by nobody, or no more"
                tried = any(
                    one.reservation_id == row.id and one.counted and one.claimed_at >= (decided.slot_at or 0)
                    for one in attempts
                )
                assert row.slot_at == decided.slot_at or (row.slot_at is None and tried), "chosen by nobody, or no more"

    @staticmethod
    def _with_an_invalid_number(attempts: list[Any]) -> set[int]:
        return {one.reservation_id for one in attempts if one.outcome == "invalid-number"}

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


def _by_reservation(promises: list[Any]) -> dict[int, list[Any]]:
    """The promises of each, in the order made."""
    found: dict[int, list[Any]] = {}
    for promise in sorted(promises, key=lambda promise: promise.number):
        found.setdefault(promise.reservation_id, []).append(promise)
    return found
