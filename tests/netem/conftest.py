"""The tests of this folder run in a guest with a kernel that has netem, and are reported as tests of the outer run.

The outer run collects them like any others. Instead of running one it asks the guest, in which the same pytest has
collected the same tests, to run it, and passes on the reports that come back. Without user-mode Linux they are skipped.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from uml import BOOT_S, Guest, GuestError, obstacle, put

HERE = Path(__file__).parent
EXCHANGE = os.environ.get("IMPAIRLAB_UML_EXCHANGE")
TEST_S = 100
GUEST = pytest.StashKey[Guest]()


if EXCHANGE is None:

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if item.path.parent != HERE:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in reports(item, nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def reports(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[pytest.TestReport]:
        if why := obstacle():
            yield own_report(item, "skipped", (str(item.path), item.location[1] or 0, f"Skipped: {why}"))
            return
        following = nextitem.nodeid if nextitem is not None and nextitem.path.parent == HERE else None
        try:
            answers = guest(item.config).ask([item.nodeid, following], TEST_S)
        except GuestError as error:
            close(item.config)
            yield own_report(item, "failed", str(error))
            return
        for answer in answers:
            yield item.config.hook.pytest_report_from_serializable(config=item.config, data=answer)

    def own_report(item: pytest.Item, outcome: str, longrepr: object) -> pytest.TestReport:
        when = "setup" if outcome == "skipped" else "call"
        keywords = dict.fromkeys(item.keywords, 1)
        return pytest.TestReport(item.nodeid, item.location, keywords, outcome, longrepr, when)

    def guest(config: pytest.Config) -> Guest:
        """Boot it when it is first needed, or needed again."""
        if GUEST not in config.stash:
            # Left-over options of the outer run are not the guest's.
            command = ["/usr/bin/env", "IMPAIRLAB_UML_EXCHANGE=/run/exchange", "PYTHONDONTWRITEBYTECODE=1",
                       sys.executable, "-m", "pytest", str(HERE), f"--rootdir={config.rootpath}",
                       "-p", "no:cacheprovider", "-p", "no:xdist", "--basetemp=/run/pytest", "-q",
                       "-o", f"pythonpath={Path(__file__).parents[1] / 'support'}"]  # fmt: skip
            config.stash[GUEST] = Guest(command)
            config.stash[GUEST].ask(None, BOOT_S)
        return config.stash[GUEST]

    def close(config: pytest.Config) -> None:
        if GUEST in config.stash:
            config.stash[GUEST].close()
            del config.stash[GUEST]

    def pytest_unconfigure(config: pytest.Config) -> None:
        close(config)

else:

    class Collected:
        """Keeps the reports of one test."""

        def __init__(self, config: pytest.Config) -> None:
            self.config = config
            self.reports: list[object] = []

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            self.reports.append(self.config.hook.pytest_report_to_serializable(config=self.config, report=report))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        collected = Collected(session.config)
        session.config.pluginmanager.register(collected)
        number = 0
        while True:
            number += 1
            question = next_question(Path(EXCHANGE) / f"request-{number}")
            if question is not None:
                nodeid, following = question
                session.config.hook.pytest_runtest_protocol(item=items[nodeid], nextitem=items.get(following))
            put(Path(EXCHANGE) / f"answer-{number}", collected.reports)
            collected.reports = []

    def next_question(path: Path) -> list[str] | None:
        while not path.exists():
            time.sleep(0.005)
        return json.loads(path.read_text())
