"""Customers' numbers: how a signalled one is read, whose it is, when its phone may ring, whether it is blocked."""
