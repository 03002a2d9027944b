"""Work divided among processes: each processor takes a part of it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from callback.errors import CallbackError

Given = TypeVar("Given")
Made = TypeVar("Made")


def divided(function: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
    """Give what `map` gives; each processor's process takes a part of the items, neighbours together.

    They begin at once, with all that this process knows by then; what is made has to be picklable and small. Raises
    what the function raises, and CallbackError where one of them is stopped from outside.
    """
    todo = list(items)
    share = -(-len(todo) // (os.cpu_count() or 1)) or 1
    parts = [todo[begin : begin + share] for begin in range(0, len(todo), share)]
    if len(parts) < 2:  # noqa: PLR2004 - nothing to divide
        return map(function, todo)
    return _gathered([(len(part), *_begun(function, part)) for part in parts])


def _begun(function: Callable[[Given], Made], part: Sequence[Given]) -> tuple[Any, Connection]:
    here, there = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork")  # whatever the function knows need not be picklable then
    process = fork.Process(target=_send, args=(function, part, there), daemon=True)
    process.start()
    there.close()
    return process, here


def _gathered(begun: Sequence[tuple[int, Any, Connection]]) -> Iterator[Any]:
    try:
        for number, _, here in begun:
            for _ in range(number):
                made = here.recv()
                if isinstance(made, Exception):
                    raise made
                yield made
    except EOFError as error:
        raise CallbackError("a process that simulated past days was stopped from outside; try again") from error
    finally:
        for _, process, here in begun:
            here.close()
            process.terminate()
            process.join()


def _send(function: Callable[[Given], Made], part: Sequence[Given], there: Connection) -> None:
    with suppress(BrokenPipeError, KeyboardInterrupt):  # nobody listens any more
        for item in part:
            try:
                made: object = function(item)
            except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
                made = error
            there.send(made)
