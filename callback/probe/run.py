"""One run of the probe: it calls, gives up, and looks whether it was found, texted and called back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from callback.probe import api, pbx, stages, texts
from callback.probe.api import Known
from callback.probe.errors import NotKnown
from callback.probe.pbx import Run
from callback.probe.settings import DAYS, Hours, Settings
from callback.probe.stages import Result, Stage
from callback.probe.texts import Text, Watch

LOOK_S: Final = 2.0
"""How often is looked; what is measured goes by the PBX's own clock where it can."""
CALLING_S: Final = 25
"""What the PBX may need beside the wait itself to place a call, and to end one."""
_CLOCKS_DIFFER_S: Final = 2
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went."""

    result: Result
    number: str
    at: datetime
    stages: tuple[Stage, ...]


def is_open(hours: Hours, now: datetime) -> bool:
    """Tell whether the probe may call now."""
    there = now.astimezone(ZoneInfo(hours.zone))
    return DAYS[there.weekday()] in hours.days and hours.begin <= there.time() < hours.until


def next_number(settings: Settings, last: str) -> str:
    """Give the number whose turn it is: the one behind the last that called."""
    numbers = settings.call.numbers
    place = next((place for place, number in enumerate(numbers) if number[1:] == last), -1)
    return numbers[(place + 1) % len(numbers)]


def look_over(settings: Settings) -> Outcome:
    """Try everything that a run needs, and call nobody."""
    at = datetime.now(UTC)
    number = settings.call.numbers[0]
    try:
        number = next_number(settings, pbx.last_run(settings.pbx).number)
        if (watched := texts.watch(settings.texts, number, at)) is not None:
            watched.look()
        if settings.api.url:
            api.known(settings.api, at.timestamp())
    except NotKnown as error:
        return Outcome("unknown", number, at, (Stage("called-in", "unknown", None, error.cause, error.remedy),))
    return Outcome("skipped", number, at, (Stage("called-in", "skipped", None, "a dry run: nobody was called"),))


def run(settings: Settings) -> Outcome:
    """Make one run. Whatever the probe cannot see is not known, and no fault of the service."""
    at = datetime.now(UTC)
    watching = _Watching(settings)
    try:
        watching.call(at)
        if not watching.lost:
            return watching.outcome(at)
        watching.see_found()
        if watching.deaf:
            pbx.free(settings.pbx)  # who hears of it later may call back at once
            return watching.outcome(at)
        watching.see_text()
        watching.see_callback()
    except NotKnown as error:
        watching.blind(error)
    return watching.outcome(at)


@dataclass
class _Watching:
    """What is seen in one run, stage by stage."""

    settings: Settings
    number: str = ""
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    seen: Run = field(default_factory=Run)
    known: Known | None = None
    found_s: float = 0.0
    told: list[Stage] = field(default_factory=list)
    texts: Watch | None = None
    text: Text | None = None
    lost_at: float = 0.0  # monotonic

    def call(self, at: datetime) -> None:
        """Call as a customer, and give up."""
        settings = self.settings
        self.number = settings.call.numbers[0]
        self.number = next_number(settings, pbx.last_run(settings.pbx).number)
        self.texts, blind = self._watch(at)
        pbx.place(settings.pbx, settings.call, self.number, self.token)
        self._until(self._left, settings.call.waits_s + CALLING_S)
        self.lost_at = time.monotonic()
        self.told.append(stages.called_in(self.seen, settings.call.waits_s))
        if blind is not None:
            self.told.append(blind)

    @property
    def lost(self) -> bool:
        """Whether the probe was lost, as it wanted."""
        return self.told[0].result == "ok"

    @property
    def deaf(self) -> bool:
        """Whether the service is known to have heard nothing: then nothing follows, and nothing is waited for."""
        return any(stage.name == "found" and stage.result == "failed" for stage in self.told)

    def see_found(self) -> None:
        """Ask the API until it shows the reservation."""
        if not self.settings.api.url:
            return
        within_s = self.settings.expect.found_within_s
        try:
            self.known = self._until(self._known, within_s)
        except NotKnown as error:
            self.told.append(Stage("found", "unknown", None, error.cause, error.remedy))
            return
        self.found_s = time.monotonic() - self.lost_at
        if self.known is None:
            self.told.append(stages.found(None, self.found_s, asked=True, texted=False, rung=False))

    def see_text(self) -> None:
        """Look for the text; a text that waits at the gateway is waited for."""
        if self.texts is None:
            if not any(stage.name == "texted" for stage in self.told):
                self.told.append(Stage("texted", "skipped", None, "no gateway's record is named ([texts] watch)"))
            return
        within_s = self.settings.expect.texted_within_s
        try:
            self._until(self._text, within_s)
        except NotKnown as error:
            self.told.append(Stage("texted", "unknown", None, error.cause, error.remedy))
            return
        self.told.append(stages.texted(self.text, time.monotonic() - self.lost_at, within_s))

    def see_callback(self) -> None:
        """Let the agent be free, wait for the ring, and for the end of the talk."""
        settings = self.settings
        pbx.free(settings.pbx)
        within_s = settings.expect.called_within_s
        self._until(self._rung, within_s)
        if self.seen.rings(self.number):
            self._until(self._hung, settings.call.talks_s + CALLING_S)
        self.told.append(stages.called_back(self.seen, self.number, within_s, why=self._why()))
        if (talk := stages.talked(self.seen, self.number, settings.call.talks_s)) is not None:
            self.told.append(talk)

    def blind(self, error: NotKnown) -> None:
        """Note that the probe sees no further: what was not told yet is not known."""
        name = next(name for name in stages.STAGES if all(stage.name != name for stage in self.told))
        if name == "found":
            name = "called-back"  # what can fail there is the PBX
        self.told.append(Stage(name, "unknown", None, error.cause, error.remedy))

    def outcome(self, at: datetime) -> Outcome:
        """Put together what was seen."""
        if self.told and self.lost and not any(stage.name == "found" for stage in self.told):
            self.told.append(self._found())
        told = sorted(self.told, key=lambda stage: stages.STAGES.index(stage.name))
        return Outcome(stages.overall(told), self.number, at, tuple(told))

    def _found(self) -> Stage:
        """Say whether it was found, from all that was seen; blind on one eye, what did not come proves nothing."""
        rung = bool(self.seen.agent or self.seen.rings(self.number))
        asked = bool(self.settings.api.url)
        if not (self.known or self.text or rung) and any(stage.result == "unknown" for stage in self.told):
            return Stage("found", "unknown", None, "what would show it could not be seen", "see the other stages")
        return stages.found(self.known, self.found_s, asked=asked, texted=self.text is not None, rung=rung)

    def _watch(self, at: datetime) -> tuple[Watch | None, Stage | None]:
        try:
            return texts.watch(self.settings.texts, self.number, at), None
        except NotKnown as error:
            return None, Stage("texted", "unknown", None, error.cause, error.remedy)

    def _until(self, look: Callable[[], Found | None], within_s: float) -> Found | None:
        """Look until something is seen, or the time is over."""
        deadline = time.monotonic() + within_s
        while (seen := look()) is None and time.monotonic() < deadline:
            time.sleep(min(LOOK_S, max(0.0, deadline - time.monotonic())))
        return seen

    def _ask(self) -> Run:
        run = pbx.last_run(self.settings.pbx)
        if run.token == self.token:
            self.seen = run
        elif run.placed is not None and self.seen.placed is not None:
            raise NotKnown("another probe has called meanwhile", "let one probe call on a PBX at a time")
        return self.seen

    def _left(self) -> bool | None:
        return self._ask().left is not None or None

    def _rung(self) -> bool | None:
        return bool(self._ask().rings(self.number)) or None

    def _hung(self) -> bool | None:
        return self._ask().hung is not None or None

    def _known(self) -> Known | None:
        placed = self.seen.placed or 0
        return api.known(self.settings.api, placed - _CLOCKS_DIFFER_S)

    def _text(self) -> Text | None:
        """Look for the text; one that may still come further is waited for."""
        self.text = self.texts.look() if self.texts is not None else None
        return self.text if self.text is not None and self.text.state in {"delivered", "failed"} else None

    def _why(self) -> str:
        """Ask the service why nobody has called yet, where it can be asked."""
        if not self.settings.api.url or self.seen.rings(self.number):
            return ""
        try:
            known = self._known()
        except NotKnown:
            return ""
        return known.why if known is not None else ""
