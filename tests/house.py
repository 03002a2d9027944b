"""`make house`: the shape of our packages in figures, and what breaks the limits of the house, with its place.

Layers are read from pyproject.toml and judged import by import; its other contracts are for lint-imports alone.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

PACKAGES = ("callback", "telephony", "sms", "scheduler")
MOST_FILES = 19  # .py files of a folder
MOST_PARAMETERS = 7  # of a function, without self and cls
MOST_METHODS = 20  # of a class
ROWS_IN = "callback/store/"

ALLOWED = {  # what may break a limit, and why
    "telephony.calls.tracker.Tracker": "one automaton: each kind of event is a method over the same channels",
    "telephony.pbx.Pbx": "the face of telephony: one short method for each thing that a PBX is asked",
    "scheduler.simulation.world.World": "one automaton, as Tracker: each happening is a method over the same day",
    "callback.cli.care.case.register_one": "a command's options",
    "callback.cli.care.case.show_list": "a command's options",
    "callback.cli.import_log.import_queue_log": "a command's options",
    "callback.cli.operations.init.init": "a command's options",
    "callback.cli.queue.queue": "a command's options",
    "callback.cli.report.hints": "a command's options",
    "callback.cli.report.report": "a command's options",
    "callback.cli.reservation.correct": "a command's options",
    "callback/store/migrations/versions": "a file for each change of the schema; none is ever taken out",
}

Functions = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Offence:
    """What breaks a limit, and where."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Module:
    """A source file, read."""

    name: str
    path: str
    source: str
    tree: ast.Module = field(repr=False)

    @property
    def room(self) -> str:
        """The folder that it stands in."""
        return self.path.rpartition("/")[0]

    @property
    def functions(self) -> Iterator[Functions]:
        """All of them, methods and inner ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Functions))

    @property
    def classes(self) -> Iterator[ast.ClassDef]:
        """All of them."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


@dataclass(frozen=True)
class House:
    """The modules of some packages, and which of them import which."""

    modules: Mapping[str, Module]

    @classmethod
    def read(cls, root: Path, packages: Iterable[str] = PACKAGES) -> House:
        """Read every Python file of these packages under `root`."""
        files = [path.relative_to(root) for package in packages for path in sorted((root / package).rglob("*.py"))]
        return cls({module.name: module for module in (_module(root, path) for path in files)})

    @cached_property
    def imports(self) -> Mapping[str, Mapping[str, int]]:
        """For each module those of the house that it imports, wherever it does, and the first line where it does."""
        found: dict[str, dict[str, int]] = {name: {} for name in self.modules}
        for name, module in self.modules.items():
            for imported, line in _imported(module.tree):
                target = imported if imported in self.modules else imported.rpartition(".")[0]
                if target in self.modules and target != name:
                    found[name].setdefault(target, line)
        return found

    @cached_property
    def circles(self) -> list[list[str]]:
        """Modules that reach one another by imports."""
        return sorted(sorted(group) for group in set(self._groups.values()) if len(group) > 1)

    @cached_property
    def longest_chain(self) -> list[str]:
        """The modules of the longest chain of imports, each importing the next; a circle is one step of it."""
        below = {
            group: {self._groups[to] for one in group for to in self.imports[one]} - {group}
            for group in set(self._groups.values())
        }
        chains: dict[frozenset[str], list[str]] = {}
        for group in TopologicalSorter(below).static_order():
            longest = max((chains[to] for to in below[group]), key=lambda chain: (len(chain), chain), default=[])
            chains[group] = [" = ".join(sorted(group)), *longest]
        return max(chains.values(), key=lambda chain: (len(chain), chain), default=[])

    @cached_property
    def _groups(self) -> Mapping[str, frozenset[str]]:
        """For each module those that reach it and that it reaches, itself among them."""
        reached = {name: self._reached(name) for name in self.modules}
        return {name: frozenset(to for to in reached[name] if name in reached[to]) for name in self.modules}

    def _reached(self, name: str) -> set[str]:
        found, to_visit = {name}, [name]
        while to_visit:
            new = self.imports[to_visit.pop()].keys() - found
            found |= new
            to_visit += new
        return found

    def rooms(self) -> Mapping[str, tuple[int, int]]:
        """Count the files and lines of each folder, without those of the folders in it."""
        files, lines = Counter[str](), Counter[str]()
        for module in self.modules.values():
            files[module.room] += 1
            lines[module.room] += module.source.count("\n")
        return {room: (files[room], lines[room]) for room in sorted(files)}

    def offences(self, contracts: Sequence[Mapping[str, Any]], allowed: Mapping[str, str] = ALLOWED) -> list[Offence]:
        """Give all that breaks a limit and is not allowed."""
        found = [offence for contract in contracts for offence in self._against(contract)]
        found += [
            Offence(room, 1, f"{n} .py files")
            for room, (n, _) in self.rooms().items()
            if n > MOST_FILES and room not in allowed
        ]
        for circle in self.circles:
            first, second = next((a, b) for a in circle for b in circle if b in self.imports[a])
            where = self.modules[first].path, self.imports[first][second]
            found.append(Offence(*where, f"a circle of imports: {', '.join(circle)}"))
        for module in self.modules.values():
            found += _large_classes(module, allowed)
            found += _wide_functions(module, allowed)
            found += _rows(module)
        return sorted(found)

    def _against(self, contract: Mapping[str, Any]) -> Iterator[Offence]:
        """Give the imports that run up, or across a floor whose rooms do not know each other."""
        if contract["type"] != "layers":
            return
        for container in contract.get("containers", [""]):
            floors = _floors(contract["layers"])
            for name, imports in self.imports.items():
                room = _room_in(container, name)
                for imported, line in imports.items():
                    other = _room_in(container, imported)
                    if room not in floors or other not in floors or room == other:
                        continue
                    (floor, alone), (floor_of_other, _) = floors[room], floors[other]
                    if floor_of_other < floor or (floor_of_other == floor and alone):
                        yield Offence(self.modules[name].path, line, f"imports {imported}: against the contract")


