"""Every metric by its name: what it counts, its labels, and, of those that events count, which event.

A label is a name of the site (pbx, queue, group, trunk) or a word of ours: there are few, and none is a person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from callback.store import tally

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric, as programs find it: a counter's name ends in `_total`."""

    name: str
    kind: Kind
    means: str
    labels: tuple[str, ...] = ()
    event: str = ""
    """The event that it counts, whose facts are its labels."""
    only_lost: bool = False
    """Of calls those alone that were lost."""


def _counted(name: str, event: str, means: str, labels: tuple[str, ...] = (), *, only_lost: bool = False) -> Family:
    return Family(f"lcr_{name}_total", "counter", means, labels, event, only_lost)


FROM_EVENTS: Final = (
    _counted("calls_judged", "call", "Verdicts on calls that are over", ("queue", "kind")),
    _counted("lost_calls", "call", "Verdicts that a call was lost", ("queue", "kind"), only_lost=True),
    _counted("losses_not_recovered", "not-recovered", "Lost calls that made no reservation, by why", ("why",)),
    _counted("reservations_made", "reserved", "Reservations, each with a promise", ("queue", "kind")),
    _counted("losses_merged", "merged", "Losses that joined a reservation that stood", ("queue",)),
    _counted("losses_withdrawn", "withdrawn", "Losses that a better verdict took back"),
    _counted("reservations_returned", "returned", "Reservations settled because the customer was served otherwise"),
    _counted("promises_broken", "overdue", "Promises whose time passed without a call", ("queue",)),
    _counted("promises_carried_over", "carried-over", "Promises that the evening moved to the next opening"),
    _counted("reservations_expired", "expired", "Reservations left to people, by why", ("queue", "why")),
    _counted("attempts_begun", "dialling", "Callbacks that were claimed", ("queue",)),
    _counted("attempts_ended", "outcome", "Callbacks that are over, by outcome", ("outcome",)),
    _counted("texts_not_arrived", "text-failed", "Texts that were refused or did not arrive, by code", ("code",)),
    _counted("answers", "answered", "Texts that customers sent"),
    _counted("put_aside", "put-aside", "Pieces that were heard and could not be committed: a person must look"),
)
"""Counted from the feed, once each, over restarts and nodes."""

EVENTS: Final = Family("lcr_events_total", "counter", "Events of the feed, by name", ("event",))
ALARMS: Final = Family("lcr_alarms_total", "counter", "Events that alarm people, by name", ("alarm",))

TEXTS_TRIED: Final = Family(
    tally.TEXTS_TRIED,
    "counter",
    "Texts that came back from the gateway: sent, refused, unsent (tried again), unknown; with its code",
    ("result", "code"),
)
REFUSED_AT_DOOR: Final = Family(
    tally.WEBHOOKS_REFUSED, "counter", "What was sent to the gateway's callbacks and is not the gateway's", ("why",)
)
SIGN_INS_FAILED: Final = Family(tally.SIGN_INS_FAILED, "counter", "Sign-ins to the console that failed")

TALLIED: Final = (*FROM_EVENTS, EVENTS, ALARMS, TEXTS_TRIED, REFUSED_AT_DOOR, SIGN_INS_FAILED)
"""Kept in SQL: they never fall, whichever process counts or dies."""

