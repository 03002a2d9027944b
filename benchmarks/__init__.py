"""What the service can bear, measured. `make bench` lists the benchmarks; nothing else imports this package."""
