"""What the pages of campaigns are made of: the form of one, and how far one is, live."""
