"""Needs: a test whose appliance cannot do it is skipped, and says why."""

import pytest

pytest_plugins = ("pytester",)

FILE = """
import pytest
@pytest.fixture
def never():
    raise AssertionError("fixtures of a skipped test must not begin")
@pytest.mark.impairlab_needs("loss.burst", "pfc")
def test_more_than_there_is(never): pass
@pytest.mark.impairlab_needs("loss.burst")
@pytest.mark.impairlab_needs("delay")
def test_what_there_is(impairlab_path): pass
"""


def test_a_test_is_skipped_for_what_is_missing_and_nothing_else(pytester, run, lab) -> None:
    pytester.makepyfile(FILE)
    result = run("-rs", "--impairlab-rack", "rack.yaml")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * test_*.py:5: wan-1 does not offer pfc"])


@pytest.mark.parametrize("ini", [False, True])
def test_strict_turns_the_skip_into_an_error(pytester, run, lab, ini: bool) -> None:
    pytester.makepyfile(FILE)
    if ini:
        pytester.makeini("[pytest]\nimpairlab_strict = true\n")
    result = run("--impairlab-rack", "rack.yaml", *() if ini else ("--impairlab-strict",))
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["wan-1 does not offer pfc"])


def test_without_packets_there_are_no_stations_and_the_test_says_so(pytester, run) -> None:
    pytester.makepyfile("def test_it(impairlab_stations): pass\ndef test_again(impairlab_stations): pass")
    result = run("-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED * the simulated appliance has no packets: --impairlab-sim null"])
    strict = run("--impairlab-strict")
    strict.assert_outcomes(errors=2)
    strict.stdout.fnmatch_lines(["the simulated appliance has no packets: --impairlab-sim null"])
    strict.stdout.no_fnmatch_line("*Traceback*")


def test_stations_of_a_rack_file_are_its_own(pytester, run, lab) -> None:
    with pytester.path.joinpath("rack.yaml").open("a") as rack:
        rack.write("stations:\n  phone: {prefix: ssh phone}\n")
    pytester.makepyfile(
        """
import pytest
def test_it(impairlab_stations):
    assert impairlab_stations.command_in("phone", ["ping", "x"]) == ["ssh", "phone", "ping", "x"]
    with pytest.raises(LookupError, match="no station 'fone'; there are phone"):
        impairlab_stations.command_in("fone", [])
    with pytest.raises(LookupError, match="no known address of 'phone'; known: none"):
        impairlab_stations.address("phone")
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(passed=1)


def test_a_test_that_is_skipped_anyway_asks_no_appliance(pytester, run, lab) -> None:
    lab.appliance.close()
    pytester.makepyfile(
        """
import pytest
@pytest.mark.skipif(True, reason="no lab today")
@pytest.mark.impairlab_needs("loss.burst")
def test_it(impairlab_path): pass
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(skipped=1)


@pytest.mark.usefixtures("scenario_file")
def test_what_is_only_shown_touches_no_appliance(pytester, run, lab) -> None:
    lab.appliance.close()
    pytester.makepyfile(
        """
import pytest
@pytest.mark.impairlab_needs("loss.burst")
@pytest.mark.impairlab_scenario("brief.yaml")
def test_it(impairlab_path, impairlab_run): pass
"""
    )
    result = run("--impairlab-rack", "rack.yaml", "--setup-plan")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*SETUP    F impairlab_box*"])
