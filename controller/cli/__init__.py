"""The command line. Commands import what they need when they run, so that the shell gets its prompt back at once."""

from impairlab.controller.cli.app import main

__all__ = ["main"]
