"""Bad input of every kind: one message that says where and what would be legal; no traceback and no internal error."""

import pytest

pytest_plugins = ("pytester",)

pytestmark = pytest.mark.usefixtures("scenario_file")


def marked(marker: str) -> str:
    return f"import pytest\n\n@pytest.mark.{marker}\ndef test_it(impairlab_run): pass\ndef test_unrelated(): pass\n"


MARKERS = [
    ("impairlab_scenario('nowhere.yaml')", "nowhere.yaml: cannot be read: No such file or directory; legal: *"),
    ("impairlab_scenario('faulty.yaml')", "faulty.yaml:5:38 phases[[]1].rough.wan.b-a.dealy: unknown key 'dealy', *"),
    ("impairlab_scenario('faulty.yaml')", "faulty.yaml:6:18 phases[[]2].after.for: *; legal: *"),
    (
        "impairlab_scenario('brief.yaml', on={'wan': 'sim-1', 'lan': 'sim-1'})",
        "brief.yaml:2:* needs.lan: unknown role 'lan'*",
    ),
    ("impairlab_scenario('two.yaml', on={'wan': 'sim-1'})", "test_*.py:3: no path plays lan; legal: on={'lan': *"),
    ("impairlab_scenario('brief.yaml', on={'wan': 'sim-2'})", "wan=sim-2: unknown appliance 'sim-2', did you mean*"),
    ("impairlab_scenario('brief.yaml', on={'wan': 'sim-1:9'})", "brief.yaml:*no path '9'; legal: 1"),
    ("impairlab_scenario('brief.yaml', onn={})", "test_*.py:3: impairlab_scenario: unknown argument 'onn'; legal: *"),
    ("impairlab_scenario('brief.yaml', on='wan')", "test_*.py:3: impairlab_scenario: on='wan' is not a mapping *"),
    ("impairlab_scenario('brief.yaml', file='a')", "test_*.py:3: impairlab_scenario: 'file' is given twice"),
    ("impairlab_scenario('brief.yaml', {}, 1)", "test_*.py:3: impairlab_scenario: it takes the scenario's file*"),
    ("impairlab_scenario", "test_*.py:3: impairlab_scenario: it takes the scenario's file*"),
    ("impairlab_scenario(7)", "test_*.py:3: impairlab_scenario: it takes the scenario's file*"),
    ("impairlab_needs('loss.brust')", "test_*.py:3: impairlab_needs: unknown feature 'loss.brust', did you mean *"),
    ("impairlab_needs", "test_*.py:3: impairlab_needs: features are strings, at least one, *"),
    ("impairlab_needs(['loss'])", "test_*.py:3: impairlab_needs: features are strings, at least one, *"),
    ("impairlab_needs('loss', on='wan')", "test_*.py:3: impairlab_needs: unknown argument 'on'; legal: none by name"),
]


@pytest.mark.parametrize(("marker", "message"), MARKERS, ids=[f"{marker}" for marker, _ in MARKERS])
def test_a_wrong_marker_is_an_error_of_its_test_alone(pytester, run, marker: str, message: str) -> None:
    faulty = (
        pytester.path.joinpath("brief.yaml").read_text().replace("delay: 40", "dealy: 40").replace("50 ms}\n", "50}\n")
    )
    pytester.path.joinpath("faulty.yaml").write_text(faulty)
    two = pytester.path.joinpath("brief.yaml").read_text().replace("wan: [delay.constant]", "wan: [], lan: []")
    pytester.path.joinpath("two.yaml").write_text(two)
    pytester.makepyfile(marked(marker))
    result = run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([message])
    output = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert output.count("During handling") == 0


OPTIONS = [
    (["--impairlab-on", "wan"], "*argument --impairlab-on: 'wan' says no path for a role; ROLE=APPLIANCE or *"),
    (["--impairlab-rack", "nowhere.yaml"], "*argument --impairlab-rack: there is no file 'nowhere.yaml'"),
    (["--impairlab-runs", "brief.yaml"], "*argument --impairlab-runs: 'brief.yaml' is not a folder"),
    (["--impairlab-sim", "vlan"], "*argument --impairlab-sim: 'vlan' is none of auto, netns, null"),
    (["--impairlab-wait", "soon"], "*argument --impairlab-wait: 'soon' is not a number of seconds, 0 or more"),
    (["--impairlab-wait", "nan"], "*argument --impairlab-wait: 'nan' is not a number of seconds, 0 or more"),
    (["-o", "impairlab_on=wan"], "ERROR: ini setting impairlab_on: 'wan' says no path for a role; *"),
    (["-o", "impairlab_wait=-1"], "ERROR: ini setting impairlab_wait: '-1' is not a number of seconds, 0 or more"),
    (["-o", "impairlab_rack=nowhere.yaml"], "ERROR: ini setting impairlab_rack: there is no file *nowhere.yaml*"),
]


@pytest.mark.parametrize(("arguments", "message"), OPTIONS, ids=[" ".join(given) for given, _ in OPTIONS])
def test_a_wrong_option_is_a_usage_error(pytester, run, arguments: list[str], message: str) -> None:
    pytester.makepyfile("def test_unrelated(): pass")
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_faulty_rack_is_told_with_its_places_to_every_test_that_wants_it(pytester, run) -> None:
    pytester.path.joinpath("rack.yaml").write_text(
        "appliances:\n  wan-1: {driver: scpi, addres: 'tcp://127.0.0.1:1'}\n"
    )
    pytester.makepyfile("def test_it(impairlab_box): pass\ndef test_rack(impairlab_rack): pass\ndef test_other(): pass")
    result = run("--impairlab-rack", "rack.yaml")
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["*rack.yaml:2:25 appliances.wan-1.addres: unknown key 'addres', did you mean *"] * 2)
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_appliance_that_does_not_answer_is_an_error_in_one_line(pytester, run, lab) -> None:
    lab.appliance.close()
    pytester.makepyfile(
        "import pytest\ndef test_it(impairlab_box): pass\n@pytest.mark.impairlab_needs('loss')\ndef test_needs(): pass"
    )
    result = run("--impairlab-rack", "rack.yaml")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_it*", "wan-1: *refused*", "*test_needs*", "wan-1: *refused*"])
    result.stdout.no_fnmatch_line("*Traceback*")
