"""What the queue page shows, as CSV for a spreadsheet and as JSON for programs: masked alike, and never a formula."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from callback.reports.queue.rows import Row
from callback.web.console.reports import spreadsheet
from callback.web.console.shown import masked, said
from callback.web.console.words import Language, say
from scheduler.clock import local

COLUMNS: Final = (
    "id", "lane", "promised_by", "told_by", "customer", "losses", "queue", "lost_as", "waited_s", "talked_s",
    "why_not_yet", "until", "turn", "tries", "last_outcome", "text", "whose",
)  # fmt: skip


def as_json(rows: Iterable[Row], zone: ZoneInfo) -> str:
    """Give the rows with their codes, one object each; instants as RFC 3339."""
    return json.dumps([facts(row, zone) for row in rows], ensure_ascii=False, indent=1)


def as_csv(rows: Iterable[Row], zone: ZoneInfo, language: Language) -> str:
    """Give the rows in words, with a line of names above them."""
    told = ({**facts(row, zone), **_in_words(row, language)} for row in rows)
    return spreadsheet.as_csv(COLUMNS, ([one[name] for name in COLUMNS] for one in told))


def facts(row: Row, zone: ZoneInfo) -> dict[str, Any]:
    """The facts of one row that its page shows."""
    return {
        "id": row.reservation,
        "lane": row.lane,
        "promised_by": _instant(row.deadline_at, zone),
        "told_by": _instant(row.overdue_by_at, zone),
        "customer": masked(row.number),
        "losses": row.losses,
        "queue": row.queue,
        "lost_as": row.lost.reason if row.lost is not None and row.lost.reason else row.kind,
        "waited_s": round(row.lost.waited_s) if row.lost is not None else None,
        "talked_s": round(row.lost.talked_s) if row.lost is not None else None,
        "why_not_yet": row.why.word,
        "until": _instant(row.why.until_at, zone),
        "turn": row.why.turn,
        "tries": row.tries,
        "last_outcome": row.last.outcome if row.last is not None else None,
        "text": row.text_refusal or (row.text.word if row.text is not None else None),
        "whose": None if row.assigned_to is None else said(row.assigned_to),
    }


def _in_words(row: Row, language: Language) -> Mapping[str, str | None]:
    lost = ("reason", row.lost.reason) if row.lost is not None and row.lost.reason else ("kind", row.kind)
    about = {
        "held_by": said(row.held_by or ""),
        "held_why": said(row.held_why or ""),
        "incident": row.incident,
        "trunk": row.trunk,
        "queue": row.queue,
    }
    text = None if row.text is None else say(language, "text", row.text.word)
    return {
        "lane": say(language, "lane", row.lane),
        "lost_as": say(language, lost[0], lost[1]),  # type: ignore[arg-type]
        "why_not_yet": say(language, "why-not", row.why.word, **about),
        "last_outcome": None if row.last is None else say(language, "outcome", row.last.outcome),
        "text": text if row.text_refusal is None else say(language, "no-text", row.text_refusal),
    }


def _instant(at: int | None, zone: ZoneInfo) -> str | None:
    return None if at is None else local(at, zone).isoformat(timespec="seconds")
