"""The part of the rules about care: questions after a service, cases of unhappy customers, and campaigns."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from callback.settings.part import Part

Hours = Annotated[float, Field(gt=0, le=24 * 90)]
Days = Annotated[int, Field(ge=1, le=366)]
Minutes = Annotated[float, Field(gt=0, le=24 * 60)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]{0,128}$")]
Giver = Literal["agent", "supervisor", "manager"]
_TOPIC: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}(/[a-z0-9][a-z0-9-]{0,31}){0,3}")
MAIL_ROOM: Final = 254  # of RFC 5321
_MAIL: Final = re.compile(r"[^@\s<>,;:\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class QueueCare(Part):
    """What a queue does for customers who are not content. Everything is off until it is switched on here."""

    ask_served: bool = False  # one question by text after a call that was served
    ask_share: Annotated[float, Field(gt=0, le=1)] = 1.0  # of these calls; 0.2: one in five
    cases: bool = False  # a low answer opens a case; complaints may be registered
    repair: Literal["agent", "team"] = "agent"  # who calls a customer who was not content: who was rated, or a team
    team: str = ""  # the queue of that team
    flags: bool = False  # customers may be flagged for a contact on a later day
    campaigns: bool = False  # very many may be told by text at once in this queue's name
    hook_queue: QueueName = ""  # where the dialplan sends callers while a campaign runs; empty: this queue


class Department(Part):
    """A department that answers complaints by a link, without an account."""

    mail: str = ""  # its address; empty: it is told by webhooks alone
    responsible: str = ""  # the user of the console who is in charge of its cases
    report: bool = False  # it gets a report of its topics each week

    @field_validator("mail")
    @classmethod
    def _address(cls, mail: str) -> str:
        if mail and (not _MAIL.fullmatch(mail) or len(mail) > MAIL_ROOM):
            raise ValueError(f"'{mail}' is no mail address: billing@example.org")
        return mail


class Compensation(Part):
    """Something that may be given to a customer for the trouble."""

    title: Annotated[str, Field(min_length=1, max_length=100)]  # as the list shows it
    value: Annotated[float, Field(ge=0)] = 0  # in the site's currency, for the figures
    who: Giver = "supervisor"  # this role and those above may give it


class Care(Part):
    """Clocks, topics, departments and compensations of cases, for the whole site."""

    low: Annotated[int, Field(ge=1, le=4)] = 2  # of 5: this answer and less opens a case
    ask_again_days: Days = 30  # nobody is asked again sooner
    repair_h: Hours = 24  # who was not content is called within this
    agent_wait_min: Minutes = 120  # so long the agent who was rated alone is rung; then anybody of the queue
    complaint_h: Hours = 48  # a complaint is answered for the first time within this
    warn_h: Hours = 8  # so long before that it is an alarm
    confirm_after_h: Hours = 48  # an answer that the customer does not confirm: we call after this, and ask …
    confirm_tries: Annotated[int, Field(ge=1, le=10)] = 3  # … so often; then the customer counts as unreachable
    repeat_days: Days = 30  # the same customer with the same topic within this: a repeat
    topics: dict[str, str] = Field(default_factory=dict)  # "billing/wrong-amount" = "A wrong amount on the bill"
    products: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()  # that a complaint may be about
    departments: dict[Name, Department] = Field(default_factory=dict)
    compensations: dict[Name, Compensation] = Field(default_factory=dict)
    offer: Annotated[str, Field(max_length=300)] = ""  # a running offer that agents may make; a script says it

    @field_validator("topics")
    @classmethod
    def _paths(cls, topics: dict[str, str]) -> dict[str, str]:
        for path in topics:
            if not _TOPIC.fullmatch(path):
                raise ValueError(f"'{path}' is no topic: write small letters, as in billing or billing/wrong-amount")
            above = path.rpartition("/")[0]
            if above and above not in topics:
                raise ValueError(f"'{path}' hangs on '{above}', which is no topic: write that one too")
        return topics

    @model_validator(mode="after")
    def _warns_before(self) -> Care:
        if self.warn_h >= self.complaint_h:
            raise ValueError("warn_h must be shorter than complaint_h: the alarm comes before the clock runs out")
        return self


class Campaigns(Part):
    """How very many customers are told at once."""

    texts_per_min: Annotated[float, Field(gt=0, le=60_000)] = 600  # of one campaign; lost callers' texts go first
    text_price: Annotated[float, Field(ge=0)] = 0  # of one segment, to show what a campaign costs
    currency: Annotated[str, Field(max_length=8)] = ""  # beside it
    sample: Annotated[int, Field(ge=1, le=10_000)] = 400  # customers who are called back and asked afterwards
