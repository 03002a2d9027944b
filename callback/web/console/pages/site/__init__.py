"""Pages about the site itself: handover, audit, health, users and programs."""
