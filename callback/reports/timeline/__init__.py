"""What happened to a reservation, or to one customer, in one order: typed entries, which every screen reads."""
