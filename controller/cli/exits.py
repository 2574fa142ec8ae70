"""Exit codes: which error ends in which, and the kind of command that turns one into the other."""

from __future__ import annotations

from enum import IntEnum

import click

from impairlab.controller.analysis.verdict import Outcome
from impairlab.controller.sequencer.restore import NotRestored
from impairlab.drivers.model import errors


class Exit(IntEnum):
    """What the shell learns of how a command ended."""

    OK = 0
    VERDICT_FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    BUSY = 4
    REFUSED = 5
    RESTORED_WITH_ERRORS = 6
    INTERRUPTED = 130


_BY_ERROR: tuple[tuple[type[errors.ImpairlabError], Exit], ...] = (
    (errors.FileError, Exit.USAGE),
    (errors.CapabilityError, Exit.USAGE),
    (errors.IdentityMismatch, Exit.UNREACHABLE),
    (errors.SessionLimit, Exit.BUSY),
    (errors.LockedByOther, Exit.BUSY),
    (errors.TransportError, Exit.UNREACHABLE),
    (errors.ExchangeTimeout, Exit.UNREACHABLE),
    (NotRestored, Exit.RESTORED_WITH_ERRORS),
    (errors.ImpairlabError, Exit.REFUSED),
)


def exit_of(error: errors.ImpairlabError) -> Exit:
    """Return the code for an error; the first class it belongs to decides."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))


def exit_of_verdict(overall: Outcome | None) -> Exit:
    """Return 0 for PASS, or where no verdict was asked for; else 1: what could not be shown has not been shown."""
    return Exit.OK if overall in {Outcome.PASS, None} else Exit.VERDICT_FAILED


class Verb(click.Command):
    """A command whose errors of impairlab's own become one message and an exit code; other errors are defects."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except errors.ImpairlabError as error:
            click.echo(str(error), err=True)
            ctx.exit(exit_of(error))
