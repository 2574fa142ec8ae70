"""The self-check believes this kernel, and no kernel that does something else than it tells."""

from collections.abc import Iterator

import pytest
from netem_lab import ADDRESS, make_lab, remove_lab, run

from impairlab.drivers import IncompatiblePeer, connect, delay
from impairlab.drivers.model import Conditions, GilbertElliottLoss, RandomLoss
from impairlab.drivers.netem import self_check as checking
from impairlab.drivers.netem.self_check import Trial, self_check, usual_trials
from impairlab.drivers.netem.topology import Topology
from impairlab.drivers.netem.translate import stages_of
from impairlab.drivers.netem.trust import ensure_trust
from impairlab.drivers.netem.wire.host import Host


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as machine:
        yield machine


TREES = [Topology(), Topology(flows=2), Topology(separate=False)]


@pytest.mark.parametrize("topology", TREES, ids=str)
def test_this_kernel_does_what_it_says(topology: Topology, host: Host) -> None:
    before = run("tc", "qdisc", "show")
    assert self_check(topology, host, "box") == ()
    assert run("tc", "qdisc", "show") == before


INSTEAD = {
    "loss that loses nothing": (RandomLoss(rate="10 %"), None, "0 of 2000 packets were lost; should be 200 +- 74"),
    "single losses for a chain": (
        GilbertElliottLoss(to_bad="5 %", to_good="25 %"), RandomLoss(rate="16.667 %"), "at a time; should be 4 +- "),
    "jitter that jumps": (delay("20 ms"), delay("4.3 s"), "0 packets came of 2000"),
    "a delay that is too long": (delay("20 ms"), delay("60 ms"), "should be 20 to 20 ms"),
    "a delay that is too short": (delay("20 ms"), delay("15 ms"), "should be 20 to 20 ms"),
}  # fmt: skip


@pytest.mark.parametrize(("set_", "done", "says"), INSTEAD.values(), ids=INSTEAD)
def test_a_kernel_that_does_something_else_is_found_out(set_, done, says, host, monkeypatch) -> None:
    """The driver's tree stays as it is; only what reaches the kernel for these conditions is something else."""
    wanted, other = Conditions.of(set_), Conditions.of(done) if done else Conditions()
    real = checking.stages_of
    monkeypatch.setattr(checking, "stages_of", lambda c, sizing: real(other if c == wanted else c, sizing))
    (problem,) = self_check(Topology(), host, "box", [each for each in usual_trials() if each.conditions == wanted])
    assert says in problem


def test_a_rate_that_is_not_kept_is_found_out(host) -> None:
    (line,) = (each for each in usual_trials() if each.probes < checking.PROBES)
    unhindered = Trial(Conditions(), line.problem, line.probes, line.size)
    (problem,) = self_check(Topology(), host, "box", [unhindered])
    assert "200 packets took" in problem
    assert "should be 166 ms" in problem


class Notebook(Host):
    """This machine, with notes of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, str] = {}

    def read_note(self, name: str) -> str | None:
        return self.notes.get(name)

    def write_note(self, name: str, text: str) -> None:
        self.notes[name] = text


@pytest.fixture
def checks():
    """How often the kernel was checked, and what to say is wrong with it."""
    asked: list[Topology] = []
    problems: list[str] = []

    def check(topology: Topology, machine: Host, name: str) -> tuple[str, ...]:
        asked.append(topology)
        return tuple(problems)

    with Notebook() as machine:
        yield asked, problems, lambda when: ensure_trust(Topology(), when, machine, "box", check)


def test_a_kernel_is_checked_once_or_always_or_never(checks) -> None:
    asked, _, trusted = checks
    trusted("never")
    assert len(asked) == 0
    for count in (1, 1):
        trusted("once")
        assert len(asked) == count
    trusted("always")
    trusted("always")
    assert len(asked) == 3


def test_a_kernel_that_failed_is_not_trusted_the_next_time(checks) -> None:
    asked, problems, trusted = checks
    problems.append("loss 10 %: 0 of 2000 packets were lost")
    for count in (1, 2):
        with pytest.raises(IncompatiblePeer, match=r"does not do what it says: loss 10 %: 0 of 2000.*check=never"):
            trusted("once")
        assert len(asked) == count


def test_a_session_begins_with_the_check(monkeypatch) -> None:
    """Through the driver itself: with a kernel that loses nothing there is no session, and all is as it was."""
    make_lab()
    try:
        before = run("tc", "qdisc", "show")
        lossless = lambda c, sizing: stages_of(c if c.loss is None else Conditions(), sizing)  # noqa: E731
        monkeypatch.setattr(checking, "stages_of", lossless)
        with pytest.raises(IncompatiblePeer, match="0 of 2000 packets were lost; should be 200"):
            connect(f"{ADDRESS}&check=always", driver="netem")
        assert run("tc", "qdisc", "show") == before
        with connect(f"{ADDRESS}&check=never", driver="netem"):
            pass
    finally:
        remove_lab()
