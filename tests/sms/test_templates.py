"""The texts are checked when they are loaded, so that none fails when a caller waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sms.errors import SmsError
from sms.text import LANGUAGES, MAX_SEGMENTS, PROMISES, SAMPLES, TAILS, Templates, segments

if TYPE_CHECKING:
    from pathlib import Path

_VALUES = {"by": "21:05", "from_time": "09:00", "tries": "3", "caller_id": "+442079460958"}
_PACKAGED = Templates.load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A supervisor's own wording, which is laid over the packaged one."""
    own = tmp_path / "texts"
    own.mkdir()
    return own


def _faults(folder: Path) -> list[str]:
    with pytest.raises(SmsError) as refused:
        Templates.load(folder)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def _write(folder: Path, language: str, *lines: str) -> None:
    (folder / f"{language}.toml").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", SAMPLES)
def test_every_packaged_text_says_what_it_must(template: str, language: str) -> None:
    body = _PACKAGED.render(template, language, SAMPLES[template])
    assert all(value in body for value in SAMPLES[template].values())
    assert segments(body).encoding == ("GSM-7" if language == "en" else "UCS-2")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_at_most_two_segments_with_each_way_to_answer_it(language: str) -> None:
    samples = [sample for sample in _PACKAGED.samples() if sample.language == language]
    assert len(samples) == len(SAMPLES) + len(PROMISES) * len(TAILS)
    assert max(sample.segments for sample in samples) <= MAX_SEGMENTS
    assert all(sample.segments == segments(sample.text).count for sample in samples)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", PROMISES)
def test_how_to_answer_stands_behind_the_promise(template: str, language: str) -> None:
    plain = _PACKAGED.render(template, language, SAMPLES[template])
    link = SAMPLES["link"]
    joined = _PACKAGED.render(template, language, {**SAMPLES[template], **link}, tail="link")
    assert joined.startswith(plain)
    assert joined.endswith(link["link"])
    assert "STOP" not in plain
    assert "1" in _PACKAGED.render("reply", language, {})


def test_the_wording_to_opt_out_stands_only_where_it_can_be_answered() -> None:
    """A phone that cannot answer is told nothing of STOP, nor of TD."""
    answers = {template for template in SAMPLES if template.startswith("answer") or template == "reply"}
    for sample in _PACKAGED.samples():
        if sample.template not in answers and not sample.template.endswith("+reply"):
            assert not {"STOP", "TD"} & set(sample.text.replace("。", " ").replace(".", " ").split()), sample


def test_a_rendered_text() -> None:
    assert _PACKAGED.render("lost", "en", _VALUES) == (
        "Sorry, your call did not get through to us in time. "
        "No need to call again: we will call you back by 21:05 from +442079460958."
    )


def test_a_supervisor_changes_what_he_names_and_no_more(folder: Path) -> None:
    (folder / "en.toml").write_text('\ufefflost = "{{lost}}"\r\n', encoding="utf-8")
    templates = Templates.load(folder)
    assert templates.languages == set(LANGUAGES)
    assert templates.render("lost", "en", _VALUES) == "{lost}"
    assert templates.render("lost", "zh-Hans", _VALUES) == _PACKAGED.render("lost", "zh-Hans", _VALUES)
    assert templates.render("lost-silent", "en", _VALUES) == _PACKAGED.render("lost-silent", "en", _VALUES)


def test_another_language_is_a_file(folder: Path) -> None:
    _write(folder, "fr", *(f'{key} = "{key}"' for key in SAMPLES))
    templates = Templates.load(folder)
    assert templates.languages == {"en", "fr", "zh-Hans", "zh-Hant"}
    assert templates.render("lost", "fr", _VALUES) == "lost"


def test_another_language_has_every_template(folder: Path) -> None:
    _write(folder, "fr", *(f'{key} = "{key}"' for key in SAMPLES if key not in {"slot", "reply"}))
    assert _faults(folder) == ["fr.toml: slot: missing", "fr.toml: reply: missing"]


def test_one_queue_says_it_otherwise(folder: Path) -> None:
    _write(folder, "en", "[queue.sales]", 'lost = "We will ring by {by}."')
    templates = Templates.load(folder)
    assert templates.render("lost", "en", _VALUES, queue="sales") == "We will ring by 21:05."
    assert templates.render("lost", "en", _VALUES, queue="support") == _PACKAGED.render("lost", "en", _VALUES)
    assert "sales: lost+reply" in {sample.template for sample in templates.samples()}


