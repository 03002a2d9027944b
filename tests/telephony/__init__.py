"""The PBX."""
