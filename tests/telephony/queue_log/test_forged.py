"""Nothing that callers write into the log makes a loss of nobody, or unmakes one: whatever the form of their lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.queue_log.entries import Entry, Faults
from tests.telephony.queue_log.logs import T, Told, judged, told
from tests.telephony.queue_log.test_sieve import sifted, text

VICTIM = ".20"
WAITS = "0 .20 support NONE ENTERQUEUE |0907|1"
GIVES_UP = "30 .20 support NONE ABANDON 1|1|30"
LOST: Told = (VICTIM, "0907", "support", "abandoned", "gave-up-waiting")
WHOLE, CUT = "0901|1", "0901"
"""How a forger's own line looks: with a position of his own making, or cut off."""


def writes(second: int, forger: int, *lines: str, number: str = CUT) -> str:
    """Give what the log holds of a caller whose number is that and these lines: the last ends as his own would."""
    head = f"{T + second}|{T}.{forger}|support|NONE|ENTERQUEUE||{number}\n"
    forged = text("\n".join(lines)) if lines else ""
    return f"{head}{forged[:-1]}|1\n{text(f'{second + 1} .{forger} support NONE ABANDON 1|1|1')}"


def calls(log: str) -> list[Told]:
    """What is made of the log, without the forgers' own calls."""
    return [call for call in told(sifted(log, Faults())) if not call[0].startswith(".9")]


def test_a_call_that_a_forger_began_and_ended_in_two_calls_is_none() -> None:
    """The first line is forged, and so is the next: that the call was written of before proves nothing."""
    log = writes(0, 91, "0 .881 support NONE ENTERQUEUE |0741")
    log += writes(20, 92, "20 .881 support NONE ABANDON 1|1|20")
    assert calls(log) == []


@pytest.mark.parametrize("number", [CUT, WHOLE])
@pytest.mark.parametrize("at", [12, 28, 29, 30])
def test_who_is_made_to_look_served_and_then_gives_up_is_lost(number: str, at: int) -> None:
    log = text(WAITS)
    log += writes(at, 91, f"{at} .20 support Ann CONNECT {at}|x.21", number=number)
    log += writes(at, 92, f"{at} .20 support Ann COMPLETEAGENT {at}|9", number=number)
    assert calls(log + text(GIVES_UP)) == [LOST]


@pytest.mark.parametrize("number", [CUT, WHOLE])
def test_a_talk_alone_that_is_forged_keeps_no_call_from_being_lost(number: str) -> None:
    log = text(WAITS) + writes(12, 91, "12 .20 support Ann CONNECT 12|x.21", number=number)
    assert calls(log + text(GIVES_UP)) == [LOST]


@pytest.mark.parametrize("number", [CUT, WHOLE])
def test_who_gave_up_is_not_served_afterwards(number: str) -> None:
    log = text(WAITS) + text(GIVES_UP)
    log += writes(31, 91, "31 .20 support Ann CONNECT 1|x.21", number=number)
    log += writes(31, 92, "31 .20 support Ann COMPLETEAGENT 1|9", number=number)
    assert calls(log) == [LOST]


def test_a_doubtful_end_changes_nothing_that_other_lines_tell() -> None:
    served = "40 .20 support Ann CONNECT 40|x.21|3\n60 .20 support Ann COMPLETECALLER 40|20|1"
    log = text(WAITS) + writes(12, 91, "12 .20 support NONE ABANDON 1|1") + text(served)
    assert calls(log) == [(VICTIM, "0907", "support", "served", None)]


def test_a_true_end_beside_a_forgery_is_not_lost() -> None:
    """It may be forged as well; but the call has no other end, and whoever left is gone."""
    log = text(WAITS) + writes(29, 91, "29 .93 support NONE ABANDON 1|1").removesuffix(
        text("30 .91 support NONE ABANDON 1|1|1")
    )
    assert calls(log + text(GIVES_UP)) == [LOST]


def test_of_two_doubtful_ends_the_loss_counts() -> None:
    forged = (
        "29 .20 support Ann CONNECT 29|x.21|1",
        "29 .20 support Ann COMPLETEAGENT 29|9|1",
        "30 .20 support NONE ABANDON 1|1|30",
    )
    log = text(WAITS) + f"{T + 29}|{T}.91|support|NONE|ENTERQUEUE||0901\n" + text("\n".join(forged))
    assert calls(log) == [LOST]


