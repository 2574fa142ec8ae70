"""DriverContract: what every driver must do, against a bench that misbehaves. Inherit it in a test module.

class TestAcmeDriver(DriverContract):
    driver = AcmeAppliance
    @contextmanager
    def serve(self): ...       # an appliance, simulated or real, that was just switched on; yields a Bench

What a bench cannot do (`NotOffered`) is skipped with its reason: a test that skips is not a test that passes.
"""

# ruff: noqa: D102, S101 - these are tests: the name says what holds, and assert is how they say it

from __future__ import annotations

import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pytest

from impairlab.drivers.appliance import Appliance
from impairlab.drivers.links.line_link import SECOND_NS
from impairlab.drivers.links.wire_log import WireLog, read_wire_log
from impairlab.drivers.model.applied import Statistics
from impairlab.drivers.model.capabilities import Feature, feature_name
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.effects import effects
from impairlab.drivers.model.errors import (
    CapabilityError,
    ExchangeTimeout,
    ImpairlabError,
    LockedByOther,
    RebootDetected,
    TransportError,
)
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.options import Options
from impairlab.drivers.registry import Driver
from impairlab.drivers.testing.bench import Bench, NotOffered
from impairlab.drivers.testing.examples import EVERY_KIND, FILTERS
from impairlab.drivers.testing.places import Places
from impairlab.drivers.testing.specimens import as_specimens, between, beyond, specimens

MS = 1_000_000
PATIENT_NS = 30 * SECOND_NS
"""A deadline that no exchange comes near, however busy the machine is."""

HASTY_NS = 400 * MS
LATE_NS = 3 * HASTY_NS
RECOVERY_S = 30.0
SETTLES_S = 0.5
"""How long a change that is acknowledged may take to act."""

THREADS = 4
ROUNDS = 8

T = TypeVar("T")


