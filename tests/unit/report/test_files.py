"""verdict.json and junit.xml: well-formed, complete, and never green on what was not confirmed."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf
from xml.etree import ElementTree as ET

from impairlab.controller.analysis.metrics import METRICS
from impairlab.controller.analysis.verdict import Outcome, quantile_at_most
from impairlab.controller.report.junit import junit_xml
from impairlab.controller.report.verdict_file import verdict_json
from impairlab.controller.report.verdicts import Verdicts
from impairlab.controller.report.view import Judged, Report

MakeReport = Callable[..., Report]
HOSTILE = "<x a='1'>&\x00\x1b]]>\ud800\ufffe"


def test_every_verdict_is_a_test_case_and_only_a_pass_is_green(make_report: MakeReport) -> None:
    judged = make_report().judged
    invalid = Judged("x", judged[0].verdict.invalid(["the generator was late"]))
    suite = ET.fromstring(junit_xml((*judged, invalid), title="run", seconds=60)).find("testsuite")  # noqa: S314 - ours
    assert suite is not None
    green = [case for case in suite if case.find("failure") is None and case.find("error") is None]
    assert len(suite) == len(judged) + 1
    assert len(green) == sum(row.verdict.outcome is Outcome.PASS for row in judged)
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "1", "1")


def test_hostile_text_leaves_the_xml_well_formed(make_report: MakeReport) -> None:
    judged = tuple(replace(r, verdict=replace(r.verdict, claim=HOSTILE, reason=HOSTILE)) for r in make_report().judged)
    text = junit_xml(judged, title=HOSTILE, seconds=1.5)
    text.encode()
    case = ET.fromstring(text).find("testsuite/testcase")  # noqa: S314 - ours
    assert case is not None
    assert case.get("name") == "<x a='1'>&\ufffd\ufffd]]>\ufffd\ufffd"


def test_the_verdict_file_has_every_number_and_nothing_json_cannot_say() -> None:
    verdict = quantile_at_most([1.0, inf], metric=METRICS["ttft"], q=0.5, limit=inf)
    row = Judged("outage", replace(verdict, estimate=inf))
    verdicts = Verdicts(verdict.outcome, (row,), "why", ("cut short",))
    content = json.loads(verdict_json(verdicts, run="r1", title="t"))
    assert content["outcome"] == verdict.outcome.value
    assert content["verdicts"][0] == {"phase": "outage", **row.verdict.to_dict()}
    assert content["verdicts"][0]["estimate"] == "inf"
    assert content["notices"] == ["cut short"]


def test_without_verdicts_there_is_no_outcome() -> None:
    assert json.loads(verdict_json(Verdicts(None, (), "", ()), run="r", title="t"))["outcome"] is None
