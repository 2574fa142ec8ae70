"""`python -m impairlab.controller.cli`: the command line where the script `impairlab` is not on the path."""

from impairlab.controller.cli.app import main

main()
