"""What the queue page is asked for: every filter comes back from its own address, and nonsense is refused in words."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.errors import CallbackError
from callback.reports.queue.lanes import LANES, Sort
from callback.reports.queue.wanted import Wanted
from callback.reports.queue.why import WORDS
from callback.web.console.queue.asked import COLUMNS, USUAL, Asked, read

NAMES = st.text(st.characters(exclude_characters=",", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9).filter(
    lambda name: name != "-"
)
FILTERS = st.builds(
    Wanted,
    queues=st.frozensets(NAMES, max_size=2),
    kinds=st.frozensets(st.sampled_from(["silent", "dropped"])),
    states=st.frozensets(st.sampled_from(["waiting", "held"])),
    tries=st.frozensets(st.integers(0, 9), max_size=2),
    whose=st.frozensets(st.one_of(NAMES, st.just("")), max_size=1),
    texts=st.frozensets(st.sampled_from(["", "delivered", "failed"])),
    incidents=st.frozensets(st.integers(1, 99), max_size=2),
    ids=st.frozensets(st.integers(1, 10**9), max_size=5),
    overdue=st.booleans(),
    why=st.frozensets(st.sampled_from(WORDS), max_size=2),
)
ASKED = st.builds(
    Asked,
    wanted=FILTERS,
    lane=st.sampled_from([None, *LANES]),
    sort=st.sampled_from(Sort),
    columns=st.frozensets(st.sampled_from(COLUMNS), min_size=1).map(
        lambda chosen: tuple(one for one in COLUMNS if one in chosen)
    ),
    all=st.booleans(),
)


@given(ASKED)
def test_an_address_says_all_that_is_asked(asked: Asked) -> None:
    assert read(parse_qsl(asked.query())) == asked


def test_the_plain_page_has_a_plain_address() -> None:
    assert Asked().query() == ""
    assert read([]) == Asked()
    assert Asked().columns == USUAL


def test_a_form_names_its_columns_one_by_one_and_says_nothing_of_what_is_not_chosen() -> None:
    asked = read([("queue", ""), ("column", "whose"), ("column", "id"), ("utm", "x")])
    assert asked == Asked(columns=("whose", "id"))


@pytest.mark.parametrize(
    "pair",
    [
        ("lane", "fast"),
        ("sort", "by-number"),
        ("kind", "lost"),
        ("why", "because"),
        ("tries", "-1"),
        ("tries", "1;DROP TABLE person"),
        ("ids", "1,x"),
        ("ids", "٣"),
        ("ids", str(2**63)),
        ("ids", ",".join(map(str, range(501)))),
        ("columns", "password"),
    ],
)
def test_nonsense_is_refused_in_words_that_do_not_repeat_it(pair: tuple[str, str]) -> None:
    with pytest.raises(CallbackError) as told:
        read([pair])
    assert pair[1] not in str(told.value)