def test_a_version_of_the_wording_has_a_name_of_its_own(folder: Path) -> None:
    _write(folder, "en", 'lost = "We will ring by {by}."')
    assert Templates.load(folder).digest() != _PACKAGED.digest() == Templates.load().digest()


def test_all_faults_are_told_at_once_with_file_and_key(folder: Path) -> None:
    _write(folder, "en", 'lost = "by {deadline}"', "given-up = 7", "[queue.sales]", 'lost = "{tries}"', 'hello = "a"')
    _write(folder, "zh-Hant", 'lost-droped = "a"')
    there = ", ".join(SAMPLES)
    assert _faults(folder) == [
        "en.toml: lost: placeholder {deadline} is unknown; there are {by}, {caller_id}",
        "en.toml: given-up: must be a text in quotes",
        "en.toml: queue.sales: lost: placeholder {tries} is unknown; there are {by}, {caller_id}",
        f"en.toml: queue.sales: hello: unknown; there are {there}",
        f"zh-Hant.toml: lost-droped: unknown; there are {there}",
    ]


@pytest.mark.parametrize(
    ("wording", "fault"),
    [
        ("", "must be a text in quotes"),
        ("  ", "must be a text in quotes"),
        ("{from_time}", "placeholder {from_time} is unknown; there are {by}, {caller_id}"),
        ("{by.__class__}", "placeholder {by.__class__} is unknown; there are {by}, {caller_id}"),
        ("{by!r}", "placeholder {by} takes no format; write it alone"),
        ("{by:>99}", "placeholder {by} takes no format; write it alone"),
        ("{}", "placeholder {} is unknown; there are {by}, {caller_id}"),
        (
            "a { b",
            "braces do not match (expected '}' before end of string); write {{ and }} for the characters",
        ),
        ("a" * 307, "3 segments (307 places, GSM-7); at most 2"),
        ("喂" * 124 + "{by}", "3 segments (135 places, UCS-2); at most 2"),
    ],
)
def test_a_bad_wording_is_refused(folder: Path, wording: str, fault: str) -> None:
    _write(folder, "en", f'lost = "{wording}"')
    told = _faults(folder)[0]
    assert told.startswith(f"en.toml: lost: {fault}")


def test_a_text_must_leave_room_for_how_to_answer_it(folder: Path) -> None:
    _write(folder, "en", f'lost = "{"a" * 300}"', "[queue.sales]", f'lost-silent = "{"a" * 230}"')
    (reply, link, silent) = _faults(folder)
    assert reply.startswith("en.toml: lost+reply: 3 segments")
    assert link.startswith("en.toml: lost+link: 3 segments")
    assert silent.startswith("en.toml: sales: lost-silent+link")


def test_a_link_that_is_too_long_for_the_texts_is_told_before_anything_is_sent() -> None:
    with pytest.raises(SmsError, match=r"zh-Hans\.toml: lost-carried\+link: 3 segments"):
        Templates.load(link="https://" + "very-long." * 8 + "example.com/r/" + "x" * 24)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"lost = ", "en.toml: cannot be read: Invalid value"),
        (b"\xff\xfe", "en.toml: cannot be read: 'utf-8' codec"),
        (b'queue = "sales"', "en.toml: queue: must be a section for each queue"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault_too(folder: Path, content: bytes, fault: str) -> None:
    (folder / "en.toml").write_bytes(content)
    (told,) = _faults(folder)
    assert told.startswith(fault)


def test_a_folder_that_is_not_there_is_a_fault(folder: Path) -> None:
    assert _faults(folder / "elsewhere") == ["the folder is missing"]


@pytest.mark.parametrize(
    ("template", "language", "values", "fault"),
    [
        ("lost", "de", _VALUES, "no texts in language 'de'; there are en, zh-Hans, zh-Hant"),
        ("found", "en", _VALUES, "no template 'found'; there are lost, "),
        ("lost", "en", {}, "template 'lost' needs a value for by, caller_id"),
    ],
)
def test_what_cannot_be_rendered_is_named(template: str, language: str, values: dict[str, str], fault: str) -> None:
    with pytest.raises(SmsError, match=fault):
        _PACKAGED.render(template, language, values)


def test_a_value_is_never_read_as_a_template() -> None:
    body = _PACKAGED.render("lost", "en", {"by": "{caller_id}", "caller_id": "{by.__class__}"})
    assert "{caller_id}" in body
    assert "{by.__class__}" in body
