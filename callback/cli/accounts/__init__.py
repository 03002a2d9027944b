"""Commands about who may sign in to the console, about wall displays, and about programs that use the API."""
