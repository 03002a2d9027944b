"""A page names files that are there, by their present names; the index names every page, the walk every room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCS = sorted((REPOSITORY / "docs").rglob("*.md"))


def links(page: Path) -> list[Path]:
    """The files and folders that a page leads to, with their anchors left out."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    inline = [child for token in tokens for child in token.children or []]
    found = [str(each.attrs[key]) for each in inline for key in ("href", "src") if key in each.attrs]
    paths = [link.partition("#")[0] for link in found if not re.match(r"[a-z]+:", link)]
    return [(page.parent / path).resolve() for path in paths if path]


@pytest.mark.parametrize("page", [*PAGES, *DOCS], ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_to_a_file_of_the_repository_leads_to_one(page: Path) -> None:
    assert [str(path) for path in links(page) if not path.exists()] == []
    assert all(path.is_relative_to(REPOSITORY) for path in links(page))


def test_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    words = "[a](there.md#part), ![b](../away.svg), [c](https://example.org/x), [d](#part)\n\n    [lcr](+)"
    page.write_text(words, encoding="utf-8")
    assert links(page) == [tmp_path / "there.md", tmp_path.parent / "away.svg"]


def test_the_index_has_every_page() -> None:
    index = REPOSITORY / "docs" / "index.md"
    assert set(DOCS) - set(links(index)) == {index}


def named(page: Path) -> list[tuple[str, Path]]:
    """The text and the place of each link to a module whose text is a module's name."""
    found = re.findall(r"\[`([\w/]+\.py)`\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    return [(text, (page.parent / path).resolve()) for text, path in found]


@pytest.mark.parametrize("page", [*PAGES, *DOCS], ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_a_link_that_names_a_module_names_it_as_it_is_called(page: Path) -> None:
    assert [text for text, path in named(page) if not f"/{path.relative_to(REPOSITORY)}".endswith(f"/{text}")] == []


def test_the_walk_names_every_room() -> None:
    rooms = {init.parent for init in (REPOSITORY / "callback").glob("*/__init__.py")}
    assert rooms - set(links(REPOSITORY / "docs" / "how-it-flows.md")) == set()
