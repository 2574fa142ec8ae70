"""A run folder as read: its documents and traffic logs as far as they go, with a note of everything that is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from impairlab.controller.plan.documents import RunRecord, read_run
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.traffic.log import TrafficLog, read_log


@dataclass(frozen=True)
class Content:
    """What a run folder holds.

    Attributes:
        record: The documents.
        logs: For each traffic of the scenario its log, or None where it is missing or damaged.
        notices: What could not be read, in words.
    """

    record: RunRecord
    logs: Mapping[str, TrafficLog | None]
    notices: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the run went through all of its timeline."""
        return self.record.stop is not None and self.record.stop.outcome == "success"

    @property
    def complete_phases(self) -> frozenset[str]:
        """The phases that went on until their planned end: something that was planned for that instant or later came.

        Of a run that was cut short this is the part that can be judged; how long it took to put the appliances right
        afterwards plays no part.
        """
        happened = [event.planned_ns for event in self.record.events if event.event != "prepare"]
        last_ns = max(happened, default=0)
        return frozenset(name for name, (_, end_ns) in self.record.phases.items() if last_ns >= end_ns)


def read_folder(folder: RunFolder) -> Content:
    """Read a run folder. A traffic log that is missing or damaged is a notice; the documents must be there.

    Raises:
        FileError: There are no documents, or one of them is damaged.
    """
    record = read_run(folder.documents)
    logs: dict[str, TrafficLog | None] = {}
    notices: list[str] = []
    for name in record.start.traffic:
        logs[name], notice = _log(name, folder.requests(name))
        notices += notice
    if record.truncated:
        notices.append("The last document is cut short: the run was killed while it was being written.")
    return Content(record, logs, tuple(notices))


def _log(traffic: str, path: Path) -> tuple[TrafficLog | None, list[str]]:
    try:
        return read_log(path), []
    except FileNotFoundError:
        return None, [f"There is no log of the traffic {traffic} ({path.name}): no request was recorded."]
    except (OSError, ValueError) as error:
        return None, [f"The log of the traffic {traffic} cannot be read: {error}"]
