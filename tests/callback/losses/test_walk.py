"""How far one goes through the house to follow a lost call: counted, so that the walk does not grow unseen.

A stay is entering a function of ours in another module than the one before. Functions of callback/losses are followed,
except of `decide`; what any other function calls is its own affair. Properties and what dataclasses make do not count.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import groupby
from types import FrameType
from typing import Any, Final

from callback.losses import intake
from tests.callback.world import MINUTE, NOON, World, call, judged

OURS: Final = ("callback.", "scheduler.", "sms.", "telephony.")
MOST: Final = 25


def stays(do: Callable[[], object]) -> list[str]:
    """The modules that are entered on the way, one for each stay."""
    entered, depth = list[str](), list[bool]()  # of each open frame of ours: whether it is followed

    def look(frame: FrameType, event: str, _arg: Any) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(OURS):
            return
        if event == "return":
            depth.pop()
        elif event == "call":
            if all(depth) and not _is_passed_over(frame):
                entered.append(module)
            depth.append(module.startswith("callback.losses.") and module != "callback.losses.decide")

    sys.setprofile(look)
    try:
        do()
    finally:
        sys.setprofile(None)
    return [module for module, _ in groupby(entered)]


def _is_passed_over(frame: FrameType) -> bool:
    name, code = frame.f_code.co_name, frame.f_code
    owner = type(frame.f_locals[code.co_varnames[0]]) if code.co_argcount else None
    return name.startswith(("__", "<")) or isinstance(getattr(owner, name, None), property)


def test_an_abandoned_call_is_recorded_in_few_stays(sqlite_world: World) -> None:
    sqlite_world.hear(call("09012345601"))
    verdict = judged(lost := call(ended_at=NOON + MINUTE), "abandoned")
    with sqlite_world.store.write() as connection:
        work = sqlite_world.work(connection, NOON + MINUTE)
        walk = stays(lambda: intake.record(work, lost, verdict))
    assert walk[0] == "callback.losses.intake"
    assert walk.count("callback.losses.decide") == 2, "what hinders, and what is decided"
    assert len(walk) < MOST, "\n".join(walk)
    assert len(sqlite_world.reservations()) == 2
