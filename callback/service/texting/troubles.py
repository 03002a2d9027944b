"""Texts that do not leave, or do not arrive, for another reason than their recipients: told while it lasts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from callback.events import TextsDelayed, TextsRefused
from scheduler.clock import HOUR
from sms import reports
from sms.gateway import Gateway, Trouble
from sms.reports import Stuck

LOOK_BACK: Final = HOUR
TELL_EVERY: Final = HOUR


class TextTroubles:
    """What a gateway's troubles are, and which of them were told lately: each once an hour, and when it gets worse."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._told: dict[tuple[str, str, str], int] = {}  # by line, code and event: when

    def look(self, connection: Connection, pbx: str, now: int) -> list[TextsRefused | TextsDelayed]:
        """What is to be told of the texts that were tried in the last hour."""
        told: list[TextsRefused | TextsDelayed] = []
        for stuck in reports.stuck(connection, pbx, self._gateway.name, now - LOOK_BACK):
            trouble = self._gateway.trouble(stuck.code)
            if trouble is not None and self._is_new(event := _event(stuck, trouble), now):
                told.append(event)
        return told

    def _is_new(self, event: TextsRefused | TextsDelayed, now: int) -> bool:
        key = (event.line, event.code, event.NAME)
        if now - self._told.get(key, now - TELL_EVERY) < TELL_EVERY:
            return False
        self._told[key] = now
        return True


def _event(stuck: Stuck, trouble: Trouble) -> TextsRefused | TextsDelayed:
    """An alarm where somebody must act, or texts are lost; what passes by itself is only told."""
    kind = TextsRefused if trouble.ours or stuck.lost else TextsDelayed
    return kind(stuck.line, stuck.code, stuck.texts, stuck.lost, trouble.why)
