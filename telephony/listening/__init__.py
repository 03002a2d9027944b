"""From bytes to calls: the pipeline, its journal and notes, and what closes a gap."""
