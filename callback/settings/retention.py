"""The part of the settings about how long what is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from callback.settings.part import Part

Days = Annotated[int, Field(ge=0, le=36_500)]


class Retention(Part):
    """How long what is kept, in days; 0 is for good. What is still owed is never deleted: docs/privacy.md."""

    persons_days: Days = 400  # after the last call, text or case: then whose number it was is forgotten, as if erased
    texts_days: Days = 90  # what texts and answers said; that there was one stays
    audit_days: Days = 0  # who decided what, once it was proved; docs/privacy.md says what goes with it
    evidence_days: Days = 90  # what was heard of each call, by which it was judged; the verdict stays
    care_days: Days = 400  # what ended cases, notes about customers and flags said; how a case went and ended stays
