"""Campaigns: a day on which very many customers were hit: whom, telling them, and how they judge it afterwards."""
