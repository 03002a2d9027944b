"""The degree of a loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.severity import MOST, Harm, severity

harms = st.lists(
    st.builds(Harm, st.sampled_from(["abandoned", "blocked", "dropped", "silent"]), st.floats(0, 3600)), max_size=8
)


@pytest.mark.parametrize(
    ("losses", "degree"),
    [
        ([], 0),
        ([Harm("abandoned", 20)], 0),
        ([Harm("abandoned", 301)], 1),
        ([Harm("dropped", 20)], 0),
        ([Harm("dropped", 121)], 2),
        ([Harm("abandoned", 20)] * 3, 4),
        ([Harm("silent", 20)] * 2, 4),
        ([Harm("silent", 400)] * 9, MOST),
    ],
)
def test_the_degree_of(losses: list[Harm], degree: int) -> None:
    assert severity(losses) == degree


@given(harms, harms)
def test_another_loss_never_makes_it_milder(before: list[Harm], more: list[Harm]) -> None:
    assert 0 <= severity(before) <= severity([*before, *more]) <= MOST
