"""Care: customers who are not content are asked, called and heard until they say that it is solved."""
