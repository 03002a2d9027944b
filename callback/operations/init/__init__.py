"""`callback init`: what a site's Asterisk is found to be, the files to begin with, and what to do with them."""
