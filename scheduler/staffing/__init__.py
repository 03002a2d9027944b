"""Staffing: how many agents a queue needs, and when, from a site's past calls to hints for its roster. Pure."""
