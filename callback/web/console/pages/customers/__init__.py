"""Pages about customers: those of an incident, their texts and ours, one person, an agent's own callbacks."""
