"""Several processes and hosts of one site: their presence, and what they tell each other beside the database."""
