"""`python -m benchmarks NAME ...` runs a benchmark; without a name it lists them."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

_MODULES = {"import": "imports"}  # a keyword is no module's name
_NAMES = {module: name for name, module in _MODULES.items()}


def listed() -> dict[str, str]:
    """Give the benchmarks, the modules here that have a `main`, each with the first line of its docstring."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in module.body):
            found[_NAMES.get(path.stem, path.stem)] = (ast.get_docstring(module) or "").partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named first with the rest of the arguments; give the exit status."""
    benchmarks = listed()
    name = arguments[0] if arguments else ""
    if name in benchmarks:
        return int(importlib.import_module(f"benchmarks.{_MODULES.get(name, name)}").main(arguments[1:]))
    sys.stdout.write("make bench BENCH=<name> ARGS=--help\n")
    for name, line in benchmarks.items():
        sys.stdout.write(f"  {name:12} {line}\n")
    return 2 if arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
