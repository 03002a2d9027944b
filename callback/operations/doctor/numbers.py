"""Numbers: what each trunk makes of one, and in which forms its last callers came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

from callback.customers import numbers as phone_numbers
from callback.customers import signalling
from callback.operations.doctor.finding import Finding, sound, warning
from callback.settings.sections import Settings, Trunk
from callback.store import schema
from callback.store.engine import Store
from callback.store.keys import store_of


def number_lines(trunks: Mapping[str, Trunk], signalled: str) -> Iterator[str]:
    """What each trunk makes of a signalled number: E.164 and what is dialled, or why it is not called back."""
    for name, trunk in trunks.items():
        read = phone_numbers.read(signalled, trunk)
        if isinstance(read, phone_numbers.Number):
            yield f"{name}: {signalled} is {read.e164}, dialled as {phone_numbers.dial_string(read.e164, trunk)}"
        else:
            yield f"{name}: {signalled} is not called back: {read.reason}{_which(name, trunk, read)}"


def _which(name: str, trunk: Trunk, refused: phone_numbers.Refused) -> str:
    """Where only the trunk can tell whose number it is: the numbers, and the setting that says it."""
    if not refused.readings:
        return ""
    numbers = f" ({' or '.join(refused.readings)})"
    if trunk.signals:
        return f'{numbers}: [trunks.{name}] signals = "{trunk.signals}" says otherwise'
    return f'{numbers}; say which: [trunks.{name}] signals = "national" or "e164-no-plus"'


def callers(settings: Settings) -> Iterator[Finding]:
    """Say of each trunk in which forms its last callers came, and what follows for its settings."""
    with closing(store_of(settings.database)) as store:
        yield from of_trunks(settings.trunks, _kept(store, settings.pbx.name))


def _kept(store: Store, pbx: str) -> Mapping[str, str]:
    if not store.is_there:
        return {}
    with store.read() as connection:
        return signalling.kept(connection, pbx) if schema.revision_of(connection) == schema.newest() else {}


def of_trunks(trunks: Mapping[str, Trunk], lately: Mapping[str, str]) -> Iterator[Finding]:
    """Judge each trunk by the letters of its last callers (`signalling.letter`) and by what its settings say."""
    for name, trunk in trunks.items():
        came = lately.get(name, "")
        where = f"trunk {name} ({trunk.region})"
        if not came and not trunk.signals:
            remedy = f'[trunks.{name}] signals = "national", "e164-no-plus" or "e164"; docs/numbers.md'
            yield warning(f"{where}: nobody has called yet, nor is it said how it signals callers", remedy)
        elif advice := signalling.advice(came, trunk.signals):
            yield warning(f"{where}: {signalling.in_words(came)}", f"[trunks.{name}] {advice}")
        else:
            yield sound(f"{where}: {signalling.in_words(came)}" if came else f"{where} signals {trunk.signals}")