def _module(root: Path, path: Path) -> Module:
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    source = (root / path).read_text(encoding="utf-8")
    return Module(name, path.as_posix(), source, ast.parse(source, str(path)))


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give what is imported: modules, and names that may be modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:  # ruff bans the relative ones
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _floors(layers: Sequence[str]) -> Mapping[str, tuple[int, bool]]:
    """For each room its floor, 0 on top, and whether the rooms of that floor do not know each other."""
    return {
        room.strip(" ()"): (floor, "|" in layer)
        for floor, layer in enumerate(layers)
        for room in re.split("[|:]", layer)
    }


def _room_in(container: str, module: str) -> str:
    """Give the part of a container that a module belongs to; nothing for the container itself and what is outside."""
    prefix = container and f"{container}."
    return module.removeprefix(prefix).partition(".")[0] if module.startswith(prefix) else ""


def _large_classes(module: Module, allowed: Mapping[str, str]) -> Iterator[Offence]:
    for node in module.classes:
        methods = sum(isinstance(part, Functions) for part in node.body)
        if methods > MOST_METHODS and f"{module.name}.{node.name}" not in allowed:
            yield Offence(module.path, node.lineno, f"class {node.name} has {methods} methods")


def _wide_functions(module: Module, allowed: Mapping[str, str]) -> Iterator[Offence]:
    for node in module.functions:
        count = len([each for each in _parameters(node) if each.arg not in {"self", "cls"}])
        if count > MOST_PARAMETERS and f"{module.name}.{node.name}" not in allowed:
            yield Offence(module.path, node.lineno, f"{node.name}() has {count} parameters")


def _parameters(node: Functions) -> list[ast.arg]:
    given = node.args
    starred = [each for each in (given.vararg, given.kwarg) if each]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *starred]


def _rows(module: Module) -> Iterator[Offence]:
    if module.path.startswith(ROWS_IN):
        return
    for node in module.functions:
        annotations = [each.annotation for each in _parameters(node)] + [node.returns]
        if any("Row[Any]" in ast.unparse(each) for each in annotations if each):
            yield Offence(module.path, node.lineno, f"{node.name}() names Row[Any]")


def described(house: House) -> Iterator[str]:
    """Say the figures of a house, line by line."""
    yield f"{'room':<36}{'files':>7}{'lines':>8}"
    files_of, lines_of = Counter[str](), Counter[str]()
    for room, (files, lines) in house.rooms().items():
        yield f"{room:<36}{files:>7}{lines:>8}"
        package = room.partition("/")[0]
        files_of[package] += files
        lines_of[package] += lines
    yield ""
    yield from (f"{package:<36}{files:>7}{lines_of[package]:>8}" for package, files in files_of.items())
    yield ""
    edges = sum(len(imports) for imports in house.imports.values())
    largest, (most, _) = max(house.rooms().items(), key=lambda room: room[1])
    yield f"imports per module (mean): {edges / len(house.modules):.1f}"
    yield f"circles of imports: {len(house.circles)}"
    yield f"largest folder: {largest}, {most} files"
    yield f"longest chain of imports: {len(house.longest_chain)} modules"
    yield from (f"  {name}" for name in house.longest_chain)


def main(root: Path = Path()) -> int:
    """Print the figures, then what breaks a limit; 1 if anything does."""
    house = House.read(root)
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    offences = house.offences(settings["tool"]["importlinter"]["contracts"])
    print("\n".join(described(house)))
    print(f"\nagainst the limits: {len(offences)}")
    print("".join(f"{offence}\n" for offence in offences), end="")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
