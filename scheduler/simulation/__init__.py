"""Discrete-event simulation of a call centre: a recorded month, its agents and callers, under another policy."""
