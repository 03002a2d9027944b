"""Places callbacks and follows them; other commands and questions to a PBX."""
