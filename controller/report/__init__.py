"""The report: what a run folder says, as one self-contained page, a verdict file and a JUnit file."""

from impairlab.controller.report.write import WrittenReport, write_report

__all__ = ["WrittenReport", "write_report"]
