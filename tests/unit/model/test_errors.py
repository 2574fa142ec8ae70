"""The error tree: every failure has one name, and each error carries what its handler needs to decide."""

import inspect

import pytest

from impairlab.drivers.model import Violation, errors
from impairlab.drivers.model.errors import (
    CapabilityError,
    ExchangeTimeout,
    FileError,
    ImpairlabError,
    InstrumentError,
    LockedByOther,
    ProtocolError,
    TransportError,
)

TREE = {
    TransportError: {
        "ConnectError", "ConnectionLost", "SessionLimit", "AuthError", "HostKeyChanged", "IncompatiblePeer",
        "HostKeyUnknown", "UntrustedCertificate", "CertificateChanged",
    },
    ExchangeTimeout: {"NoResponse", "PartialResponse"},
    ProtocolError: {"Desynchronised", "MalformedResponse", "UnexpectedOutput"},
    InstrumentError: {
        "InstrumentCommandError", "InstrumentExecutionError", "InstrumentDeviceError", "InstrumentQueryError",
    },
    ImpairlabError: {
        "TransportError", "ExchangeTimeout", "ProtocolError", "InstrumentError", "CapabilityError", "LockedByOther",
        "RebootDetected", "VerifyMismatch", "IdentityMismatch", "FileError",
    },
}  # fmt: skip

ALL = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, ImpairlabError)]
VIOLATIONS = (
    Violation(where="path 1 a-b", field="delay.mean", problem="11 s is out of range", legal="0 s .. 10 s"),
    Violation(field="mtu", problem="not offered by this appliance", legal="delay"),
)


def made(kind: type[ImpairlabError], **facts) -> ImpairlabError:
    if issubclass(kind, InstrumentError):
        return kind([(-222, "Data out of range"), (-221, "Settings conflict")], **facts)
    if kind is CapabilityError:
        return kind(VIOLATIONS, **facts)
    return kind("Alice" if kind is LockedByOther else "it broke", **facts)


def test_the_tree_is_as_published() -> None:
    for parent, children in TREE.items():
        assert {each.__name__ for each in ALL if parent in each.__bases__} == children
    assert len(ALL) == 1 + sum(map(len, TREE.values()))


@pytest.mark.parametrize("kind", [each for each in ALL if each is not FileError], ids=lambda each: each.__name__)
def test_each_carries_appliance_command_bytes_state_and_whether_to_retry(kind: type[ImpairlabError]) -> None:
    plain = made(kind)
    assert (plain.appliance, plain.command, plain.seen, plain.state_known) == ("", "", b"", True)
    assert plain.retryable is (kind is LockedByOther)
    facts = {"appliance": "wan-1", "command": "*OPC?", "seen": b"\x00+", "state_known": False, "retryable": True}
    taken = {name: fact for name, fact in facts.items() if name in inspect.signature(kind).parameters}
    error = made(kind, **taken)
    assert {name: getattr(error, name) for name in taken} == taken
    assert str(error).startswith("wan-1: ")
    assert error.message in str(error)
    assert str(error).endswith(" (after '*OPC?')") == ("command" in taken)
    assert "\n" not in str(error)
    assert "appliance" in taken


def test_most_take_every_fact() -> None:
    whole = {"appliance", "command", "seen", "state_known", "retryable"}
    special = {InstrumentError, *InstrumentError.__subclasses__(), CapabilityError, LockedByOther, FileError}
    for kind in set(ALL) - special:
        assert whole <= set(inspect.signature(kind).parameters), kind


def test_the_words_are_what_broke_when_nothing_else_is_known() -> None:
    assert str(TransportError("it broke")) == "it broke"
    assert str(TransportError("it broke", appliance="wan-1")) == "wan-1: it broke"
    assert str(TransportError("it broke", command="*RST")) == "it broke (after '*RST')"


def test_a_refusal_lists_every_number_and_leads_with_the_first() -> None:
    error = InstrumentError([(-222, "Data out of range"), (7, "Fan")], command="A", state_known=False)
    assert (error.code, error.text) == (-222, "Data out of range")
    assert error.errors == ((-222, "Data out of range"), (7, "Fan"))
    assert error.message == "refused by the appliance: -222 Data out of range; 7 Fan"
    assert (error.state_known, error.retryable) == (False, False)


def test_a_capability_error_keeps_every_violation() -> None:
    error = CapabilityError(VIOLATIONS, appliance="wan-1")
    assert error.violations == VIOLATIONS
    assert all(str(each) in str(error) for each in VIOLATIONS)
    assert error.state_known


def test_a_lock_names_its_holder() -> None:
    assert LockedByOther("Alice").holder == "Alice"
    assert "locked by Alice" in str(LockedByOther("Alice"))
    assert "locked by another session" in str(LockedByOther(""))


def test_a_file_error_has_a_line_for_every_fault() -> None:
    error = FileError(["a.yaml:1:2 delay: no unit", "a.yaml:9:1 loss: 101 %"])
    assert error.faults == ("a.yaml:1:2 delay: no unit", "a.yaml:9:1 loss: 101 %")
    assert str(error).splitlines() == list(error.faults)
