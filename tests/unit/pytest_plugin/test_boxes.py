"""Boxes and paths that tests are lent, and what is left of it afterwards."""

import pytest

pytest_plugins = ("pytester",)

IMPAIR = """
import pytest
from impairlab.drivers import delay, loss
"""
BOTH_DELAYED = ["path 1 a-b: delay 40 ms", "path 1 b-a: delay 40 ms"]


def test_a_path_impairs_and_is_as_before_afterwards(pytester, run, lab) -> None:
    pytester.makepyfile(
        IMPAIR
        + """
def test_it(impairlab_path, impairlab_box):
    with impairlab_path.impaired(delay("40 ms"), direction="b-a") as applied:
        assert applied[0].read_back is not None
        assert str(impairlab_path.b_to_a.read()) == "delay 40 ms"
    assert impairlab_path.b_to_a.read().is_neutral
    impairlab_path.apply(loss("1 %"))
    assert impairlab_box.name == "wan-1"
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(passed=1)
    assert ["path 1 b-a: delay 40 ms"] in lab.history()
    assert lab.programmed() == []


@pytest.mark.parametrize(
    ("ending", "outcomes"),
    [
        ("assert 0", {"failed": 1}),
        ("raise RuntimeError('a defect')", {"failed": 1}),
        ("pytest.skip('enough')", {"skipped": 1}),
        ("pytest.xfail('known')", {"xfailed": 1}),
        ("raise KeyboardInterrupt", {}),
        ("pytest.exit('enough')", {}),
    ],
)
def test_however_a_test_ends_the_box_is_as_before(pytester, run, lab, ending: str, outcomes: dict[str, int]) -> None:
    pytester.makepyfile(
        IMPAIR + f"def test_it(impairlab_path):\n    impairlab_path.apply(delay('40 ms'))\n    {ending}\n"
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(**outcomes)
    assert BOTH_DELAYED in lab.history()
    assert lab.programmed() == []


def test_a_fixture_that_fails_later_leaves_the_box_as_before(pytester, run, lab) -> None:
    pytester.makepyfile(
        IMPAIR
        + """
@pytest.fixture
def impaired(impairlab_path):
    impairlab_path.apply(delay("40 ms"))
    raise RuntimeError("a defect")
def test_it(impaired): pass
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(errors=1)
    assert BOTH_DELAYED in lab.history()
    assert lab.programmed() == []


def test_what_was_programmed_before_the_test_is_programmed_after_it(pytester, run, lab) -> None:
    pytester.makepyfile(
        IMPAIR
        + """
@pytest.fixture(scope="module", autouse=True)
def usual():
    import os
    from impairlab.drivers import connect
    from impairlab.controller.plan.rack import Rack
    from pathlib import Path
    with connect(Rack.read(Path("rack.yaml")).appliances["wan-1"].address) as box:
        box.path("1").apply(delay("7 ms"), direction="a-b")
def test_it(impairlab_path):
    assert str(impairlab_path.a_to_b.read()) == "delay 7 ms"
    impairlab_path.clear()
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(passed=1)
    assert lab.programmed() == ["path 1 a-b: delay 7 ms"]


def test_others_cannot_write_meanwhile(pytester, run, lab) -> None:
    pytester.makepyfile(
        IMPAIR
        + """
from impairlab.drivers import LockedByOther, connect
def test_it(impairlab_rack, impairlab_box):
    with connect(impairlab_rack.rack.appliances["wan-1"].address) as other, pytest.raises(LockedByOther):
        other.path("1").apply(delay("1 ms"))
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(passed=1)


def test_a_box_that_cannot_be_put_back_is_an_error_and_nobody_tests_with_it_again(pytester, run) -> None:
    pytester.makepyfile(
        IMPAIR
        + """
def test_it(impairlab_rack, impairlab_path):
    impairlab_path.apply(delay("40 ms"))
    impairlab_rack.simulation.appliance.close()
def test_next(impairlab_path): pass
def test_unrelated(): pass
"""
    )
    result = run()
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_it*",
            "sim-1: could not be put back in 3 attempts: *",
            "*impairlab timeline*",
            "*sim-1 path 1 b-a: delay 40 ms",
            "*ERROR at setup of test_next*",
            "sim-1: nobody knows what is programmed: it could not be put back after *::test_it",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_path_is_chosen_by_role_or_by_place(pytester, run, lab) -> None:
    text = pytester.path.joinpath("rack.yaml").read_text()
    again = text.splitlines()[1].replace("wan-1", "lan-1").replace("}", ", paths: {lan: '1'}}")
    pytester.path.joinpath("rack.yaml").write_text(text + again + "\n")
    pytester.makepyfile(
        IMPAIR
        + """
def test_role(impairlab_path): assert repr(impairlab_path) == "<wan-1 path 1>"
@pytest.mark.parametrize("impairlab_path", ["lan-1", "lan-1:lan", "lan-1:1"], indirect=True)
def test_place(impairlab_path): assert repr(impairlab_path) == "<lan-1 path 1>"
@pytest.mark.parametrize("impairlab_path", ["wan"], indirect=True)
def test_role_by_name(impairlab_path): assert repr(impairlab_path) == "<wan-1 path 1>"
"""
    )
    run("--impairlab-rack", "rack.yaml", "--impairlab-on", "wan=wan-1").assert_outcomes(passed=5)
    result = run("--impairlab-rack", "rack.yaml", "-k", "test_role and not name")
    result.assert_outcomes(errors=1, deselected=4)
    result.stdout.fnmatch_lines(["test_*.py:4: which path is impairlab_path? There are wan-1, lan-1; legal: *"])
