"""Every action that the code writes into the audit, read from the source: what is given to `audit.add` and the like.

A function that hands on one of its own parameters as the action writes it too: what its callers give is read there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import callback

_SOURCE: Final = Path(callback.__file__).parent


@dataclass(frozen=True, slots=True)
class _Writer:
    """A function that writes its argument at `place` into the audit, as the `form` says."""

    place: int
    form: str = "{}"


@dataclass(frozen=True, slots=True)
class Actions:
    """The actions that stand in the source, and the expressions that only a run can tell, by module."""

    known: frozenset[str]
    unread: frozenset[tuple[str, str]]


_METHOD: Final = ".audit"  # of a `Change`
_WRITERS: Final = {f"callback.store.audit.{name}": _Writer(3) for name in ("add", "add_all")} | {_METHOD: _Writer(0)}
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Found = tuple[_Function, ast.expr, _Writer]


@dataclass(frozen=True, slots=True)
class _Module:
    """A module with its calls: each with the function that it stands in, and what is called, in full."""

    name: str
    tree: ast.Module
    calls: tuple[tuple[_Function, ast.Call, str], ...]

    def written(self, writers: dict[str, _Writer]) -> Iterator[_Found]:
        """Each call that writes into the audit: the function it stands in, the action that is given, and to whom."""
        for function, call, name in self.calls:
            writer = writers.get(name)
            if writer is not None and len(call.args) > writer.place:
                yield function, call.args[writer.place], writer


@cache
def collect() -> Actions:
    """Read all modules; whoever hands an action on is found first. It takes a second or two, once."""
    modules = [_read(path) for path in sorted(_SOURCE.rglob("*.py"))]
    writers, before = dict(_WRITERS), 0
    while len(writers) > before:
        before = len(writers)
        for module in modules:
            for function, given, writer in module.written(writers):
                if (found := _handed_on(function, given)) is not None:
                    name = f"{module.name}.{function.name}"
                    writers.setdefault(name, _Writer(found.place, writer.form.format(found.form)))
    known, unread = set[str](), set[tuple[str, str]]()
    for module in modules:
        for function, given, writer in module.written(writers):
            if _handed_on(function, given) is None:
                values = _values(module.tree, function, given)
                known |= {writer.form.format(value) for value in values}
                unread |= set() if values else {(module.name, ast.unparse(given))}
    return Actions(frozenset(known), frozenset(unread))


def _read(path: Path) -> _Module:
    name, tree = _dotted(path), ast.parse(path.read_bytes())
    nodes = list(ast.walk(tree))
    imports = _imports(nodes)
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    calls = [(one, node) for one in functions for node in ast.walk(one) if isinstance(node, ast.Call) and node.args]
    return _Module(name, tree, tuple((one, call, _name(name, imports, call.func)) for one, call in calls))


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(_SOURCE.parent).with_suffix("").parts)


def _imports(nodes: list[ast.AST]) -> dict[str, str]:
    """What each imported name is in full."""
    found = (node for node in nodes if isinstance(node, ast.ImportFrom))
    return {one.asname or one.name: f"{node.module}.{one.name}" for node in found for one in node.names}


def _name(module: str, imports: dict[str, str], called: ast.expr) -> str:
    """The function that is called, in full, where it is one of a module; the method of a change."""
    if isinstance(called, ast.Name):
        return imports.get(called.id, f"{module}.{called.id}")
    if isinstance(called, ast.Attribute):
        return _METHOD if called.attr == "audit" else f"{imports.get(ast.unparse(called.value))}.{called.attr}"
    return ""


def _handed_on(function: _Function, given: ast.expr) -> _Writer | None:
    """The function's own parameter that is given, as it is or within a text.

    A public function whose parameter is of few words is not followed: those words are all that it writes.
    """
    every = [one for one in function.args.args if one.arg != "self"]
    private = function.name.startswith("_")
    names = [one.arg if private or ast.unparse(one.annotation or one) == "str" else "" for one in every]
    if isinstance(given, ast.Name) and given.id in names:
        return _Writer(names.index(given.id))
    if isinstance(given, ast.JoinedStr):
        parts = [one.value for one in given.values if isinstance(one, ast.FormattedValue)]
        within = [one.id for one in parts if isinstance(one, ast.Name) and one.id in names]
        if within:
            form = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in given.values)
            return _Writer(names.index(within[0]), form)
    return None


def _values(tree: ast.Module, function: _Function, given: ast.expr) -> set[str]:
    """The texts that an expression may be: its own, or those of a name that is set in the function or the module."""
    if isinstance(given, ast.Constant):
        return {str(given.value)}
    if isinstance(given, ast.IfExp):
        return _values(tree, function, given.body) | _values(tree, function, given.orelse)
    if isinstance(given, ast.Name):
        for node in (*ast.walk(function), *tree.body):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if given.id in map(ast.unparse, targets):
                    return _values(tree, function, node.value)
    return set()
