"""Parts of the benchmark of the console: a large site, and everybody who looks at it and changes it."""
