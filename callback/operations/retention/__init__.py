"""Forgets what was kept for as long as it is kept: whose numbers they were, what texts said, what was heard of calls.

Rows stay, for figures are made of them; what is of a person goes. What is owed is left alone, however old it is.
"""