SITE: Final = (
    Family("lcr_database_up", "gauge", "1: the database answers this node, 0: what it knows is missing below"),
    Family("lcr_database_bytes", "gauge", "What the database takes on its disk"),
    Family("lcr_schema_info", "gauge", "1, with the database's schema", ("schema",)),
    Family("lcr_sample_seconds", "gauge", "How long it took to read what is shown of the database"),
    Family("lcr_sample_age_seconds", "gauge", "How old that is"),
    Family("lcr_feed_uncounted_events", "gauge", "Events of the feed that no counter has yet"),
    Family("lcr_reservations_open", "gauge", "Open reservations by state", ("queue", "state")),
    Family("lcr_reservations_overdue", "gauge", "Open reservations whose promise was not kept in time", ("queue",)),
    Family("lcr_reservations_left_to_people", "gauge", "Reservations that nobody calls any more and no person handled"),
    Family("lcr_promises_today", "gauge", "Of today's promises (within: minutes) how many were due, dialled, reached "
           "or closed by rule in time", ("group", "within", "measure")),
    Family("lcr_promises_at_risk", "gauge", "Promises of the next two hours that break with the agents there are",
           ("group",)),
    Family("lcr_agents_missing", "gauge", "Agents more who would keep them", ("group",)),
    Family("lcr_attempts_in_flight", "gauge", "Callbacks under way"),
    Family("lcr_trunk_resting", "gauge", "1: nobody is called over this trunk after failures in a row", ("trunk",)),
    Family("lcr_texts_waiting", "gauge", "Texts that wait to be sent, those held back among them"),
    Family("lcr_texts_due", "gauge", "Texts that might leave now"),
    Family("lcr_texts_due_seconds", "gauge", "For how long the oldest of these might have left"),
    Family("lcr_answers_open", "gauge", "Customers' texts that a person must read"),
    Family("lcr_incidents_open", "gauge", "Incidents that hold or let go reservations"),
    Family("lcr_picture_age_seconds", "gauge", "How old the picture of the PBX is: more than 10, and nobody listens"),
    Family("lcr_line_age_seconds", "gauge", "How old it is who is on the line: more than 5, and no text leaves"),
    Family("lcr_dialling_stopped", "gauge", "1: nothing is dialled, for this reason", ("why",)),
    Family("lcr_callers_waiting", "gauge", "Callers who wait in a queue", ("queue",)),
    Family("lcr_agents_free", "gauge", "Agents who are free for a queue", ("queue",)),
    Family("lcr_lease_term", "gauge", "The lease's term: it rises with each change of its holder", ("lease",)),
    Family("lcr_lease_left_seconds", "gauge", "How long the lease is held still; below 0: nobody has it", ("lease",)),
    Family("lcr_lease_holder", "gauge", "1, with the host that has the lease or had it last", ("lease", "host")),
    Family("lcr_node_seen_seconds", "gauge", "How long ago a node of the site was seen last", ("name", "of_role")),
    Family("lcr_trouble", "gauge", "1: this lasts (docs/alarms.md)", ("trouble", "about")),
)  # fmt: skip
"""Of the site, read from SQL at most every few seconds, the same on each node."""

NODE: Final = (
    Family("lcr_build_info", "gauge", "1, with the versions of the program and of Python", ("version", "python")),
    Family("lcr_node_up", "gauge", "1: the process beside which this is served gave a sign of life within 5 s"),
    Family("lcr_node_ready", "gauge", "1: it does its job, as /readyz says"),
    Family("lcr_node_stands_by", "gauge", "1: another process does that job, and this one waits for its turn"),
    Family("lcr_node_began_timestamp_seconds", "gauge", "When that process began"),
    Family("lcr_node_loop_delay_seconds", "gauge", "By how much its loop was late lately, at the worst"),
    Family("lcr_node_memory_bytes", "gauge", "Its resident memory"),
    Family("lcr_node_cpu_seconds_total", "counter", "Processor time that it took"),
    Family("lcr_node_clock_offset_seconds", "gauge", "By how much the database's clock is ahead of this node's"),
    Family("lcr_job_failing", "gauge", "1: this job fails again and again; the log says why", ("job",)),
    Family("lcr_child_up", "gauge", "1: this process is kept beside the service, and runs", ("child",)),
    Family("lcr_child_ended_total", "counter", "Times that it ended, and was begun again", ("child",)),
)  # fmt: skip
"""Of one node, told by its process each second, also while the database is away."""

LISTENER: Final = (
    Family("lcr_ami_connected", "gauge", "1: logged in to the manager interface, and the stock was taken"),
    Family("lcr_ami_messages_total", "counter", "Messages of the PBX"),
    Family("lcr_ami_bytes_total", "counter", "Bytes of the PBX"),
    Family("lcr_ami_reconnects_total", "counter", "Connections that were made anew"),
    Family("lcr_ami_refused_total", "counter", "Messages that were refused: forged or malformed", ("why",)),
    Family("lcr_ami_behind_seconds", "gauge", "By how much digesting is behind what was read"),
    Family("lcr_pbx_clock_offset_seconds", "gauge", "By how much the PBX's clock is off this node's"),
    Family("lcr_journal_bytes", "gauge", "What the journal takes on its disk"),
    Family("lcr_journal_most_bytes", "gauge", "What it may take"),
    Family("lcr_journal_uncommitted_bytes", "gauge", "What it holds that is not committed yet, live calls among it"),
    Family("lcr_journal_full_total", "counter", "Times that the journal had no room for what came"),
    Family("lcr_commit_waiting", "gauge", "Stretches that were digested and are not committed yet"),
    Family("lcr_commit_seconds", "histogram", "From when a message of the PBX was digested to when what it told was"
           " committed (sampled, 20 a second at most)"),
)  # fmt: skip
"""Of the node that listens."""

ALL: Final = (*TALLIED, *SITE, *NODE, *LISTENER)
OF_PBX: Final = frozenset(one.name for one in (*TALLIED, *SITE)) - {"lcr_database_up"}
BY_NAME: Final = {one.name: one for one in ALL}


def labels_of(family: Family) -> tuple[str, ...]:
    """Every label that a sample of it has, those of its site or node first."""
    return (("pbx",) if family.name in OF_PBX else ("pbx", "node", "role")) + family.labels
