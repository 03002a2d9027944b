"""Pages for who plans: reports, missed promises, staffing, rules and switches."""
