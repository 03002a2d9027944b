"""`python -m callback` is `callback`."""

from callback.cli.main import main

main()
