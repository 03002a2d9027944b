"""Commands about who may sign in to the console, and about wall displays."""
