"""`callback campaign …`: very many are told by text on a day on which they were hit, and some are asked afterwards."""
