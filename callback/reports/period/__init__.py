"""Some days of a site: their report, and the rows behind each of its figures."""
