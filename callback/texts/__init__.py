"""Which text a customer gets for what happened, and how texts leave and come."""
