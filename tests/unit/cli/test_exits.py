import pytest

from impairlab.controller.analysis.verdict import Outcome
from impairlab.controller.cli.exits import Exit, exit_of, exit_of_verdict
from impairlab.controller.sequencer.restore import NotRestored
from impairlab.drivers.model import Violation, errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.FileError(["a.yaml:1:1 x: y"]), Exit.USAGE),
        (errors.CapabilityError([Violation(field="delay", problem="no", legal="less")]), Exit.USAGE),
        (errors.ConnectError("refused"), Exit.UNREACHABLE),
        (errors.NoResponse("late"), Exit.UNREACHABLE),
        (errors.SessionLimit("full"), Exit.BUSY),
        (errors.LockedByOther("rack-2"), Exit.BUSY),
        (errors.InstrumentExecutionError([(-222, "Data out of range")]), Exit.REFUSED),
        (errors.VerifyMismatch("differs"), Exit.REFUSED),
        (NotRestored("could not be put back"), Exit.RESTORED_WITH_ERRORS),
        (errors.RebootDetected("gone"), Exit.REFUSED),
    ],
)
def test_every_error_has_its_exit_code(error, code):
    assert exit_of(error) == code


@pytest.mark.parametrize(
    ("overall", "code"),
    [(Outcome.PASS, 0), (None, 0), (Outcome.FAIL, 1), (Outcome.INCONCLUSIVE, 1), (Outcome.INVALID, 1)],
)
def test_only_a_pass_is_a_success(overall, code):
    assert exit_of_verdict(overall) == code
