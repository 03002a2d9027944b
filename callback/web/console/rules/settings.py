"""The settings of the rules, by section, as the form has them: kind, unit, default, range, and what each one is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from callback.settings.care import Campaigns, Care, Compensation, Department, QueueCare
from callback.settings.rules import WEEKDAYS, Pacing, QueueRules, QuietRules, SiteRules
from callback.web.console.rules.meanings import MEANINGS

Kind = Literal["number", "yes-no", "choice", "time", "list", "rows", "lines", "text"]


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


IN_FILE: Final[Mapping[str, type[BaseModel]]] = {"departments": Department, "compensations": Compensation}
"""Settings of care that have names of their own, and no field in the form: the settings file has them."""
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    _("Hours"): ("zone", *(f"opening.{day}" for day in WEEKDAYS), "no_ring_after", "no_ring_before"),
    _("Holidays"): ("holidays_of", "holidays", "no_holidays", "special"),
    _("Promises"): (
        "window_min", "aim_min", "silent_min", "dropped_min", "before_cut_min", "overdue_min", "short_abandon_s",
        "slot_room",
    ),
    _("Attempts"): (
        "max_tries", "retry_busy_min", "retry_no_answer_min", "retry_unknown_min", "retry_our_fault_min",
        "agent_wait_s", "ring_s", "reached_after_s", "rings_a_day", "trunk_rest_s", "own_calls", "own_call_grace_s",
    ),
    _("Texts"): ("text_grace_s", "texts_a_day", "texts_a_block", "texts_an_hour", "ask_after"),
    _("Incidents"): (
        "incident_losses", "incident_min", "incident_drain_per_min", "one_ring_s", "one_ring_numbers", "one_ring_min",
    ),
    _("Callers"): ("dids", "default_queue", "returning_priority"),
    _("Kept free for live callers"): ("pacing.keep_free", "pacing.most_at_once", "pacing.binds_min"),
    _("Customers who are not content"): tuple(f"care.{name}" for name in Care.model_fields if name not in IN_FILE),
    _("Campaigns"): tuple(f"campaigns.{name}" for name in Campaigns.model_fields),
    _("What a callback may cost"): (
        "pacing.price_in_aim", "pacing.price_in_window", "pacing.price_overdue", "pacing.price_binding",
    ),
}  # fmt: skip
"""The settings of the whole site, by section."""
NAMED: Final[Mapping[str, type[BaseModel]]] = {"queues": QueueRules, "countries": QuietRules, "trunks": QuietRules}
"""What there may be many of, by name."""
PARTS: Final[Mapping[str, type[BaseModel]]] = {"pacing": Pacing, "care": Care, "campaigns": Campaigns}
"""Parts of the rules that are one table each."""
PLURALS: Final = {"queues": _("Queues"), "countries": _("Countries"), "trunks": _("Trunks")}
DAYS: Final = (
    _("monday"), _("tuesday"), _("wednesday"), _("thursday"), _("friday"), _("saturday"), _("sunday"),
)  # fmt: skip
CHOICES: Final[Mapping[str, str]] = {
    "watch": _("watch only"),
    "on": _("on"),
    "settle": _("settles what is owed, from the agent's own phone"),
    "settle-any-phone": _("settles what is owed, from any phone"),
    "grace": _("puts our call off"),
    "ignore": _("changes nothing"),
    "agent": _("the agent"),
    "team": _("a team"),
    "customer": _("the customer, who then waits for the agent that was free"),
    "true": _("yes"),
    "false": _("no"),
}
"""What stands for the values of settings that are chosen among a few."""
_CLOCK: Final = re.compile(r"[0-9]{2}:[0-9]{2}:00")
UNITS: Final = {"min": _("minutes"), "s": _("seconds"), "h": _("hours"), "days": _("days")}
_ROWS: Final = ("care.products",)
"""Lists whose parts are names, which may hold a space or a comma: one a line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `means` is a sentence of the catalogues; `least` and `most` bound a number."""

    key: str
    kind: Kind
    means: str
    default: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    above: bool = False  # more than `least`, not at least

    @property
    def name(self) -> str:
        """The last part of the key, as the settings file has it."""
        return self.key.rpartition(".")[2]


@cache
def setting(key: str) -> Setting:
    """One setting by its key, as docs/settings.md names it."""
    model, field, about = _field(key)
    if about is None:  # one entry of several: the hours of a day, the queue of a number
        return Setting(key, "text", MEANINGS[f"{model}{field}"], "")
    kind, choices = ("rows", ()) if key in _ROWS else _kind(about.annotation)
    bounds = {type(one): one for one in about.metadata}
    least: Any = bounds.get(Ge) or bounds.get(Gt)
    most: Any = bounds.get(Le)
    default = "" if about.is_required() else typed(about.get_default(call_default_factory=True))
    return Setting(
        key,
        kind,
        MEANINGS[f"{model}{field}"],
        default,
        UNITS.get(field.rpartition("_")[2], "") if "_" in field else "",
        choices,
        "" if least is None else f"{getattr(least, 'ge', None) or getattr(least, 'gt', 0):g}",
        "" if most is None else f"{most.le:g}",
        above=isinstance(least, Gt),
    )


def of_named(kind: str, name: str) -> list[Setting]:
    """The settings of one queue, country or trunk."""
    fields = [field for field in NAMED[kind].model_fields if field != "care"]
    if kind == "queues":
        fields += [f"care.{field}" for field in QueueCare.model_fields]
    return [setting(f"{kind}.{name}.{field}") for field in fields]


def path_of(key: str) -> tuple[str, ...]:
    """The parts of a key; a name between the first and the last may hold a point."""
    first, _point, rest = key.partition(".")
    name, _point, last = rest.rpartition(".")
    if first == "queues" and name.endswith(".care") and last in QueueCare.model_fields:
        return (first, name.removesuffix(".care"), "care", last)
    if first in NAMED and name:
        return (first, name, last)
    if first in PARTS:
        return tuple(key.split("."))  # no name below them holds a point
    return (first, rest) if rest else (first,)


def typed(value: object) -> str:
    """A value as it is typed into a field."""
    if isinstance(value, dict):
        return "\n".join(f"{name} = {one}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    text = "" if value is None else str(value)
    return text[:5] if _CLOCK.fullmatch(text) else text


def _field(key: str) -> tuple[str, str, FieldInfo | None]:
    """The part of the rules that a key lies in, its field, and what pydantic knows of that."""
    path = path_of(key)
    if path[0] == "queues" and path[-2] == "care":
        return "queues.care.", path[-1], QueueCare.model_fields[path[-1]]
    if path[0] in PARTS and len(path) > 3:  # noqa: PLR2004 - a name, and what stands below it
        return f"{path[0]}.{path[1]}.", path[-1], IN_FILE[path[1]].model_fields[path[-1]]
    if path[0] in PARTS:
        return f"{path[0]}.", path[1], None if len(path) > 2 else PARTS[path[0]].model_fields[path[1]]  # noqa: PLR2004
    if path[0] in NAMED:
        of = "queues." if path[0] == "queues" else "quiet."
        return of, path[-1], NAMED[path[0]].model_fields[path[-1]]
    return "", path[0], None if len(path) > 1 else SiteRules.model_fields[path[0]]


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:  # noqa: ANN401 - a type as it is written
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "choice", tuple(map(str, arguments))
    if origin is tuple:
        return "list", ()
    if origin is dict:
        return "lines", ()
    plain: dict[Any, Kind] = {bool: "yes-no", int: "number", float: "number", time: "time"}
    if annotation in plain:
        return plain[annotation], ()
    if arguments:
        return _kind(arguments[0])
    return "text", ()
