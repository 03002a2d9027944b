"""The tables. Instants are integer microseconds UTC; a state is text with a CHECK; nothing nullable in a unique index.

The E.164 number stands once, in `person`: erasing that row's number erases the person; what could not be read as one
stands in `unread_number`. `open` and `in_flight` are set by the state tables, and the partial unique indexes make facts
of two promises: one open reservation for a person and queue, one attempt in flight for a person.
"""

from callback.store.tables.accounts import (
    NAME_ROOM,
    login_failure,
    login_session,
    saved_view,
    user_account,
    wall_token,
)
from callback.store.tables.attempts import (
    BY_AGENT,
    FOUND_NO_AGENT,
    IN_FLIGHT,
    NO_AGENT_WORDS,
    TELLING,
    TELLING_WORDS,
    attempt,
)
from callback.store.tables.base import WHO_ROOM, WHY_ROOM, Instant, Key, metadata
from callback.store.tables.calls import KINDS, PERSON, call, past_call, past_stint, queue_visit, verdict
from callback.store.tables.decisions import PENDING, batch, batch_item
from callback.store.tables.feed import ALARMS, happened
from callback.store.tables.incidents import INCIDENT_OPEN, advice, alarm, incident
from callback.store.tables.people import block, person, unread_number
from callback.store.tables.programs import TO_DELIVER, api_token, hook_delivery, hook_endpoint, hook_place, idempotency
from callback.store.tables.reservations import (
    ASSIGNED,
    IN_INCIDENT,
    LEFT_TO_PEOPLE,
    MISSABLE,
    OPEN,
    REFUSED,
    RESERVATION_STATES,
    SETTLED,
    SEVERE,
    loss,
    promise,
    reservation,
)
from callback.store.tables.rollups import (
    rollup_again,
    rollup_agent_day,
    rollup_agent_half_hour,
    rollup_day,
    rollup_half_hour,
    rollup_heat,
    rollup_mark,
    rollup_state,
)
from callback.store.tables.site import (
    OF_NO_RESERVATION,
    audit,
    audit_head,
    checkpoint,
    lease,
    listening_gap,
    live_view,
    shift_rules,
    signalled,
    site_key,
)
from callback.store.tables.texts import FOR_PEOPLE, SCORED, answer
from callback.store.tables.waits import crew, wait_cause
from callback.store.tables.wrap_ups import CAUSES, WRAP_UPS, wrap_up

__all__ = [
    "ALARMS",
    "ASSIGNED",
    "BY_AGENT",
    "CAUSES",
    "FOR_PEOPLE",
    "FOUND_NO_AGENT",
    "INCIDENT_OPEN",
    "IN_FLIGHT",
    "IN_INCIDENT",
    "KINDS",
    "LEFT_TO_PEOPLE",
    "MISSABLE",
    "NAME_ROOM",
    "NO_AGENT_WORDS",
    "OF_NO_RESERVATION",
    "OPEN",
    "PENDING",
    "PERSON",
    "REFUSED",
    "RESERVATION_STATES",
    "SCORED",
    "SETTLED",
    "SEVERE",
    "TELLING",
    "TELLING_WORDS",
    "TO_DELIVER",
    "WHO_ROOM",
    "WHY_ROOM",
    "WRAP_UPS",
    "Instant",
    "Key",
    "advice",
    "alarm",
    "answer",
    "api_token",
    "attempt",
    "audit",
    "audit_head",
    "batch",
    "batch_item",
    "block",
    "call",
    "checkpoint",
    "crew",
    "happened",
    "hook_delivery",
    "hook_endpoint",
    "hook_place",
    "idempotency",
    "incident",
    "lease",
    "listening_gap",
    "live_view",
    "login_failure",
    "login_session",
    "loss",
    "metadata",
    "past_call",
    "past_stint",
    "person",
    "promise",
    "queue_visit",
    "reservation",
    "rollup_again",
    "rollup_agent_day",
    "rollup_agent_half_hour",
    "rollup_day",
    "rollup_half_hour",
    "rollup_heat",
    "rollup_mark",
    "rollup_state",
    "saved_view",
    "shift_rules",
    "signalled",
    "site_key",
    "unread_number",
    "user_account",
    "verdict",
    "wait_cause",
    "wall_token",
    "wrap_up",
]
