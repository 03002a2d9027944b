"""Work in processes beside this one, which tell what comes of it by a connection."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from callback.errors import CallbackError

Given = TypeVar("Given")
Made = TypeVar("Made")


@contextmanager
def telling(target: Callable[..., None], *arguments: object, method: str | None = None) -> Iterator[Connection]:
    """Run a process meanwhile, and give the connection by which it tells; it has the other end as its last argument.

    `method` is how it is started (None: as Python prefers). It ends with this, whatever it is at; what stops it from
    outside is an EOFError where it is listened to.
    """
    context: Any = multiprocessing.get_context(method)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, there), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.terminate()
        process.join()


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
    running = ExitStack()
    # By fork, whatever the function knows need not be picklable
    lines = [running.enter_context(telling(_send, function, part, method="fork")) for part in parts]
    return _gathered(running, list(zip(map(len, parts), lines, strict=True)))


def _gathered(running: ExitStack, begun: Sequence[tuple[int, Connection]]) -> Iterator[Any]:
    try:
        with running:
            for number, here in begun:
                for _ in range(number):
                    made = here.recv()
                    if isinstance(made, Exception):
                        raise made
                    yield made
    except EOFError as error:
        raise CallbackError("a process that took a part of the work was stopped from outside; try again") from error


def _send(function: Callable[[Given], Made], part: Sequence[Given], there: Connection) -> None:
    with suppress(BrokenPipeError, KeyboardInterrupt):  # nobody listens any more
        for item in part:
            try:
                made: object = function(item)
            except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
                made = error
            there.send(made)
