"""The customer's page and the gateway's callbacks over HTTP: the only room that knows a web framework."""