class DriverContract(ABC):
    """The tests. A subclass says which driver, and how to switch an appliance on.

    Attributes:
        driver: What is called with an address and options.
        other_words: Features that the bench tells in other words than the driver, each with the reason. Of these only
            what the driver reads back is compared; that the words differ is tested, so that no exception outlives its
            reason.
        examples: Conditions to set besides those that are found by trying, for fields that depend on each other.
    """

    driver: Driver
    other_words: Mapping[str, str] = {}
    examples: tuple[Conditions, ...] = ()

    @abstractmethod
    def serve(self) -> AbstractContextManager[Bench]:
        """Switch an appliance on."""

    @contextmanager
    def connected(
        self, bench: Bench, *, timeout_ns: int = PATIENT_NS, wire_log: WireLog | None = None
    ) -> Iterator[Appliance]:
        """Connect the driver to a bench."""
        options = Options(name="box", secret=bench.secret, timeout_ns=timeout_ns, wire_log=wire_log)
        with type(self).driver(bench.address, options) as appliance:
            yield appliance

    def test_it_says_who_and_what_it_is(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            assert box.name == "box"
            assert str(box.identity).strip()
            assert box.paths == box.capabilities.paths != ()
            for feature in box.capabilities.features.values():
                assert feature.provenance.detail, f"{feature.name} does not say where it is known from"

    def test_every_declared_field_is_set_and_read_back_at_low_high_and_step(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            places = Places(box)
            wrong, reached, other, left_out = [], set(), set(), []
            found_by_trying = specimens(box.capabilities.features.values(), places.allow)
            for specimen in chain(found_by_trying, (each for e in self.examples for each in as_specimens(e))):
                if specimen.conditions is None:
                    left_out.append(str(specimen))
                    continue
                reached |= {(specimen.feature, ""), (specimen.feature, specimen.field)}
                problem = _tried(box, places, specimen.conditions)
                wrong += [f"{specimen}: {problem}"] if problem else []
                found = _settled(bench, places.of(specimen.conditions), specimen.conditions)
                same = effects(found) == effects(specimen.conditions)
                if specimen.feature in self.other_words:
                    other |= set() if same else {specimen.feature}
                elif not problem and not same:
                    wrong.append(f"{specimen}: wanted {specimen.conditions!r}, and it does {found!r}")
            missing = set(_declared(box.capabilities.features.values())) - reached
        sys.stdout.write(f"left out, nothing legal was found: {', '.join(left_out) or 'none'}\n")  # shown by pytest -rP
        assert not wrong, "\n".join(wrong)
        assert other == set(self.other_words), "an exception whose words are the same"
        assert not missing, f"declared, and nothing legal was found for it: {sorted(missing)}"

    def test_what_lies_out_of_range_or_is_not_offered_is_refused_and_nothing_is_sent(self, tmp_path: Path) -> None:
        with self.serve() as bench, WireLog(tmp_path / "wire") as log, self.connected(bench, wire_log=log) as box:
            features = box.capabilities.features
            strange = [Conditions.of(each) for each in EVERY_KIND if feature_name(each) not in features]
            before = _sent(log)
            for conditions in (*beyond(features.values()), *strange):
                with pytest.raises(CapabilityError) as raised:
                    box.apply(Target(path=box.paths[0], direction="a-b"), conditions, on_mismatch="nearest")
                assert raised.value.violations
                assert all(violation.legal for violation in raised.value.violations)
            assert _sent(log) == before

    def test_a_value_between_steps_is_refused_or_moved_and_recorded(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            places = Places(box)
            features = box.capabilities.features.values()
            found = between(features, lambda c: not box.check({places.of(c): c}, "nearest"))
            odd = next((each for each in found if box.capabilities.nearest(each) != each), None)
            if odd is None:
                pytest.skip("no field has a step coarser than the vocabulary's")
            with pytest.raises(CapabilityError, match="off step"):
                box.apply(places.of(odd), odd)
            records = box.apply(places.of(odd), odd, on_mismatch="nearest")
            assert any(record.quantised for record in records)
            assert bench.conditions(places.of(odd)) == box.capabilities.nearest(odd)

    def test_directions_are_set_each_for_itself_and_cleared(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            one, other = _two_conditions(box)
            a_b, b_a = (Target(path=box.paths[0], direction=way) for way in ("a-b", "b-a"))
            box.apply_many({a_b: one, b_a: other})
            assert (bench.conditions(a_b), bench.conditions(b_a)) == (one, other)
            box.apply(a_b, NEUTRAL)
            assert (bench.conditions(a_b), bench.conditions(b_a)) == (NEUTRAL, other)
            box.neutral()
            assert (bench.conditions(a_b), bench.conditions(b_a)) == (NEUTRAL, NEUTRAL)

    def test_impaired_is_impaired_and_then_as_before(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            before, during = _two_conditions(box)
            path = box.path(box.paths[0])
            box.apply(path.a_to_b.target, before)
            stopped = pytest.raises(_StoppedError)
            with stopped, path.a_to_b.impaired(*during):
                assert bench.conditions(path.a_to_b.target) == during
                raise _StoppedError
            assert bench.conditions(path.a_to_b.target) == before

    def test_what_somebody_else_cleared_is_restored_from_the_snapshot(self) -> None:
        with self.serve() as bench:
            with self.connected(bench) as box:
                target = box.path(box.paths[0]).b_to_a.target
                wanted, _ = _two_conditions(box)
                box.apply(target, wanted)
                snapshot = box.snapshot()
                box.neutral()
                assert bench.conditions(target) == NEUTRAL
            with self.connected(bench) as again:
                again.restore(snapshot)
                assert bench.conditions(target) == wanted
                assert again.snapshot().entries == snapshot.entries

    def test_a_filter_is_read_back_as_it_was_set(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            if not box.capabilities.flows or not box.capabilities.filter_fields:
                pytest.skip("it has no flows with filters")
            target = Target(path=box.paths[0], direction="a-b", flow=1)
            matched_on: set[str] = set()
            for selector in FILTERS:
                try:
                    box.set_filter(target, selector)
                except CapabilityError:  # fields it has not got, or not alone
                    continue
                assert box.read(target).filter == selector
                matched_on |= set(selector.model_dump(exclude_none=True))
            assert matched_on == box.capabilities.filter_fields
            box.set_filter(target, None)
            assert box.read(target).filter is None

    def test_a_filter_it_cannot_match_on_is_refused(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            with pytest.raises(CapabilityError):
                box.set_filter(Target(path=box.paths[0], direction="a-b"), Filter(vlan=7))
            none = Target(path=box.paths[0], direction="a-b", flow=box.capabilities.flows + 1)
            with pytest.raises(CapabilityError, match="no flow"):
                box.set_filter(none, Filter(vlan=7))

    def test_an_answer_that_comes_late_is_no_answer_to_the_next_question(self) -> None:
        with self.serve() as bench, self.connected(bench, timeout_ns=HASTY_NS) as box:
            target = box.path(box.paths[0]).a_to_b.target
            wanted, _ = _two_conditions(box)
            _again(lambda: box.apply(target, wanted))
            _offered(lambda: bench.answer_late(LATE_NS))
            with pytest.raises((ExchangeTimeout, TransportError)):
                box.read(target)
            assert _again(lambda: box.read(target).conditions) == wanted == bench.conditions(target)

    def test_a_late_acknowledgement_leaves_the_state_to_be_read(self) -> None:
        with self.serve() as bench, self.connected(bench, timeout_ns=HASTY_NS) as box:
            target = box.path(box.paths[0]).a_to_b.target
            wanted, other = _two_conditions(box)
            _again(lambda: box.apply(target, other))
            _offered(lambda: bench.answer_late(LATE_NS))
            with pytest.raises((ExchangeTimeout, TransportError)):
                box.apply(target, wanted)
            assert _again(lambda: box.read(target).conditions) == bench.conditions(target)
            _again(lambda: box.apply(target, wanted))
            assert bench.conditions(target) == wanted

    def test_a_restart_in_the_middle_of_a_write_is_told_or_made_good(self, tmp_path: Path) -> None:
        with self.serve() as bench, WireLog(tmp_path / "wire") as log, self.connected(bench, wire_log=log) as box:
            target = box.path(box.paths[0]).a_to_b.target
            wanted, _ = _two_conditions(box)
            box.read(target)
            _offered(lambda: bench.answer_late(LATE_NS))
            before, failed = _sent(log), []

            def write() -> None:
                try:
                    box.apply(target, wanted)
                except ImpairlabError as error:
                    failed.append(error)

            writing = threading.Thread(target=write)
            writing.start()
            _until(lambda: _sent(log) > before)
            bench.restart()
            writing.join()
            if failed:
                assert isinstance(failed[0], TransportError | ExchangeTimeout | RebootDetected | LockedByOther)
            else:  # a driver may write again what it can repeat safely; then what it calls done is done
                assert bench.conditions(target) == wanted, "it calls the write done, and the restart has undone it"
            assert _again(lambda: box.read(target).conditions) == bench.conditions(target)
            _again(lambda: box.apply(target, wanted))
            assert bench.conditions(target) == wanted

    def test_what_another_session_holds_is_not_written(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            target = box.path(box.paths[0]).a_to_b.target
            wanted, other = _two_conditions(box)
            box.apply(target, other)
            _offered(lambda: bench.reserve("alice"))
            with pytest.raises(LockedByOther):
                box.apply(target, wanted)
            assert bench.conditions(target) == other
            assert box.read(target).conditions == other
            bench.free()
            box.apply(target, wanted)
            assert bench.conditions(target) == wanted

    def test_four_threads_read_and_write_their_own(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            targets = [target for target in box.targets() if not target.flow][:THREADS]
            legal = [_two_conditions(box)] * THREADS

            def work(number: int) -> bool:
                target = targets[number % len(targets)]
                for turn in range(ROUNDS):
                    if number < len(targets):
                        wanted = legal[number][turn % 2]
                        box.apply(target, wanted)
                        if box.read(target).conditions != wanted:
                            return False
                    elif box.read(target).target != target:
                        return False
                return True

            with ThreadPoolExecutor(THREADS) as pool:
                assert all(pool.map(work, range(THREADS)))
            for number, target in enumerate(targets):
                assert bench.conditions(target) == legal[number][(ROUNDS - 1) % 2]

    def test_statistics_are_those_that_are_declared(self) -> None:
        with self.serve() as bench, self.connected(bench) as box:
            target = box.path(box.paths[0]).a_to_b.target
            box.clear_statistics(target)
            counted = _again(lambda: box.statistics(target))
            values = counted.model_dump(exclude={"at_ns"})
            assert set(box.capabilities.statistics) <= set(Statistics.model_fields) - {"at_ns"}
            assert {name for name, value in values.items() if value is not None} == set(box.capabilities.statistics)

    def test_the_secret_is_never_shown(self, tmp_path: Path) -> None:
        with self.serve() as bench, WireLog(tmp_path / "wire") as log, self.connected(bench, wire_log=log) as box:
            if not bench.secret:
                pytest.skip("this bench asks for no secret")
            assert bench.secret not in repr(box)
            assert bench.secret not in (tmp_path / "wire").read_text()

    def test_nothing_is_left_running_after_close(self) -> None:
        with self.serve() as bench:
            with self.connected(bench):
                pass  # what the bench itself starts with the first session is there from now on
            before = set(threading.enumerate())
            with self.connected(bench) as box:
                box.read(box.path(box.paths[0]).a_to_b.target)
            box.close()
            _until(lambda: not [each for each in threading.enumerate() if each not in before and _is_ours(each)])
            with pytest.raises(TransportError):
                box.read(box.path(box.paths[0]).a_to_b.target)


class _StoppedError(Exception):
    """What stops the body of a `with`."""


def _tried(box: Appliance, places: Places, conditions: Conditions) -> str:
    """Set conditions; return what is wrong, "" if nothing is."""
    target = places.of(conditions)
    places.prepare(target)
    try:
        records = box.apply(target, conditions)
    except ImpairlabError as error:
        return f"{conditions}: {error}"
    if any(record.quantised for record in records):
        return f"{conditions} was moved"
    return ""


def _settled(bench: Bench, target: Target, wanted: Conditions) -> Conditions:
    """Return what is active once it has the effect that is wanted, or when it had its time to act."""
    deadline = time.monotonic() + SETTLES_S
    while effects(found := bench.conditions(target)) != effects(wanted) and time.monotonic() < deadline:
        time.sleep(0.005)
    return found


def _declared(features: Iterable[Feature]) -> Iterator[tuple[str, str]]:
    for feature in features:
        yield feature.name, ""
        for field in (*feature.ranges, *feature.choices):
            yield feature.name, field


def _two_conditions(box: Appliance) -> tuple[Conditions, Conditions]:
    """Return two different sets of conditions that are legal on everything else."""
    everything = Target(path=box.paths[0], direction="a-b")
    found = (
        each.conditions
        for each in specimens(box.capabilities.features.values(), lambda c: not box.check({everything: c}))
        if each.conditions is not None and effects(each.conditions)
    )
    one = next(found)
    return one, next(each for each in found if effects(each) != effects(one))


def _sent(log: WireLog) -> int:
    return sum(record.direction == "sent" for record in read_wire_log(log.path))


def _offered(make_it_hard: Callable[[], None]) -> None:
    try:
        make_it_hard()
    except NotOffered as reason:
        pytest.skip(str(reason))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + RECOVERY_S
    while not holds():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.005)


def _again(ask: Callable[[], T]) -> T:
    """Ask until it is answered: after a failure a driver may need a turn to find its way back."""
    deadline = time.monotonic() + RECOVERY_S
    while True:
        try:
            return ask()
        except (TransportError, ExchangeTimeout, RebootDetected, LockedByOther):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _is_ours(thread: threading.Thread) -> bool:
    return not thread.name.startswith(("bench", "sim"))
