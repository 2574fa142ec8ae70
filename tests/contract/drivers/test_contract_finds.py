"""The contract of drivers finds what it is there for: each of these drivers has one fault, and a test that fails."""

import inspect
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic_ns

import pytest

from impairlab.drivers import NEUTRAL, Commit, FlowEntry, ImpairlabError, Statistics
from impairlab.drivers.testing import drivers as contract

ACME = Path(__file__).parents[3] / "docs" / "how-to" / "acme"


@pytest.fixture(scope="module")
def example():
    """The example driver and the bench of its test, as the how-to has them."""
    sys.path.insert(0, str(ACME))
    try:
        import acme
        import test_acme

        yield acme.AcmeAppliance, test_acme.switched_on
    finally:
        sys.path.remove(str(ACME))
        for name in ("acme", "test_acme"):
            sys.modules.pop(name, None)


def other_way(target):
    return target.model_copy(update={"direction": "b-a" if target.direction == "a-b" else "a-b"})


class WrongWay:
    def _write(self, settings):
        return super()._write({other_way(target): conditions for target, conditions in settings.items()})

    def read_many(self, targets):
        targets = tuple(targets)
        found = super().read_many([other_way(target) for target in targets])
        return [entry.model_copy(update={"target": target}) for entry, target in zip(found, targets, strict=True)]


class FromMemory:
    """Never asks what is programmed."""

    def _write(self, settings):
        self.memory = {**getattr(self, "memory", {}), **settings}
        return super()._write(settings)

    def read_many(self, targets):
        memory = getattr(self, "memory", {})
        return [FlowEntry(target=target, conditions=memory.get(target, NEUTRAL)) for target in targets]


class NeverChecks:
    def check(self, settings, on_mismatch="refuse"):
        return ()


class NeverRestores:
    def restore(self, snapshot):
        return Commit(monotonic_ns(), monotonic_ns())


class HidesFailures(FromMemory):
    """Calls a write done whatever became of it."""

    def _write(self, settings):
        with suppress(ImpairlabError):
            return super()._write(settings)
        return Commit(monotonic_ns(), monotonic_ns())


class CountsWhatItHasNot:
    def statistics(self, target):
        return Statistics(at_ns=monotonic_ns(), received_packets=0)


class LeavesAThread:
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.stop = threading.Event()
        threading.Thread(target=self.stop.wait, args=(10,)).start()


FAULTS = [
    (WrongWay, "test_directions_are_set_each_for_itself_and_cleared"),
    (WrongWay, "test_every_declared_field_is_set_and_read_back_at_low_high_and_step"),
    (FromMemory, "test_an_answer_that_comes_late_is_no_answer_to_the_next_question"),
    (NeverChecks, "test_what_lies_out_of_range_or_is_not_offered_is_refused_and_nothing_is_sent"),
    (NeverChecks, "test_a_value_between_steps_is_refused_or_moved_and_recorded"),
    (NeverRestores, "test_impaired_is_impaired_and_then_as_before"),
    (NeverRestores, "test_what_somebody_else_cleared_is_restored_from_the_snapshot"),
    (HidesFailures, "test_a_restart_in_the_middle_of_a_write_is_told_or_made_good"),
    (HidesFailures, "test_a_late_acknowledgement_leaves_the_state_to_be_read"),
    (CountsWhatItHasNot, "test_statistics_are_those_that_are_declared"),
    (LeavesAThread, "test_nothing_is_left_running_after_close"),
]


@pytest.mark.parametrize(("fault", "test"), FAULTS, ids=lambda each: getattr(each, "__name__", each))
def test_a_driver_with_a_fault_does_not_pass(example, fault, test, tmp_path, monkeypatch) -> None:
    driver, switched_on = example
    monkeypatch.setattr(contract, "RECOVERY_S", 2.0)
    faulty = type(fault.__name__, (fault, driver), {})
    threads = set(threading.enumerate())

    class Suite(contract.DriverContract):
        driver = faulty

        @contextmanager
        def serve(self):
            with switched_on() as bench:
                yield bench

    method = getattr(Suite(), test)
    given = [tmp_path] if "tmp_path" in inspect.signature(method).parameters else []
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        method(*given)
    assert fault is LeavesAThread or set(threading.enumerate()) <= threads


def test_the_places_that_no_rule_allows_are_printed(example, capsys) -> None:
    driver, switched_on = example

    class OnlyFromTheStepUp(driver):
        def check(self, settings, on_mismatch="refuse"):
            barred = any(
                each.kind == "delay" and not each.mean for conditions in settings.values() for each in conditions
            )
            return super().check(settings, on_mismatch) + (("no delay of nothing",) if barred else ())

    class Suite(contract.DriverContract):
        driver = OnlyFromTheStepUp

        @contextmanager
        def serve(self):
            with switched_on() as bench:
                yield bench

    Suite().test_every_declared_field_is_set_and_read_back_at_low_high_and_step()
    assert capsys.readouterr().out == "left out, nothing legal was found: delay.constant mean at its low\n"
