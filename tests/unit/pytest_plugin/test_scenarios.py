"""Scenarios in step with tests: when they begin, how they end, and what a failure tells."""

import json
import time

import pytest

pytest_plugins = ("pytester",)

pytestmark = pytest.mark.usefixtures("scenario_file")

IN_PHASE = ["path 1 b-a: delay 40 ms"]


def test_the_body_begins_with_the_first_phase_and_its_end_ends_the_scenario(pytester, run, lab) -> None:
    endless = pytester.path.joinpath("endless.yaml")
    endless.write_text(endless.read_text().replace("calm: {for: 50 ms}", "calm: {for: 1 s}"))
    pytester.makepyfile(
        """
import pytest
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_run):
    assert impairlab_run.phase == "calm"
    impairlab_run.wait_for("rough")
    assert impairlab_run.phase == "rough"
"""
    )
    begin = time.monotonic()
    run("--impairlab-rack", "rack.yaml", "--impairlab-runs", "runs").assert_outcomes(passed=1)
    assert time.monotonic() - begin < 60, "the scenario lasts an hour"
    assert IN_PHASE in lab.history()
    assert lab.programmed() == []
    [folder] = pytester.path.joinpath("runs").iterdir()
    stop = json.loads(folder.joinpath("documents.jsonl").read_text().splitlines()[-1])
    assert (stop["kind"], stop["outcome"], stop["restorations"][0]["how"]) == ("stop", "aborted", "snapshot")
    assert folder.joinpath("report.html").exists()


def test_a_test_may_wait_until_the_timeline_is_over(pytester, run, lab) -> None:
    pytester.makepyfile(
        """
import pytest
@pytest.mark.impairlab_scenario("brief.yaml", on={"wan": "wan-1:1"})
def test_it(impairlab_run, impairlab_path):
    stop = impairlab_run.wait()
    assert (stop.outcome, stop.steps_done, stop.restored) == ("success", 4, True)
    assert impairlab_path.b_to_a.read().is_neutral
    assert impairlab_run.folder.documents.exists()
    impairlab_run.wait_for("rough")
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(passed=1)
    assert lab.history()[-1] == []
    assert IN_PHASE in lab.history()


@pytest.mark.parametrize("ending", ["assert 0", "raise KeyboardInterrupt", "pytest.exit('enough')"])
def test_however_the_body_ends_the_appliance_is_as_before(pytester, run, lab, ending: str) -> None:
    pytester.makepyfile(
        f"""
import pytest
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_run):
    impairlab_run.wait_for("rough")
    {ending}
"""
    )
    run("--impairlab-rack", "rack.yaml")
    assert IN_PHASE in lab.history()
    assert lab.programmed() == []


def test_a_failure_tells_what_was_applied_when(pytester, run) -> None:
    pytester.makepyfile(
        """
import pytest
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_run):
    impairlab_run.wait_for("rough")
    assert 0
"""
    )
    result = run("--impairlab-runs", "runs")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- impairlab timeline -*",
            "t = 0 when the test's body began, 20* UTC",
            "*planned*sent*acknowledged",
            "  -* s * -* s * -* s  prepare; wan a-b: neutral; wan b-a: neutral",
            "*[[]calm] phase",
            "*[+-]* s *[+-]* s *[+-]* s  [[]rough] phase*; wan b-a: delay 40 ms",
            "the run's record: */runs/*-brief",
        ]
    )


def test_a_test_that_passes_tells_nothing(pytester, run) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.impairlab_scenario('brief.yaml')\ndef test_it(): pass")
    result = run("-rA", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*impairlab timeline*")


def test_the_scenario_begins_when_all_fixtures_are_ready_and_ends_before_they_go(pytester, run, lab) -> None:
    pytester.makepyfile(
        """
import pytest
from impairlab.drivers.model.errors import ImpairlabError
@pytest.fixture
def slow(impairlab_run, impairlab_path):
    with pytest.raises(ImpairlabError, match="has not begun"):
        impairlab_run.wait_for("calm")
    yield
    assert impairlab_path.b_to_a.read().is_neutral
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_run, slow, impairlab_path):
    impairlab_run.wait_for("rough")
    assert str(impairlab_path.b_to_a.read()) == "delay 40 ms"
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(passed=1)


