"""Webhooks: which programs are told what happens, by what secrets, and what was sent to them."""
