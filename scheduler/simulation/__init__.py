"""A call centre in virtual time: a recorded month, its agents and callers, and what another policy makes of them."""