def test_the_appliance_belongs_to_the_scenario_meanwhile(pytester, run, lab) -> None:
    pytester.makepyfile(
        """
import pytest
from impairlab.drivers import LockedByOther, delay
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_path):
    with pytest.raises(LockedByOther):
        impairlab_path.apply(delay("1 ms"))
"""
    )
    run("--impairlab-rack", "rack.yaml").assert_outcomes(passed=1)


def test_a_scenario_that_fails_under_the_test_is_an_error(pytester, run) -> None:
    pytester.makepyfile(
        """
import pytest
@pytest.mark.impairlab_scenario("brief.yaml")
def test_it(impairlab_rack, impairlab_run):
    impairlab_rack.simulation.appliance.close()
    with pytest.raises(Exception, match="the scenario failed: sim-1"):
        impairlab_run.wait()
"""
    )
    result = run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", "sim-1: *", "*impairlab timeline*", "*sim-1 NOT*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_run_that_cannot_put_the_appliance_back_spoils_it_for_the_next_test(pytester, run) -> None:
    pytester.makepyfile(
        """
import pytest
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_rack, impairlab_run):
    impairlab_run.wait_for("rough")
    impairlab_rack.simulation.appliance.close()
@pytest.mark.impairlab_scenario("brief.yaml")
def test_next(): pass
"""
    )
    result = run()
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_it*",
            "sim-1: could not be put back in 3 attempts: *",
            "*; sim-1 NOT put back",
            "*ERROR at setup of test_next*",
            "sim-1: nobody knows what is programmed: it could not be put back after *::test_it",
        ]
    )


@pytest.mark.parametrize(
    ("prefix", "said"),
    [("'false'", "the traffic generator did not start: exit code 1"), (None, "chatty.yaml:3:*from*far*")],
)
def test_traffic_that_cannot_start_is_one_error_and_the_appliance_is_as_before(
    pytester, run, lab, prefix: str | None, said: str
) -> None:
    if prefix is not None:
        with pytester.path.joinpath("rack.yaml").open("a") as rack:
            rack.write(f"stations:\n  far: {{prefix: {prefix}}}\n")
    pytester.path.joinpath("chatty.yaml").write_text(
        "scenario: chatty\nneeds: {wan: []}\n"
        "traffic: {chat: {kind: inference, url: 'http://127.0.0.1:1', rate: 1 req/s, prompt: 1 tok, output: 1 tok, "
        "from: far}}\nphases:\n  - rough: {for: 1 s, wan: {both: {delay: 1 ms}}}\n"
    )
    pytester.makepyfile("import pytest\n@pytest.mark.impairlab_scenario('chatty.yaml')\ndef test_it(): pass\n")
    result = run("--impairlab-rack", "rack.yaml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_it*", said])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert lab.programmed() == []


def test_waiting_for_a_phase_that_there_is_not_says_which_there_are(pytester, run) -> None:
    pytester.makepyfile(
        """
import pytest
from impairlab.drivers import ImpairlabError
@pytest.mark.impairlab_scenario("brief.yaml")
def test_it(impairlab_run):
    with pytest.raises(ImpairlabError, match="no phase 'rouh'; it has calm, rough, after"):
        impairlab_run.wait_for("rouh")
"""
    )
    run().assert_outcomes(passed=1)


def test_the_run_of_no_scenario_is_an_error_with_a_hint(pytester, run) -> None:
    pytester.makepyfile("def test_it(impairlab_run): pass")
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_*.py:1: impairlab_run needs a scenario: mark the test with *"])


def test_a_test_that_is_run_again_has_a_new_run_and_a_new_timeline(pytester, run) -> None:
    pytester.makeconftest(
        """
from _pytest.runner import runtestprotocol
def pytest_runtest_protocol(item, nextitem):
    for attempt in range(2):
        item._initrequest()
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
    )
    pytester.makepyfile(
        """
import pytest
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_run):
    impairlab_run.wait_for("rough")
    assert 0
"""
    )
    result = run()
    result.assert_outcomes(failed=2)
    assert result.stdout.str().count("[rough] phase") == 2


def test_of_a_long_timeline_the_end_is_shown(pytester, run) -> None:
    pytester.makepyfile(
        """
from impairlab.drivers import delay
def test_it(impairlab_path):
    for number in range(150):
        impairlab_path.apply(delay(f"{number} us"))
    assert 0
"""
    )
    result = run()
    result.stdout.fnmatch_lines(["*(100 earlier ones are left out)", "*a-b: delay 50 us", "*b-a: delay 149 us"])
    result.stdout.no_fnmatch_line("*delay 49 us")
