"""What the commands have in common: their options, and looking into the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from callback.clock import now_us
from callback.decisions.reasons import REASONS, said
from callback.settings.sections import Settings, load
from callback.site.context import current, ruled
from callback.site.work import Work
from callback.store.engine import Store
from callback.store.keys import store_of

_Given = TypeVar("_Given")
SettingsFile = Annotated[
    Path, typer.Option("--settings", "-s", envvar="CALLBACK_SETTINGS", help="The settings file (TOML).")
]
DEFAULT = Path("callback.toml")


def no_option(value: _Given) -> _Given:
    """Refuse an option that stands where a value should: what was forgotten is said, and no file gets its name."""
    if str(value).startswith("-"):
        raise typer.BadParameter(f"{value} is an option: write the value that belongs before it, or ./{value}")
    return value


def found_settings() -> Path | None:
    """Give the settings that CALLBACK_SETTINGS names, or that lie here."""
    named = os.environ.get("CALLBACK_SETTINGS")
    return Path(named) if named else DEFAULT if DEFAULT.exists() else None


Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]
Who = Annotated[str | None, typer.Option("--by", help="Who decides; by default the user of this machine.")]

_SHORT: Final = ", ".join(f'{word} ("{reason}")' for word, reason in REASONS.items())
Why = Annotated[str, typer.Option("--why", "-w", callback=said, help=f"The reason; it is kept. In a word: {_SHORT}.")]


def in_force(file: Path) -> Settings:
    """Load the settings, with the rules in force; with the file's own where no service has run on its database yet."""
    wiring = load(file, listens=False)
    with closing(store_of(wiring.database)) as store:
        return ruled(store, wiring, now_us())


@contextmanager
def reading(wiring: Settings) -> Iterator[Work]:
    """Read the database under the rules in force; an empty one, or one of another PBX, is said to be one."""
    with closing(store_of(wiring.database)) as store, looking(store, wiring) as work:
        yield work


@contextmanager
def looking(store: Store, wiring: Settings) -> Iterator[Work]:
    """Do so in one transaction of a database that is open."""
    with store.read() as connection:
        now = now_us()
        yield Work(connection, current(connection, wiring, now), now)


def deciding(settings: Path, act: Callable[[Work], _Given]) -> _Given:
    """Decide in one transaction, under the rules in force."""
    wiring, now = load(settings), now_us()
    with closing(store_of(wiring.database)) as store:
        return store.transact(lambda connection: act(Work(connection, current(connection, wiring, now), now)))
