"""Callbacks: whom to call now, the claim, the last check, settling, and what the PBX shows meanwhile."""
