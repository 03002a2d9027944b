"""How many people a queue needs, and when: from a site's own calls to hints for its roster. Pure arithmetic."""
