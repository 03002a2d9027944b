"""The accounting of `make faults`: whatever is lost, dialled twice or texted twice is counted, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.faults.accounting import Account, account
from lab.faults.records import SECOND, Booked, Books, CallIn, Ring, Seen, Terms, Text, Tried

WHO = "+819012345678"
T0 = 1_700_000_000 * SECOND


def at(seconds: float) -> int:
    return T0 + round(seconds * SECOND)


def call(began: float, ended: float, course: str = "gave-up", waited_s: float = 3.0) -> CallIn:
    return CallIn(WHO, at(began), at(ended), course, waited_s)  # type: ignore[arg-type]


def ring(began: float, ended: float, heard_s: float = 0.0, **more: object) -> Ring:
    facts = {"answered": heard_s > 0, "code": 200 if heard_s > 0 else None, **more}
    return Ring(WHO, at(began), at(ended), heard_s=heard_s, **facts)  # type: ignore[arg-type]


def text(when: float, ref: str = "1", body: str = "we call by 9:30") -> Text:
    return Text(WHO, at(when), ref, body)


def attempt(claimed: float, until: float = 0) -> Tried:
    return Tried(WHO, at(claimed), at(until or claimed + 10))


LOST = call(0, 4)
RESERVED = Booked(WHO, "a", at(0.2), "abandoned", "reserved", 1, "reached")
REACHED = ring(10, 15, 4.0)
GOOD = Seen((LOST,), (REACHED,), (text(6),))
GOOD_BOOKS = Books((RESERVED,), (attempt(9),), {"1": "lost"})


def found(seen: Seen, books: Books = GOOD_BOOKS) -> Account:
    return account(seen, books, Terms())


def faults(seen: Seen, books: Books = GOOD_BOOKS) -> list[tuple[str, str]]:
    return [(one.fault, one.why.partition(":")[0]) for one in found(seen, books).wrong]


def test_who_was_lost_texted_and_called_back_is_in_order() -> None:
    assert faults(GOOD) == []
    assert found(GOOD).reasons == {"reserved: reached": 1}


@pytest.mark.parametrize("course", ["gave-up", "turned-away", "cut"])
def test_a_loss_that_nobody_wrote_down_is_counted(course: str) -> None:
    assert faults(Seen((call(0, 4, course),)), Books()) == [("lost", f"{course} after 3.0 s")]


@pytest.mark.parametrize(
    "row",
    [
        replace(RESERVED, recovery="none", reservation=None, kind="served"),  # the books say what the phone denies
        replace(RESERVED, recovery="none", reservation=None, kind="unknown"),
        replace(RESERVED, recovery="short-abandon", reservation=None),  # who waited for three seconds
        replace(RESERVED, recovery="answered-since", reservation=None),  # by nobody that the phone knows
        replace(RESERVED, state="withdrawn"),
        replace(RESERVED, state="returned"),
        replace(RESERVED, started_at=at(60)),  # another call
    ],
)
def test_a_reason_that_the_phone_contradicts_is_none(row: Booked) -> None:
    assert [one.fault for one in found(Seen((LOST,)), Books((row,))).wrong] == ["lost"]


def test_a_reservation_closed_as_reached_though_no_agent_was_heard() -> None:
    assert faults(Seen((LOST,), (ring(10, 12),)), replace(GOOD_BOOKS)) == [("lost", "gave-up after 3.0 s")]


@pytest.mark.parametrize(
    ("calls", "row", "reason"),
    [
        ((call(0, 2, waited_s=1.2),), replace(RESERVED, recovery="short-abandon", reservation=None), "short-abandon"),
        ((LOST,), replace(RESERVED, recovery="late-news", reservation=None), "late-news"),
        ((LOST,), replace(RESERVED, state="waiting"), "reserved: waiting"),
        ((LOST, call(6, 20, "served")), replace(RESERVED, state="returned"), "reserved: returned"),
        ((call(0, 4, "no-line"),), None, "the PBX was away: it never heard of the call"),
    ],
)
def test_a_reason_is_stated(calls: tuple[CallIn, ...], row: Booked | None, reason: str) -> None:
    told = found(Seen(calls), Books((row,) if row else ()))
    assert (told.reasons, told.wrong) == ({reason: 1}, [])


@pytest.mark.parametrize(
    ("gaps", "silence", "lost"),
    [(((at(-9), at(1)),), True, 0), (((at(-9), at(-1)),), True, 1), (((at(-9), at(1)),), False, 1)],
)
def test_silence_counts_as_told_only_while_nobody_listened(
    gaps: tuple[tuple[int, int], ...], silence: bool, lost: int
) -> None:
    served = replace(RESERVED, recovery="none", reservation=None, kind="served")
    told = found(Seen((replace(LOST, silence=silence),)), Books((served,), gaps=gaps))
    assert told.count("lost") == lost
    assert sum(told.reasons.values()) == 1 - lost


def test_two_losses_want_two_calls_in_the_books() -> None:
    twice = Seen((LOST, call(8, 12)))
    assert [one.fault for one in found(twice, Books((replace(RESERVED, state="waiting"),))).wrong] == ["lost"]


@pytest.mark.parametrize(
    ("state", "wrong"), [("reached", [("lost", "lost in a callback, and nothing is owed")]), ("waiting", [])]
)
def test_who_is_cut_off_in_a_callback_is_still_owed_one(state: str, wrong: list[tuple[str, str]]) -> None:
    seen = Seen((LOST,), (ring(10, 15, 4.0, cut=True),))
    assert faults(seen, replace(GOOD_BOOKS, calls=(replace(RESERVED, state=state),))) == wrong


def test_silence_on_a_callback_reaches_nobody() -> None:
    mute = ring(10, 20, answered=True, answered_s=9.0)
    assert ("lost", "lost in a callback, and nothing is owed") in faults(Seen((LOST,), (mute,)))


@pytest.mark.parametrize(
    ("rings", "attempts", "why"),
    [
        ((REACHED, ring(30, 33, 2.5)), (attempt(9), attempt(29)), "rung after being reached"),
        ((REACHED, ring(12, 14)), (attempt(9), attempt(11)), "two rings at once"),
        ((ring(10, 11), ring(15, 18, 3.0)), (attempt(9),), "a ring more than attempts"),
        ((REACHED,), (), "a ring more than attempts"),
        ((REACHED,), (attempt(60),), "a ring more than attempts"),
        ((ring(10, 10, code=486), ring(14, 18, 3.0)), (attempt(9), attempt(13)), "rung again after 4.0 s, 12 s is"),
        ((ring(10, 12, code=603), ring(60, 64, 3.0)), (attempt(9), attempt(59)), "rung again after 48.0 s, 1800 s"),
    ],
)
def test_a_ring_too_many_is_counted(rings: tuple[Ring, ...], attempts: tuple[Tried, ...], why: str) -> None:
    (one,) = found(Seen((LOST,), rings, (text(6),)), replace(GOOD_BOOKS, attempts=attempts)).wrong
    assert one.fault == "double-dial"
    assert one.why.startswith(why)


@pytest.mark.parametrize(
    "rings",
    [
        (ring(10, 10, code=486), ring(24, 28, 3.0)),  # tried again after busy
        (ring(10, 15, 4.0, cut=True), ring(20, 24, 3.0)),  # cut off: owed once more
    ],
)
def test_a_ring_that_the_rules_allow_is_no_double_dial(rings: tuple[Ring, ...]) -> None:
    books = replace(GOOD_BOOKS, attempts=tuple(attempt(one.at / SECOND - T0 / SECOND - 1) for one in rings))
    assert faults(Seen((LOST,), rings), books) == []


def test_a_customer_who_was_lost_again_is_called_again() -> None:
    seen = Seen((LOST, call(20, 24)), (REACHED, ring(30, 35, 4.0)))
    rows = (RESERVED, Booked(WHO, "b", at(20.1), "abandoned", "reserved", 2, "reached"))
    assert faults(seen, Books(rows, (attempt(9), attempt(29)))) == []


def test_who_got_through_meanwhile_is_left_in_peace() -> None:
    seen = Seen((LOST, call(6, 12, "served")), (ring(20, 24, 3.0),))
    books = Books(
        (replace(RESERVED, state="reached"), replace(RESERVED, call_id="b", started_at=at(6))), (attempt(19),)
    )
    assert faults(seen, books) == [("double-dial", "rung though served since the loss")]


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ((text(6), text(9)), "the same text twice"),
        ((text(6), text(9, "2")), "the same words twice"),
        ((text(6), text(9, "2", "we call by 9:31")), "explained more often than lost"),
        ((text(6, "7"),), "a text without a cause in the books"),
        ((text(1),), "explained more often than lost"),
    ],
)
def test_a_text_too_many_is_counted(texts: tuple[Text, ...], why: str) -> None:
    books = replace(GOOD_BOOKS, templates={"1": "lost", "2": "lost"})
    assert faults(Seen((LOST,), (REACHED,), texts), books) == [("double-text", why)]


def test_another_text_for_another_cause_is_none_too_many() -> None:
    books = replace(GOOD_BOOKS, templates={"1": "lost", "2": "given-up"})
    assert faults(Seen((LOST,), (REACHED,), (text(6), text(40, "2", "we could not reach you"))), books) == []
