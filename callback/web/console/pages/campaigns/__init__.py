"""Pages of campaigns: the list, one of them, its sample and its checklist."""
