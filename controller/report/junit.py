"""junit.xml: each verdict as a test case, so that a CI system shows the run beside its other tests."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from impairlab.controller.analysis.verdict import Outcome

from .view import Judged

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(judged: Sequence[Judged], *, title: str, seconds: float, cut_short: str = "") -> str:
    """The file's text.

    FAIL is a failure and INVALID an error. INCONCLUSIVE is a failure too: a CI system must not go green on a claim
    that nobody could confirm, and JUnit's `skipped` would let it. A run that was cut short is an error of its own.

    Args:
        judged: The verdicts.
        title: Name of the suite.
        seconds: How long the run was.
        cut_short: How the run ended early; empty if it went through.
    """
    outcomes = [row.verdict.outcome for row in judged]
    counts = {
        "tests": len(outcomes) + bool(cut_short),
        "failures": sum(outcome in {Outcome.FAIL, Outcome.INCONCLUSIVE} for outcome in outcomes),
        "errors": sum(outcome is Outcome.INVALID for outcome in outcomes) + bool(cut_short),
        "skipped": 0,
    }
    attributes = {"name": _legal(title), "time": f"{seconds:.3f}"} | {
        name: str(count) for name, count in counts.items()
    }
    suites = Element("testsuites")
    suite = SubElement(suites, "testsuite", attributes)
    if cut_short:
        case = SubElement(suite, "testcase", {"classname": _legal(title), "name": "the run goes through"})
        SubElement(case, "error", {"type": Outcome.INVALID.value, "message": _legal(cut_short)})
    for row in judged:
        _case(suite, row, title)
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _case(suite: Element, row: Judged, title: str) -> None:
    verdict = row.verdict
    case = SubElement(suite, "testcase", {"classname": _legal(title), "name": _legal(verdict.claim)})
    if verdict.outcome is Outcome.PASS:
        SubElement(case, "system-out").text = _legal(verdict.reason)
        return
    kind = "error" if verdict.outcome is Outcome.INVALID else "failure"
    told = SubElement(case, kind, {"type": verdict.outcome.value, "message": _legal(verdict.reason)})
    told.text = _legal(f"{verdict.outcome.value}: {verdict.claim}\n{verdict.reason}\n{verdict.method}, n = {verdict.n}")


def _legal(text: str) -> str:
    """Without the characters that XML 1.0 (section 2.2) has no place for; they cannot even be escaped."""
    return _NOT_XML.sub("\ufffd", text)