def test_who_comes_back_to_a_queue_beside_a_forgery_is_served_there() -> None:
    log = text(f"{WAITS}\n30 .20 support NONE EXITWITHTIMEOUT 1|1|30")
    log += f"{T + 30}|{T}.91|support|NONE|ENTERQUEUE||0901\n" + text("31 .20 sales NONE ENTERQUEUE |0907|1")
    log += text(
        "40 .91 support NONE ABANDON 1|1|10\n50 .20 sales Bob CONNECT 19|x.22|3\n70 .20 sales Bob COMPLETEAGENT 19|20|1"
    )
    assert calls(log) == [(VICTIM, "0907", "sales", "served", None)]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 29),
            st.sampled_from(
                ["CONNECT 5|x.2", "COMPLETEAGENT 5|9", "COMPLETECALLER 5|9", "ENTERQUEUE |0666", "DID 500"]
            ),
            st.just(CUT),
        ),
        max_size=6,
    )
)
def test_whatever_cut_lines_are_forged_before_it_a_loss_is_a_loss(forged: list[tuple[int, str, str]]) -> None:
    log = text(WAITS)
    for place, (second, line, number) in enumerate(sorted(forged)):
        event, _, data = line.partition(" ")
        agent = "NONE" if event in {"ENTERQUEUE", "DID"} else "Ann"
        log += writes(second, 910 + place, f"{second} .20 support {agent} {event} {data}", number=number)
    found = judged(sifted(log + text("70 .20 support NONE ABANDON 1|1|70"), Faults()))
    assert [(call.number, verdict.kind) for call, verdict in found if call.call_id.endswith(".20")] == [
        ("0907", "abandoned")
    ]


# Logs without positions


SHORT = """0 .1 q NONE ENTERQUEUE |0901
15 .1 q NONE ABANDON 1|1|15
100 .2 q NONE ENTERQUEUE |0901
105 .2 q Ann CONNECT 5|x.3
135 .2 q Ann COMPLETECALLER 5|30
300 .4 q NONE ENTERQUEUE |0902
310 .4 q NONE ABANDON 1|1|10"""


def dialect(log: str, *, positions: bool) -> tuple[list[str | None], int]:
    from telephony.queue_log.sieve import Sieve, has_positions  # noqa: PLC0415

    faults = Faults()
    sieve = Sieve(faults, str, positions=has_positions(log) if positions else False)
    entries: list[Entry] = [*sieve.feed(log), *sieve.close()]
    return [number for _, number, *_ in told(entries)], len(faults)


@pytest.mark.parametrize("url", ["", "http://crm/?id=7"], ids=["without-url", "with-url"])
def test_where_no_line_tells_a_position_the_numbers_are_whole(url: str) -> None:
    assert dialect(text(SHORT.replace("ENTERQUEUE |", f"ENTERQUEUE {url}|")), positions=True) == (
        ["0901", "0901", "0902"],
        0,
    )


def test_where_not_even_a_number_is_told_nothing_is_wrong() -> None:
    bare = text(SHORT.replace("ENTERQUEUE |0901", "ENTERQUEUE ").replace("ENTERQUEUE |0902", "ENTERQUEUE "))
    assert dialect(bare, positions=True) == ([None, None, None], 0)


def test_one_line_with_a_position_of_a_caller_s_own_does_not_change_the_rest() -> None:
    log = text(SHORT) + text(
        "400 .5 q NONE ENTERQUEUE |x|1\n410 .5 q NONE ABANDON 1|1|10\n500 .6 q NONE ENTERQUEUE |0903"
    )
    assert dialect(log + text("510 .6 q NONE ABANDON 1|1|10"), positions=True)[0] == [
        "0901",
        "0901",
        "0902",
        None,
        "0903",
    ]


def test_a_pbx_that_was_upgraded_tells_positions_from_then_on() -> None:
    new = "".join(
        text(
            f"{1000 + 20 * n} .{n + 50} q NONE ENTERQUEUE |09{n:02}|1\n{1010 + 20 * n} .{n + 50} q NONE ABANDON 1|1|10"
        )
        for n in range(40)
    )
    numbers, faults = dialect(text(SHORT) + new + writes(3000, 91, "3000 .99 q NONE ENTERQUEUE |0666"), positions=False)
    assert numbers[:3] == [None, None, None] or numbers[:3] == ["0901", "0901", "0902"]
    assert "0666" not in numbers
    assert faults
