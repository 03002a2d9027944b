"""What gateways report of texts: several times, in any order, early, late, and about texts that are not theirs."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.pool import StaticPool

from sms import outbox, reports
from sms.gateway import Progress, Receipt, Report
from sms.outbox import SECOND, Lapsed, Text
from sms.reports import Delivery, Taken
from tests.sms.database import NOW, Database, open_engine

_SID = "SM1"
_LATER = NOW + 5 * SECOND
_EVERY: tuple[Progress, ...] = ("accepted", "sent", "undelivered", "delivered")


def _claimed(database: Database, cause: str = "lost:1") -> Text:
    database.put(cause)
    with database.transaction() as conn:
        (text,) = outbox.claim(conn, NOW, 1, 60, "fake")
    return text


def _sent(database: Database, cause: str = "lost:1") -> Text:
    text = _claimed(database, cause)
    with database.transaction() as conn:
        assert outbox.settle_sent(conn, {text: Receipt(_SID)}, NOW)
    return text


def _take(database: Database, ref: str, report: Report, gateway: str = "fake", now: int = _LATER) -> Taken | None:
    with database.transaction() as conn:
        return reports.take(conn, ref, gateway, report, now)


def test_a_report_is_kept_with_its_reason_and_can_be_asked_for(database: Database) -> None:
    text = _sent(database)
    assert _take(database, text.ref, Report(_SID, "sent")) == Taken(text.id, text.recipient, news=True)
    failed = Report(_SID, "undelivered", "30003", "again")
    assert _take(database, text.ref, failed) == Taken(text.id, text.recipient, news=True, consequence="again")
    row = database.row("lost:1")
    assert (row["delivery"], row["delivery_code"], row["delivery_at"]) == ("undelivered", "30003", _LATER)
    with database.transaction() as conn:
        assert reports.delivery(conn, text.recipient) == Delivery("sent", "undelivered", "30003")
        assert reports.delivery(conn, "person:nobody") is None


@pytest.mark.parametrize("order", list(permutations(_EVERY)))
def test_in_whatever_order_they_come_nothing_goes_a_step_back(database: Database, order: tuple[Progress, ...]) -> None:
    text = _sent(database)
    furthest = -1
    for progress in [step for step in order for _ in range(2)]:  # and every one of them twice
        taken = _take(database, text.ref, Report(_SID, progress))
        assert taken is not None
        assert taken.news == (_EVERY.index(progress) > furthest)
        furthest = max(furthest, _EVERY.index(progress))
        assert database.row("lost:1")["delivery"] == _EVERY[furthest]


def test_the_same_report_again_changes_nothing(database: Database) -> None:
    text = _sent(database)
    report = Report(_SID, "undelivered", "30008", "again")
    assert _take(database, text.ref, report) is not None
    before = database.row("lost:1")
    assert _take(database, text.ref, report, now=_LATER + 1) == Taken(text.id, text.recipient, news=False)
    assert database.row("lost:1") == before


@pytest.mark.parametrize(
    ("ref", "gateway", "sid"),
    [
        ("999", "fake", _SID),
        ("-1", "fake", _SID),
        ("", "fake", _SID),
        ("1; --", "fake", _SID),
        ("٣", "fake", _SID),  # a digit, and none of ours
        ("9" * 400, "fake", _SID),
        ("{ref}", "another", _SID),
        ("{ref}", "fake", "SM2"),
    ],
)
def test_a_report_about_no_text_of_his_changes_nothing(database: Database, ref: str, gateway: str, sid: str) -> None:
    text = _sent(database)
    before = database.row("lost:1")
    assert _take(database, ref.format(ref=text.ref), Report(sid, "delivered"), gateway) is None
    assert database.row("lost:1") == before


def test_a_text_that_nobody_tried_to_send_is_not_reported_on(database: Database) -> None:
    database.put("lost:1")
    row = database.row("lost:1")
    assert _take(database, str(row["id"]), Report(_SID, "delivered")) is None
    assert database.row("lost:1") == row


def test_a_report_proves_that_a_text_was_accepted_whose_answer_was_lost(database: Database) -> None:
    text = _claimed(database)
    with database.transaction() as conn:
        assert outbox.settle_unknown(conn, text, "TimeoutError", NOW)
    assert _take(database, text.ref, Report(_SID, "sent")) is not None
    row = database.row("lost:1")
    assert (row["state"], row["gateway_ref"], row["sent_at"]) == ("sent", _SID, _LATER)


def test_a_report_may_come_before_the_answer(database: Database) -> None:
    text = _claimed(database)
    assert _take(database, text.ref, Report(_SID, "delivered")) is not None
    assert database.state("lost:1") == "sent"
    with database.transaction() as conn:
        assert outbox.lapse(conn, text.lease_until) == Lapsed(0, 0)
        assert outbox.settle_sent(conn, {text: Receipt(_SID)}, _LATER)
        assert not outbox.settle_unknown(conn, text, "TimeoutError", _LATER)
    row = database.row("lost:1")
    assert (row["state"], row["delivery"]) == ("sent", "delivered")


def test_what_was_believed_to_be_unsent_is_not_sent_again_once_it_is_reported(database: Database) -> None:
    text = _claimed(database)
    with database.transaction() as conn:
        assert outbox.settle_unsent(conn, text, "rate limit", NOW, (0,))
    assert _take(database, text.ref, Report(_SID, "sent")) is not None
    with database.transaction() as conn:
        assert outbox.claim(conn, _LATER, 9, 60, "fake") == []


def test_what_was_erased_is_not_named_again(database: Database) -> None:
    text = _sent(database)
    with database.transaction() as conn:
        outbox.forget(conn, "person:1", [text.recipient], "erased", NOW)
    assert _take(database, text.ref, Report(_SID, "delivered")) is None
    assert database.row("lost:1")["gateway_ref"] is None


def test_what_was_erased_on_its_way_is_not_named_when_it_has_left(database: Database) -> None:
    text = _claimed(database)
    with database.transaction() as conn:
        outbox.forget(conn, "person:1", [text.recipient], "erased", NOW)
        assert outbox.settle_sent(conn, {text: Receipt(_SID)}, NOW)
    row = database.row("lost:1")
    assert (row["state"], row["gateway_ref"]) == ("sent", None)


def test_what_arrived_after_all_is_not_sent_once_more(database: Database) -> None:
    text = _sent(database)
    assert _take(database, text.ref, Report(_SID, "undelivered", "30008", "again")) is not None
    with database.transaction() as conn:
        assert reports.send_again(conn, text.id, NOW + 900 * SECOND, NOW)
    assert _take(database, text.ref, Report(_SID, "delivered")) is not None
    assert database.state("lost:1/again") == "withdrawn"


def test_a_text_is_sent_once_more_and_then_no_more(database: Database) -> None:
    text = _sent(database)
    again_at = NOW + 900 * SECOND
    with database.transaction() as conn:
        assert reports.send_again(conn, text.id, again_at, _LATER)
        assert not reports.send_again(conn, text.id, again_at, _LATER)
    first, second = database.row("lost:1"), database.row("lost:1/again")
    assert (second["state"], second["not_before_at"], second["expires_at"]) == (
        "waiting",
        again_at,
        first["expires_at"],
    )
    same = ("recipient", "body", "template", "language", "line", "person", "prefix", "pbx")
    assert [second[name] for name in same] == [first[name] for name in same]
    with database.transaction() as conn:
        assert not reports.send_again(conn, second["id"], again_at + 1, _LATER)


def test_a_text_is_not_sent_again_when_it_would_be_too_late(database: Database) -> None:
    text = _sent(database)
    expires_at = database.row("lost:1")["expires_at"]
    with database.transaction() as conn:
        assert not reports.send_again(conn, text.id, expires_at, _LATER)
    assert set(database.states()) == {"lost:1"}


def test_whoever_withdraws_a_text_withdraws_its_repetition(database: Database) -> None:
    text = _sent(database)
    with database.transaction() as conn:
        reports.send_again(conn, text.id, NOW + SECOND, _LATER)
        assert outbox.withdraw(conn, "lost:1", "he called again", _LATER)
    assert database.states() == {"lost:1": "sent", "lost:1/again": "withdrawn"}


_REPORTS = st.builds(Report, st.just(_SID) | st.just("SM2"), st.sampled_from(_EVERY))


@given(
    before=st.sampled_from(["sending", "sent", "unknown", "unsent"]),
    told=st.lists(_REPORTS, max_size=8),
)
def test_reports_only_ever_lead_forward_and_to_one_message(before: str, told: list[Report]) -> None:
    engine = open_engine("sqlite://", poolclass=StaticPool)
    database = Database(engine)
    text = _claimed(database)
    with database.transaction() as conn:
        if before == "sent":
            outbox.settle_sent(conn, {text: Receipt(_SID)}, NOW)
        elif before == "unknown":
            outbox.settle_unknown(conn, text, "time-out", NOW)
        elif before == "unsent":
            outbox.settle_unsent(conn, text, "rate limit", NOW)
    theirs = _SID if before == "sent" else next((report.gateway_ref for report in told), None)
    for report in told:
        assert (_take(database, text.ref, report) is None) == (report.gateway_ref != theirs)
    row = database.row("lost:1")
    of_theirs = [_EVERY.index(report.progress) for report in told if report.gateway_ref == theirs]
    assert row["delivery"] == (_EVERY[max(of_theirs)] if of_theirs else None)
    assert (row["state"] == "sent") == (before == "sent" or bool(told))
    engine.dispose()
