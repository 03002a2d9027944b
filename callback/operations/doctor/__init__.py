"""`callback doctor`: each part looked at on the real installation, with the remedy for each fault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from callback.errors import CallbackError
from callback.operations.doctor import care, console, machine, manager, numbers, rules, storage
from callback.operations.doctor.finding import Finding
from callback.operations.doctor.numbers import number_lines
from callback.settings.sections import Settings, load

__all__ = ["Finding", "examine", "number_lines", "of_settings"]


def examine(path: Path) -> Iterator[Finding]:
    """Look at everything, in the order in which one part needs the other; broken settings end it."""
    try:
        settings = load(path)
    except CallbackError as error:
        yield Finding("fault", str(error), "mend these and run the doctor again")
        return
    yield from of_settings(settings, path)


def of_settings(settings: Settings, path: Path) -> Iterator[Finding]:
    """Look at everything but the settings themselves, which were read from that file."""
    ruled = rules.in_force(settings)
    yield Finding("ok", f"settings in {path}: {machine.switched(ruled)}")
    yield machine.site_time(ruled)
    stored = machine.database(settings)
    yield stored
    if stored.ok:
        yield from storage.look(settings)
        yield from rules.look(settings)
        yield storage.key(settings)
        yield from numbers.callers(settings)
        yield from console.look(settings)
        yield from care.look(ruled)
    if settings.cluster.redis:
        from callback.operations.doctor import cluster  # noqa: PLC0415 - what it imports is dear, and rarely needed

        yield from cluster.look(settings)
    yield from machine.folders(settings.pbx)
    yield from storage.files(path, settings)
    yield from asyncio.run(manager.visit(ruled))
