"""The page of the commands is what the code makes, and names each of them."""

from __future__ import annotations

from pathlib import Path

from callback.cli.main import COMMANDS
from callback.cli.operations.reference import reference

REPOSITORY = Path(__file__).parents[4]


def test_the_page_is_up_to_date() -> None:
    page = REPOSITORY / "docs" / "commands.md"
    assert page.read_text(encoding="utf-8") == reference(), "run `make commands`"


def test_every_command_has_a_section_with_its_usage() -> None:
    made = reference()
    assert [name for name in COMMANDS if f"\n## callback {name}\n\n    callback {name} " not in made] == []
    assert "### callback reservation call-now" in made  # commands within commands, too
    assert "| `--limit <int range>` |" in made


def test_every_option_says_what_it_is() -> None:
    rows = [line.strip("| ").split(" | ") for line in reference().splitlines() if line.startswith("| `")]
    assert [row for row in rows if len(row) < 2 or row[1].startswith("[")] == []
