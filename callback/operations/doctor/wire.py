"""What goes over the network between this machine and the PBX: the manager's secret, and the numbers of callers."""

from __future__ import annotations

from callback.operations.doctor.finding import Finding, sound, warning
from callback.settings.addresses import is_this_machine
from callback.settings.sections import PbxWiring


def on_the_way(wiring: PbxWiring) -> Finding:
    """Say whether others on the way could read what is said, and take the PBX's place."""
    if wiring.tls_fingerprint:
        return sound("the manager is reached by TLS, and shows the certificate that is pinned")
    if wiring.tls:
        return sound(f"the manager is reached by TLS, with a certificate for {wiring.tls_name or wiring.host}")
    if is_this_machine(wiring.host):
        return sound("what the manager tells stays on this machine")
    remedy = "tlsenable = yes in manager.conf, then [pbx] tls = true and its port (docs/tls.md); or a tunnel of yours"
    return warning(f"the manager's secret and callers' numbers go to {wiring.host} in the clear", remedy)
