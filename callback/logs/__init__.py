"""What may stand in logs: masked, printable, and not again and again."""
