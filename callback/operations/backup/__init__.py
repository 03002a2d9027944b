"""One file that holds all of an installation, of either kind of database, and an installation made of it again."""
