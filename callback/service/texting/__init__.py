"""Texts on their way, and the other work that needs no PBX: whose turn it is, and what it does."""
