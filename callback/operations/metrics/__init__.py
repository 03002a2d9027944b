"""Metrics: what is measured of a site and of each node, by names that stay, without anything of a person."""
