"""Scripts for agents: in each language, with what is known, and with faults that name their place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.errors import CallbackError
from callback.site import scripts
from callback.site.scripts import KINDS, VALUES
from sms.text import LANGUAGES

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_language_has_each_script_and_lines_without_a_value_are_left_out(
    language: str, kind: scripts.Kind
) -> None:
    ours = scripts.loaded(None)
    whole = ours.script(kind, language, {name: f"<{name}>" for name in VALUES})
    bare = ours.script(kind, language, {})
    assert whole.language == bare.language == language
    assert set(bare.lines) < set(whole.lines), "each has something to fill in"
    assert bare.lines
    assert not any("<" in line or "{" in line for line in bare.lines)


def test_a_language_that_nobody_wrote_is_spoken_in_english() -> None:
    assert scripts.loaded(None).script("flag", "fr", {}).language == "en"


@given(st.text(max_size=200))
def test_whatever_a_customer_wrote_is_a_value_alone(words: str) -> None:
    lines = scripts.loaded(None).script("dissatisfied", "en", {"words": words}).lines
    kept = [line for line in lines if line.startswith("You wrote")]
    assert kept == ([f"You wrote: “{words.strip()}”."] if words.strip() else [])


def test_a_site_says_it_otherwise_by_kind_and_adds_languages(tmp_path: Path) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "en.toml").write_text('flag = ["Hello again: {reason}"]\n', encoding="utf-8")
    french = "\n".join(f'{kind} = ["Bonjour."]' for kind in KINDS)
    (folder / "fr.toml").write_text(french, encoding="utf-8")
    ours = scripts.loaded(tmp_path)
    assert ours.script("flag", "en", {"reason": "the bill"}).lines == ("Hello again: the bill",)
    assert ours.script("sample", "en", {}).lines == scripts.loaded(None).script("sample", "en", {}).lines
    assert ours.script("sample", "fr", {}).lines == ("Bonjour.",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('flag = ["{number}"]', "en.toml: flag: line 1: {number} is unknown; there are {words}"),
        ('flag = ["{reason!r}"]', "en.toml: flag: line 1: {reason} takes no format"),
        ('flag = ["{reason"]', "en.toml: flag: line 1: braces do not match"),
        ('flag = "Hello"', "en.toml: flag: must be a list of lines"),
        ("flag = []", "en.toml: flag: must be a list of lines"),
        ('flags = ["Hello"]', "en.toml: flags: unknown; there are dissatisfied"),
        ('flag = ["' + "x" * 301 + '"]', "en.toml: flag: at most 20 lines of 300 characters"),
        ("flag = [", "en.toml: cannot be read"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "en.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CallbackError, match="need mending") as error:
        scripts.loaded(tmp_path)
    assert told in str(error.value)


def test_nothing_that_speaks_to_customers_knows_them() -> None:
    to_customers = [
        *(REPOSITORY / "callback" / "texts").rglob("*.py"),
        *(REPOSITORY / "sms").rglob("*.py"),
        REPOSITORY / "callback" / "decisions" / "replies.py",
        *(REPOSITORY / "callback" / "web").glob("*.py"),
    ]
    assert len(to_customers) > 20
    assert [str(path) for path in to_customers if re.search(r"import scripts|\.scripts\b", path.read_text())] == []
