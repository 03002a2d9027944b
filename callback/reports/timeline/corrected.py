"""What a correction of a verdict does, or would do, in sentences: the same on a terminal and on a page. Pure."""

from __future__ import annotations

from typing import Protocol

from callback.reports.timeline.sentences import Speech, verdict


class Said(Protocol):
    """A verdict."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - as in the verdict
    @property
    def reason(self) -> str | None: ...  # noqa: D102 - as in the verdict


class Follows(Protocol):
    """What follows, and in a sentence why nobody is called back, where that is so."""

    @property
    def follows(self) -> str: ...  # noqa: D102 - a code of `losses.corrections.Follows`
    @property
    def why(self) -> str: ...  # noqa: D102 - empty: there is nothing to say


class Stands(Protocol):
    """How a reservation stands."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - as in the row
    @property
    def severity(self) -> int: ...  # noqa: D102 - as in the row
    @property
    def losses(self) -> int: ...  # noqa: D102 - as in the row
    @property
    def deadline_at(self) -> int: ...  # noqa: D102 - as in the row
    @property
    def texts(self) -> int: ...  # noqa: D102 - how many wait to be sent


class Correction(Protocol):
    """A correction with all that follows: see `decisions.corrections.Corrected`."""

    @property
    def was(self) -> Said: ...  # noqa: D102 - the verdict before it
    @property
    def now(self) -> Said: ...  # noqa: D102 - the verdict after it
    @property
    def consequence(self) -> Follows: ...  # noqa: D102 - what follows
    @property
    def before(self) -> Stands | None: ...  # noqa: D102 - the reservation that it changes
    @property
    def after(self) -> Stands | None: ...  # noqa: D102 - the reservation that it changes or makes


def said(done: Correction, speech: Speech) -> list[str]:
    """Say it in a few lines: the verdict, what becomes of the reservation, and what of its text."""
    _ = speech.translate
    was, now = (verdict(one.kind, one.reason, speech) for one in (done.was, done.now))
    lines = [_("{was} → {now}").format(was=was, now=now)]
    match done.consequence.follows:
        case "withdrawn":
            lines.append(_("not lost: the callback is withdrawn, and nobody is called"))
        case "less" if done.after is not None:
            lines.append(_("one loss less counts: {losses} are left").format(losses=done.after.losses))
        case "reserved" if done.after is not None:
            by = speech.time(done.after.deadline_at)
            lines.append(_("lost after all: a callback is promised by {by}").format(by=by))
        case "joined":
            lines.append(_("lost after all: it joins the callback that is owed"))
        case "no-callback":
            lines.append(_("lost after all, and nobody is called back: {why}").format(why=done.consequence.why))
    changes = _changes(done.before, done.after, speech) if done.before and done.after else []
    if len(lines) == 1 and not changes:
        lines.append(_("nothing else changes"))
    return lines + changes


def _changes(before: Stands, after: Stands, speech: Speech) -> list[str]:
    _ = speech.translate
    lines = []
    if before.kind != after.kind:
        lines.append(_("it counts as: {kind}").format(kind=speech.word("kind", after.kind)))
    if before.severity != after.severity:
        lines.append(_("severity {after} instead of {before}").format(after=after.severity, before=before.severity))
    if before.deadline_at != after.deadline_at:
        times = {"by": speech.time(after.deadline_at), "was": speech.time(before.deadline_at)}
        lines.append(_("promised by {by} instead of {was}").format(**times))
    if after.texts < before.texts:
        lines.append(_("a text that is not sent yet is taken back"))
    return lines
