"""What each stage of a run came to, with the most likely cause and its remedy. Pure: facts in, words out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from callback.probe.api import Known
from callback.probe.pbx import Run
from callback.probe.texts import Text

Result = Literal["ok", "failed", "unknown", "skipped"]
Name = Literal["called-in", "found", "texted", "called-back", "talked"]
STAGES: Final[tuple[Name, ...]] = ("called-in", "found", "texted", "called-back", "talked")
EXITS: Final[dict[Result, int]] = {"ok": 0, "failed": 1, "unknown": 2, "skipped": 0}

_DEAF: Final = (
    "does `callback run` listen (systemctl status lcr)? its eventfilter lines must be those of manager_lcr.conf,"
    ' [trunks.probe] channel = "PJSIP/lcr-probe-in"; `callback doctor`'
)
_FILTERED: Final = 30007
_SHORT_S: Final = 1  # the PBX writes whole seconds


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: how it went, after how many seconds, and if not well: why most likely, and what to do."""

    name: Name
    result: Result
    seconds: float | None = None
    cause: str = ""
    remedy: str = ""


def overall(stages: Iterable[Stage]) -> Result:
    """Give the result of a run: a stage that failed is the service's, whatever else could not be told."""
    results = {stage.result for stage in stages}
    return "failed" if "failed" in results else "unknown" if "unknown" in results else "ok"


def called_in(run: Run, waits_s: int) -> Stage:
    """Whether the probe's own call came into its queue, and ended by giving up."""
    if run.placed is None:
        remedy = "include extensions_lcr_probe.conf in extensions.conf, `dialplan reload`"
        return Stage("called-in", "unknown", None, "the probe's own call was not placed", remedy)
    if run.joined is None:
        remedy = (
            "pjsip_lcr_probe.conf: contact must be the PBX's own SIP address and match hold it;"
            " asterisk -rx 'pjsip show endpoint lcr-probe-in', 'dialplan show lcr-probe-in'"
        )
        return Stage("called-in", "unknown", None, "the probe's own call did not reach its queue", remedy)
    if run.left is None:
        remedy = "asterisk -rx 'core show channels': hang up what waits in lcr-probe; func_timeout.so must be loaded"
        return Stage("called-in", "unknown", None, f"the probe's own call did not end after {waits_s} s", remedy)
    return Stage("called-in", "ok", float(run.left - run.joined))


def found(known: Known | None, seconds: float, *, asked: bool, texted: bool, rung: bool) -> Stage:
    """Whether the service heard of the lost call: by its API where that is asked, else by what followed."""
    if known is not None or (not asked and (texted or rung)):
        return Stage("found", "ok", round(seconds, 1) if known is not None else None)
    if texted or rung:  # and its API does not say so
        cause = "the API shows no reservation for a caller who was texted or called"
        return Stage("found", "failed", None, cause, "[api] queue must be the probe's, and its token see its group")
    said = "the API shows no reservation of it" if asked else "neither a text nor a call came"
    return Stage("found", "failed", None, f"the lost call was not found: {said}; the service is deaf", _DEAF)


def texted(text: Text | None, seconds: float, within_s: float) -> Stage:
    """Whether the explaining text left for our number; what the gateway only took is late once the time is over."""
    if text is None:
        remedy = (
            '[rules.queues.lcr-probe] texts = "on", its caps (texts_a_day) and the gateway: the service tells'
            " texts-refused and texts-delayed; `callback find NUMBER`"
        )
        cause = f"the gateway was asked for no text, or refused it, within {within_s:g} s"
        return Stage("texted", "failed", None, cause, remedy)
    if text.state == "failed":
        code = f"error {text.code}" if text.code else "no error number"
        filtered = text.code == _FILTERED
        cause = f"the text was {'filtered by the carrier' if filtered else 'not delivered'} ({code})"
        return Stage("texted", "failed", round(seconds, 1), cause, _remedy_of(text.code))
    if text.state == "waiting":
        cause = f"the gateway took the text, and had not sent it after {within_s:g} s"
        return Stage("texted", "failed", None, cause, "see the gateway's status page, and the sender's limit of texts")
    return Stage("texted", "ok", round(seconds, 1))


def _remedy_of(code: int) -> str:
    if code == _FILTERED:
        return "the account's compliance settings at Twilio: carriers drop its texts to customers too"
    where = f"https://www.twilio.com/docs/api/errors/{code}" if code else "the gateway's log"
    return f"see {where}; if only our own phone was off, turn it on"


def called_back(run: Run, number: str, within_s: float, *, why: str = "") -> Stage:
    """Whether our phone rang, once, after the pretend agent was free."""
    rings = run.rings(number)
    if len(rings) > 1:
        cause = f"our phone was rung {len(rings)} times for one loss"
        return Stage(
            "called-back", "failed", None, cause, "`callback find NUMBER` shows the attempts; tell the developers"
        )
    if rings:
        late = f"{rings[0] - (run.freed or rings[0]):d} s"
        if run.freed is not None and rings[0] - run.freed > within_s:
            cause = f"called back only after {late}"
            return Stage("called-back", "failed", float(rings[0] - run.freed), cause, _why_not(why))
        return Stage("called-back", "ok", float(max(0, rings[0] - (run.freed or rings[0]))))
    if run.freed is None:
        remedy = "include extensions_lcr_probe.conf in extensions.conf, load func_devstate.so"
        return Stage("called-back", "unknown", None, "the pretend agent could not be made free", remedy)
    if run.agent is not None:
        remedy = (
            'the context lcr-customer of extensions_lcr.conf, [trunks.probe] dial = "Local/{number}@lcr-probe-phone/n"'
            " and its form; `callback doctor`"
        )
        cause = "an agent was asked, and the customer's phone never rang: the dialplan or the trunk cannot dial"
        return Stage("called-back", "failed", None, cause, remedy)
    cause = f"nobody called back within {within_s:g} s, and no agent was asked: the service cannot dial, or may not"
    return Stage("called-back", "failed", None, cause, _why_not(why))


def _why_not(why: str) -> str:
    said = f"the service says '{why}'; " if why else ""
    return (
        f"{said}manager.conf: write of the service's user must hold originate; extensions_lcr.conf be included"
        ' (`callback doctor`); [rules.queues.lcr-probe] calls = "on", its hours and caps (rings_a_day);'
        " `callback queue --queue lcr-probe` says why nobody called yet"
    )


def talked(run: Run, number: str, talks_s: int) -> Stage | None:
    """Whether the callback lasted as long as our phone wanted; None where none came."""
    rings = run.rings(number)
    if not rings:
        return None
    if run.answered is None or run.hung is None:
        if run.hung is None:
            return Stage(
                "talked", "unknown", None, "the callback did not end in time", "asterisk -rx 'core show channels'"
            )
        return Stage("talked", "failed", None, "the callback ended before our phone answered", "`callback find NUMBER`")
    seconds = run.hung - run.answered
    if seconds < talks_s - _SHORT_S:
        remedy = "nobody at our end hung up: see the PBX's log for what ended it; `callback find NUMBER`"
        return Stage("talked", "failed", float(seconds), f"the callback broke off after {seconds} s", remedy)
    return Stage("talked", "ok", float(seconds))
