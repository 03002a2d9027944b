"""What a run of `make faults` came to: lines for people, one JSON object, and the table of docs/reliability.md."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.faults.accounting import Account, Fault, Wrong
from lab.faults.catalogue import NOTHING, Sign
from lab.faults.records import SECOND, Seen
from lab.faults.run import Struck

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- measured by make faults -->", "<!-- end of what was measured -->"
_KIB_PER_GIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run."""

    seed: int
    seconds: float
    seen: Seen
    account: Account
    struck: tuple[Struck, ...]

    @property
    def right(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.account.wrong and not any(one.complaints for one in self.struck)

    def wrong_in(self, fault: Fault, one: Struck) -> int:
        """How much of this kind went wrong from this strike to the next."""
        later = [other.at for other in self.struck if other.at > one.at]
        until = min(later, default=1 << 62)
        return sum(wrong.fault == fault and one.at <= wrong.at < until for wrong in self.account.wrong)


def summary(result: Result) -> dict[str, object]:
    """The last line: what must be nought, and how long each fault took to recover from."""
    return {
        "calls": len(result.seen.calls),
        "lost": result.account.count("lost"),
        "double_dials": result.account.count("double-dial"),
        "double_texts": result.account.count("double-text"),
        "faults": sum(one.fault is not NOTHING for one in result.struck),
        "complaints": sum(len(one.complaints) for one in result.struck),
        "callbacks": len(result.seen.rings),
        "texts": len(result.seen.texts),
        "seconds": round(result.seconds),
        "recovered_s": {one.fault.name: one.recovered_s for one in result.struck},
    }


def lines(result: Result) -> list[str]:
    """The whole account for people, and the summary as JSON at the end."""
    found = ["", "what became of those whom their phones know to be lost:"]
    found += [f"  {count:5}  {reason}" for reason, count in result.account.reasons.most_common()]
    found += [_told(wrong, result) for wrong in result.account.wrong]
    found += [f"  WRONG  {one.fault.name}: {what}" for one in result.struck for what in one.complaints]
    return [*found, json.dumps(summary(result))]


def _told(wrong: Wrong, result: Result) -> str:
    before = [one for one in result.struck if one.at <= wrong.at]
    during = f"{(wrong.at - before[-1].at) / SECOND:.1f} s after {before[-1].fault.name}" if before else "before any"
    return f"  WRONG  {wrong.fault} of {wrong.number}, {during}: {wrong.why}"


def write(result: Result, page: Path = PAGE) -> None:
    """Put the figures into the page; raises `LabError` where it has no place for them."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise LabError(f"{page} has no place for figures: put the lines {_BEGIN} and {_END} into it.")
    page.write_text("\n".join([before + _BEGIN, *_table(result), _END + after]), encoding="utf-8")


def _table(result: Result) -> list[str]:
    told = summary(result)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024 / _KIB_PER_GIB
    head = (
        f"Measured with seed {result.seed} on {os.cpu_count()} cores and {memory:.0f} GiB, all of the site on them: "
        f"{told['calls']} calls, {told['callbacks']} rings of customers' phones and {told['texts']} texts in "
        f"{result.seconds / 60:.0f} minutes; {told['faults']} kinds of fault."
    )
    rows = ["| fault | what happens | lasts | first verdict | callback | text | lost | rung twice | texted twice |"]
    rows.append("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    rows += [_row(one, result) for one in result.struck]
    reasons = [f"| {reason} | {count} |" for reason, count in result.account.reasons.most_common()]
    return [head, "", *rows, "", "| what became of who was lost | how many |", "| --- | ---: |", *reasons]


def _row(one: Struck, result: Result) -> str:
    shown: tuple[Sign, ...] = ("verdict", "callback", "text")
    lasts = f"{one.fault.lasts_s:g} s" if one.fault.lasts_s else "at once"
    signs = [f"{one.recovered_s[sign]:.1f} s" if sign in one.recovered_s else "none" for sign in shown]
    kinds: tuple[Fault, ...] = ("lost", "double-dial", "double-text")
    counts = [str(result.wrong_in(kind, one)) for kind in kinds]
    return "| " + " | ".join([f"`{one.fault.name}`", one.fault.words, lasts, *signs, *counts]) + " |"
