"""`make house` counts what it says it counts, on a small tree made up for it."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house import MOST_FILES, House, described, main

SETTINGS = """
[[tool.importlinter.contracts]]
type = "layers"
layers = ["shop", "till | post"]

[[tool.importlinter.contracts]]
type = "layers"
containers = ["shop"]
layers = ["door : window", "goods", "errors"]

[[tool.importlinter.contracts]]
type = "forbidden"
"""
CONTRACTS = tomllib.loads(SETTINGS)["tool"]["importlinter"]["contracts"]
HOUSE = {
    "shop/__init__.py": '"""A shop."""\n',
    "shop/door.py": "from shop.goods import shelf\nfrom shop import window\n",
    "shop/window.py": "import os\n\nimport till\n",
    "shop/goods/__init__.py": "",
    "shop/goods/shelf.py": "from shop.errors import Empty\n",
    "shop/errors.py": "import till\n\nclass Empty(Exception): ...\n",
    "till/__init__.py": "",
    "post/__init__.py": "",
}


def house(root: Path, files: Mapping[str, str] = {}) -> House:
    for path, source in {**HOUSE, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(textwrap.dedent(source), encoding="utf-8")
    return House.read(root, ["shop", "till", "post"])


def against(root: Path, files: Mapping[str, str], allowed: Mapping[str, str] = {}) -> list[str]:
    return [str(each) for each in house(root, files).offences(CONTRACTS, allowed)]


def test_each_folder_has_its_own_files_and_lines(tmp_path: Path) -> None:
    assert house(tmp_path).rooms() == {"post": (1, 0), "shop": (4, 9), "shop/goods": (2, 1), "till": (1, 0)}


def test_imports_are_those_of_the_house_and_names_count_for_their_module(tmp_path: Path) -> None:
    imports = house(tmp_path).imports
    assert imports["shop.door"] == {"shop.goods.shelf": 1, "shop.window": 2}
    assert imports["shop.window"] == {"till": 3}
    assert imports["shop.goods.shelf"] == {"shop.errors": 1}


def test_an_import_within_a_function_counts_too(tmp_path: Path) -> None:
    later = {"shop/errors.py": "def mend():\n    import till\n"}
    assert house(tmp_path, later).imports["shop.errors"] == {"till": 2}


def test_the_longest_chain(tmp_path: Path) -> None:
    assert house(tmp_path).longest_chain == ["shop.door", "shop.goods.shelf", "shop.errors", "till"]


def test_a_house_within_the_limits(tmp_path: Path) -> None:
    assert against(tmp_path, {}) == []


def test_an_import_that_runs_up(tmp_path: Path) -> None:
    assert against(tmp_path, {"shop/goods/shelf.py": "\nfrom shop import window\n"}) == [
        "shop/goods/shelf.py:2: imports shop.window: against the contract"
    ]
    assert against(tmp_path, {"shop/goods/shelf.py": "", "post/__init__.py": "import shop.errors\n"}) == [
        "post/__init__.py:1: imports shop.errors: against the contract"
    ]


def test_rooms_of_one_floor_that_do_not_know_each_other(tmp_path: Path) -> None:
    assert against(tmp_path, {"till/__init__.py": "import post\n"}) == [
        "till/__init__.py:1: imports post: against the contract"
    ]


def test_a_circle_is_told_once_and_is_one_step_of_a_chain(tmp_path: Path) -> None:
    circle = {"shop/window.py": "from shop import door\n"}
    assert house(tmp_path, circle).circles == [["shop.door", "shop.window"]]
    assert house(tmp_path, circle).longest_chain == [
        "shop.door = shop.window",
        "shop.goods.shelf",
        "shop.errors",
        "till",
    ]
    assert against(tmp_path, circle) == ["shop/door.py:2: a circle of imports: shop.door, shop.window"]


def test_a_folder_with_too_many_files(tmp_path: Path) -> None:
    most = {f"till/part{number}.py": "" for number in range(MOST_FILES - 1)}
    assert against(tmp_path, most) == []
    assert against(tmp_path, {"till/more.py": ""}) == [f"till:1: {MOST_FILES + 1} .py files"]


def test_parameters_are_counted_without_self_and_with_the_starred(tmp_path: Path) -> None:
    source = """
        class Shop:
            def sell(self, a, /, b, c, *d, e, f=0, **g): ...

            async def give(self, a, b, c, d, e, f, *g, h): ...
        """
    assert against(tmp_path, {"till/__init__.py": source}) == ["till/__init__.py:5: give() has 8 parameters"]
    assert against(tmp_path, {}, {"till.give": "it is made up"}) == []


@pytest.mark.parametrize(("methods", "found"), [(20, []), (21, ["till/__init__.py:1: class Clerk has 21 methods"])])
def test_a_class_with_too_many_methods(tmp_path: Path, methods: int, found: list[str]) -> None:
    clerk = "class Clerk:\n" + "".join(f"    def do{number}(self): ...\n" for number in range(methods))
    assert against(tmp_path, {"till/__init__.py": clerk}) == found
    assert against(tmp_path, {}, {"till.Clerk": "it is made up"}) == []


def test_rows_in_signatures(tmp_path: Path) -> None:
    source = """
        def read(row: Row[Any] | None) -> int: ...
        def all_of() -> list[Row[Any]]: ...
        def within() -> None:
            row: Row[Any] = all_of()[0]
        """
    assert against(tmp_path, {"till/__init__.py": source}) == [
        "till/__init__.py:2: read() names Row[Any]",
        "till/__init__.py:3: all_of() names Row[Any]",
    ]
    stored = {"callback/store/rows.py": "def read(row: Row[Any]): ...\n"}
    house(tmp_path, stored)
    assert House.read(tmp_path, ["callback"]).offences([]) == []


def test_the_figures_are_printed(tmp_path: Path) -> None:
    said = "\n".join(described(house(tmp_path)))
    assert "imports per module (mean): 0.6" in said
    assert "largest folder: shop, 4 files" in said
    assert "longest chain of imports: 4 modules" in said


def test_the_command_ends_with_1_when_a_limit_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for package in ("callback", "telephony", "sms", "scheduler"):
        house(tmp_path, {f"{package}/__init__.py": ""})
    (tmp_path / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    assert main(tmp_path) == 0
    (tmp_path / "sms/text.py").write_text("def send(a, b, c, d, e, f, g, h): ...\n", encoding="utf-8")
    assert main(tmp_path) == 1
    assert "sms/text.py:1: send() has 8 parameters" in capsys.readouterr().out
