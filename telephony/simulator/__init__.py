"""A small manager server that plays recorded streams, for tests and for machines without an Asterisk."""
