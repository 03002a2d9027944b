"""What the events of one call tell: visits, voices, bridges, transfers, the ending. Pure."""
