"""The texts are checked when they are loaded, so that none fails when a caller waits for it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sms import text
from sms.errors import SmsError
from sms.text import LANGUAGES, SAMPLES, Templates, segments

if TYPE_CHECKING:
    from pathlib import Path

_VALUES = {"by": "21:05", "from_time": "09:00", "tries": "3", "caller_id": "+442079460958"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A supervisor's own copy of the packaged texts."""
    return shutil.copytree(text._PACKAGED, tmp_path / "texts")  # noqa: SLF001 - what `load` reads by default


def _faults(folder: Path) -> list[str]:
    with pytest.raises(SmsError) as refused:
        Templates.load(folder)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def _change(path: Path, old: str, new: str) -> None:
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", SAMPLES)
def test_every_packaged_text_says_what_it_must(template: str, language: str) -> None:
    body = Templates.load().render(template, language, SAMPLES[template])
    assert segments(body).count <= 2
    assert all(value in body for value in SAMPLES[template].values())
    assert segments(body).encoding == ("GSM-7" if language == "en" else "UCS-2")


def test_a_rendered_text() -> None:
    assert Templates.load().render("lost", "en", _VALUES) == (
        "Sorry, your call did not get through to us in time. "
        "No need to call again: we will call you back by 21:05 from +442079460958."
    )


def test_a_supervisor_changes_the_wording_and_adds_a_language(folder: Path) -> None:
    shutil.copy(folder / "en.toml", folder / "fr.toml")
    (folder / "en.toml").write_text(
        "\ufeff" + "\r\n".join(f'{key} = "{{{{{key}}}}}"' for key in SAMPLES), encoding="utf-8"
    )
    templates = Templates.load(folder)
    assert templates.languages == {"en", "fr", "zh-Hans", "zh-Hant"}
    assert templates.render("lost", "en", _VALUES) == "{lost}"


def test_all_faults_are_told_at_once_with_file_and_key(folder: Path) -> None:
    (folder / "zh-Hans.toml").unlink()
    _change(folder / "zh-Hant.toml", "lost-dropped = ", "lost-droped = ")
    _change(folder / "en.toml", "call you back by {by}", "call you back by {deadline}")
    _change(folder / "en.toml", "given-up = ", "given-up = 7 #")
    assert _faults(folder) == [
        "en.toml: lost: placeholder {deadline} is unknown; there are {by}, {caller_id}",
        "en.toml: lost-dropped: placeholder {deadline} is unknown; there are {by}, {caller_id}",
        "en.toml: lost-silent: placeholder {deadline} is unknown; there are {by}, {caller_id}",
        "en.toml: given-up: must be a text in quotes",
        "zh-Hans.toml: the file is missing",
        f"zh-Hant.toml: lost-droped: unknown; there are {', '.join(SAMPLES)}",
        "zh-Hant.toml: lost-dropped: missing",
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
        ("喂" * 120 + "{by}", "3 segments (135 places, UCS-2); at most 2"),
    ],
)
def test_a_bad_wording_is_refused(folder: Path, wording: str, fault: str) -> None:
    (folder / "en.toml").write_text(
        f'lost = "{wording}"\nlost-carried = "a"\nlost-dropped = "a"\nlost-silent = "a"\n'
        'lost-requested = "a"\ngiven-up = "a"',
        encoding="utf-8",
    )
    (told,) = _faults(folder)
    assert told.startswith(f"en.toml: lost: {fault}")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"lost = ", "en.toml: cannot be read: Invalid value"),
        (b"\xff\xfe", "en.toml: cannot be read: 'utf-8' codec"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault_too(folder: Path, content: bytes, fault: str) -> None:
    (folder / "en.toml").write_bytes(content)
    (told,) = _faults(folder)
    assert told.startswith(fault)


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
        Templates.load().render(template, language, values)


def test_a_value_is_never_read_as_a_template() -> None:
    body = Templates.load().render("lost", "en", {"by": "{caller_id}", "caller_id": "{by.__class__}"})
    assert "{caller_id}" in body
    assert "{by.__class__}" in body
