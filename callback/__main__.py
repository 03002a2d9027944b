"""`python -m callback` is `callback`."""

from callback.cli import main

main()
