"""Values of which a busy PBX makes thousands a second."""

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """Make of a class a dataclass whose fields nobody may set again, as the type checker holds.

    One that is frozen at run time too takes thrice as long to make, and twice as long to hand to another process
    (docs/adr/0021).
    """
    made = dataclass(slots=True, unsafe_hash=True)(kind)
    names: tuple[str, ...] = made.__match_args__  # type: ignore[attr-defined]  # a dataclass has them
    fields = attrgetter(*names)  # of one name it gives no tuple
    made.__reduce__ = lambda self: (made, fields(self) if len(names) > 1 else (fields(self),))  # type: ignore[method-assign]
    return made
