"""The page: the sections of a view in one HTML document that needs nothing but itself."""

from importlib.resources import files

from .markup import Markup, element, join
from .sections import (
    applied_section,
    banner,
    counters_section,
    definitions_section,
    facts_section,
    figures,
    generators,
    notices,
    objectives,
)
from .view import Report


def page(report: Report) -> str:
    """The whole document. It loads nothing and runs no script."""
    head = [
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", f"{report.outcome.value if report.outcome else 'no verdict'}: {report.title}"),
        element("style", Markup(_style())),
    ]
    header = element("header", element("h1", report.title), element("p", report.run), class_="page")
    body = element(
        "main",
        header,
        banner(report),
        notices(report.notices),
        objectives(report.judged),
        *figures(report.traffics),
        applied_section(report.applied, report.steps_left_out),
        counters_section(report.counters),
        *generators(report.traffics),
        definitions_section(report.definitions),
        facts_section(report.facts),
    )
    return f'<!DOCTYPE html>\n<html lang="en">{element("head", join(head))}{element("body", body)}</html>\n'


def _style() -> str:
    return files(__package__).joinpath("style.css").read_text(encoding="utf-8")
