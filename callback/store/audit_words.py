"""What a decision did, in words: which time or name was decided, and what it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Facts = Mapping[str, Any]
Time = Callable[[int], str]


def words(action: str, facts: Facts, time: Time) -> str:
    """Say what was decided: the action as its command is named, and to what."""
    said = _stands(facts) if action in {"block", "unblock"} else action + _MORE.get(action, _nothing)(facts, time)
    return said + ("; held no more" if "held_no_more" in facts else "") + _cancelled(facts)


def _nothing(_facts: Facts, _time: Time) -> str:
    return ""


def _slot(facts: Facts, time: Time) -> str:
    return f" at {time(facts['slot_at'])}"


def _postpone(facts: Facts, time: Time) -> str:
    """What the customer was promised stays; where the new time lies after it, that is said."""
    late = ", before that" if facts["due_at"] > facts["deadline_at"] else ""
    return f" until {time(facts['due_at'])}; the deadline stays {time(facts['deadline_at'])}{late}"


def _call_now(facts: Facts, time: Time) -> str:
    """From when on, and whom it overtakes; an audit of earlier days does not say."""
    if "overtakes" not in facts:
        return ""
    when = f" from {time(facts['from_at'])} on" if facts["from_at"] is not None else ": no phone may ever ring"
    behind = f", after {facts['behind']} more who are to be called now" if facts["behind"] else ""
    return f"{when}, before {facts['overtakes']} others who are due in its queue{behind}"


def _assign(facts: Facts, _time: Time) -> str:
    return f" to {facts['to']}" if facts["to"] else " to nobody"


def _stands(facts: Facts) -> str:
    still = " and ".join(what for what in ("calls", "texts") if facts[what])
    return f"blocked for {still}" if still else "not blocked any more"


def _cancelled_by(facts: Facts, _time: Time) -> str:
    return f" by {facts['by']}" if "by" in facts else ""


def _instead(facts: Facts, _time: Time) -> str:
    return f" after all, instead of #{facts['instead_of']}"


def _held(facts: Facts, _time: Time) -> str:
    return f" ({facts['reason']})" if "reason" in facts else ""


def _called_by_hand(facts: Facts, _time: Time) -> str:
    return f" from {facts['phone']}, for {facts['talked_s']:.0f} s"


def _of_user(facts: Facts, _time: Time) -> str:
    roles = f", {', '.join(facts['roles'])}" if "roles" in facts else ""
    groups = f" of {', '.join(facts['groups'] or ['all groups'])}" if "groups" in facts else ""
    return f" {facts['user']}{roles}{groups}"


def _of_token(facts: Facts, _time: Time) -> str:
    scopes = f" for {facts['name']}, {', '.join(facts['scopes'])}" if "scopes" in facts else ""
    groups = f" of {', '.join(facts['groups'] or ['all groups'])}" if "groups" in facts else ""
    return f" {facts['token']}{scopes}{groups}"


def _pause(facts: Facts, time: Time) -> str:
    return f" {facts['what']} in {facts['queue'] or 'every queue'} until {time(facts['until_at'])}"


def _rules(facts: Facts, time: Time) -> str:
    """Which version of the rules, from when on where that is said, and what it changes."""
    version = f" {facts['version']}" if "version" in facts else ""
    since = f" from {time(facts['from_at'])} on" if "from_at" in facts else ""
    return f"{version}{since}" + (f": {', '.join(facts['keys'])}" if "keys" in facts else "")


def _correct(facts: Facts, _time: Time) -> str:
    was, now = (_verdict(facts[f"{one}kind"], facts[f"{one}reason"]) for one in ("was_", ""))
    follows = facts["follows"]
    return f" {facts['call_id']} from {was} to {now}" + ("" if follows == "nothing" else f": {_FOLLOWS[follows]}")


def _verdict(kind: str, reason: str | None) -> str:
    return kind if reason is None else f"{kind} ({reason})"


def _of_webhook(facts: Facts, _time: Time) -> str:
    host = f" at {facts['host']}" if "host" in facts else ""
    return f" {facts['endpoint']}{host}" + (f" ({facts['because']})" if "because" in facts else "")


def _campaign(facts: Facts, time: Time) -> str:
    """Of which campaign, and how many people it was about, or until when callers are told."""
    people = facts.get("people", facts.get("named"))
    counted = "" if people is None else f", {people} people"
    counted += f", {facts['told']} told" if "told" in facts else ""
    until = f", callers are told until {time(facts['until_at'])}" if facts.get("until_at") else ""
    return f" {facts['campaign']}" + counted + until


def _sample(facts: Facts, time: Time) -> str:
    """Of which campaign and round; what was drawn by which seed, or which score was given."""
    seed = f", seed {facts['seed']}" if "seed" in facts else ""
    score = f": {facts['score']}" if "score" in facts else ""
    return _campaign(facts, time) + f", round {facts['round']}" + seed + score


def _check(facts: Facts, _time: Time) -> str:
    owner = f", {facts['owner']} answers for it" if facts["owner"] else ""
    return f" {facts['campaign']}, {facts['line']}{owner}, {'done' if facts['done'] else 'not done'}"


_FOLLOWS: Final = {
    "withdrawn": "it is withdrawn",
    "less": "it counts one loss less",
    "changed": "kind, severity and promise go by that",
    "reserved": "a callback is promised",
    "joined": "it joins what is owed",
    "no-callback": "nobody is called back",
}
"""What followed a correction."""


def _wrap_up(facts: Facts, _time: Time) -> str:
    cause = f" ({facts['cause']})" if facts["cause"] else ""
    goes_on = f"; it goes on as #{facts['goes_on']}" if "goes_on" in facts else ""
    instead = f", of #{facts['instead_of']}" if "instead_of" in facts else ""
    return f": {facts['outcome']}{cause}{instead}{goes_on}"


def _of_case(facts: Facts, _time: Time) -> str:
    """Which case, and to whom or what; of an audit of texts, what became of it."""
    more = [facts[name] for name in ("owner", "department", "topic", "how", "compensation") if facts.get(name)]
    return f" {facts['case']}" + (f": {', '.join(more)}" if more else "")


def _noted(facts: Facts, _time: Time) -> str:
    return f" as {facts['kind']}"


def _restored(facts: Facts, time: Time) -> str:
    return f" from a backup of {time(facts['backup_at'])}"


def _cancelled(facts: Facts) -> str:
    reservations = facts.get("cancelled") or []
    return f"; cancelled {', '.join(f'#{number}' for number in reservations)}" if reservations else ""


def _pending(facts: Facts, time: Time) -> str:
    return f"{_cancelled_by(facts, time)} from {time(facts['until_at'])} on, unless that is undone"


def _of(facts: Facts, _time: Time) -> str:
    """What was taken back; of a block, for what the number is blocked now."""
    return f": {facts['of']}" if "of" in facts else f": {_stands(facts)}"


_MORE: Final[dict[str, Callable[[Facts, Time], str]]] = {
    "call-now": _call_now,
    "slot": _slot,
    "postpone": _postpone,
    "assign": _assign,
    "cancelled": _cancelled_by,
    "lost": _instead,
    "held": _held,
    "called-by-hand": _called_by_hand,
    "correct": _correct,
    "wrap-up": _wrap_up,
    "customer-noted": _noted,
    "restored": _restored,
    **dict.fromkeys(
        (
            *("user-added", "user-reset", "user-roles", "user-groups", "user-phone"),
            *("user-locked", "user-unlocked", "user-signed-out"),
        ),
        _of_user,
    ),
    **dict.fromkeys(("token-added", "token-revoked", "token-rotated"), _of_token),
    **dict.fromkeys(
        (
            *("webhook-added", "webhook-changed", "webhook-rotated", "webhook-disabled", "webhook-enabled"),
            *("webhook-tested", "webhook-replayed"),
        ),
        _of_webhook,
    ),
    "cancelled-pending": _pending,
    "done-elsewhere-pending": _pending,
    "withdrawn-pending": _pending,
    "undone": _of,
    "called-off": _of,
    **dict.fromkeys(
        ("rules-published", "rules-rolled-back", "rules-withdrawn", "rules-from-file", "rules-kept"), _rules
    ),
    **dict.fromkeys(
        (
            *("case-registered", "case-assigned", "case-answered", "case-confirmed", "case-denied", "case-withdrawn"),
            *("case-compensated", "case-noted"),
        ),
        _of_case,
    ),
    **dict.fromkeys(("paused", "pause-ended", "pause-resumed"), _pause),
    **dict.fromkeys(
        (
            *("campaign-made", "campaign-changed", "campaign-numbers", "campaign-numbers-removed", "campaign-built"),
            *("campaign-started", "campaign-stopped", "campaign-finished", "campaign-hook"),
        ),
        _campaign,
    ),
    **dict.fromkeys(("sample-drawn", "sample-scored", "sample-called-off"), _sample),
    "campaign-checked": _check,
}
