"""Texts to and from phones. Knows gateways; knows nothing of calls."""
