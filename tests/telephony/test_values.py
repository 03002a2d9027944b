"""What passes between processes a thousand times a second arrives there as it was."""

import pickle
from dataclasses import replace

import pytest

from telephony.calls.call import Call, Mute, QueueVisit
from telephony.calls.verdict import judge

WAITED = QueueVisit("support", 1_000_000, None, None, 9_000_000, "abandoned", ringing=True)
CALL = Call(
    *("main", "1795307000.1", "1795307000.1", "PJSIP/trunk-1", "0901", None, 0, 9_000_000, 9_000_000, (WAITED,)),
    causes=frozenset({16}),
    mute=Mute("agent", "no-sound"),
    evidence=("one", "two"),
)


@pytest.mark.parametrize("value", [WAITED, CALL, CALL.mute, judge(CALL), (CALL, judge(CALL))])
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_value_is_the_same_in_another_process(value: object, protocol: int) -> None:
    assert pickle.loads(pickle.dumps(value, protocol)) == value  # noqa: S301


def test_a_value_is_compared_and_remembered_by_what_it_holds() -> None:
    other = replace(CALL, number="0902")
    assert {CALL, replace(CALL), other} == {other, CALL}
    assert other != CALL


def test_a_value_holds_nothing_but_its_fields() -> None:
    with pytest.raises(AttributeError):
        CALL.anything = 1  # type: ignore[attr-defined]
