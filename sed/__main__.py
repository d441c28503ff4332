"""`python -m sed` is `earwitness`."""

from sed.cli import main

main()
