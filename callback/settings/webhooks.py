"""The part of the settings about webhooks: which hosts of one's own network they may reach."""

from __future__ import annotations

from pydantic import field_validator

from callback.settings.part import Part


class Webhooks(Part):
    """Programs that are told by https what happens: docs/webhooks.md. Their addresses are kept in the console."""

    allowed_hosts: tuple[str, ...] = ()  # of your own network, and by http too: no other private address is reached

    @field_validator("allowed_hosts")
    @classmethod
    def _plain(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not host or any(character in host for character in "/@?#[] ") or host != host.lower():
                raise ValueError(f"'{host}' is no host alone, in small letters: crm.example.lan, 10.1.2.3 or ::1")
        return hosts
