"""Jobs that keep an installation in order: what a restore left to be compared, and what is old."""
