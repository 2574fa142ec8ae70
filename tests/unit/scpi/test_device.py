"""What a device brings to the common commands: identity, options, self-test, trigger and memories."""

import pytest

from impairlab.sim_hardware.scpi import Device, Identity, Instrument


class Memory(Device):
    """Has two memories, an option and a failing self-test; counts triggers."""

    identity = Identity("impairlab", "Memory")
    options = ("FAST", "10G")
    save_slots = 2

    def __init__(self) -> None:
        self.saved: list[int] = []
        self.recalled: list[int] = []
        self.triggers = 0
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def self_test(self) -> int:
        return 3

    def trigger(self) -> None:
        self.triggers += 1

    def save(self, slot: int) -> None:
        self.saved.append(slot)

    def recall(self, slot: int) -> None:
        if slot not in self.saved:
            super().recall(slot)
        self.recalled.append(slot)


def test_common_commands_reach_the_device() -> None:
    device = Memory()
    session = Instrument(device).open_session("x")
    assert session.feed(b"*OPT?\n*TST?\n*TRG;*RST;*SAV 1;*RCL 1\n") == b"FAST,10G\n3\n"
    assert (device.triggers, device.resets, device.saved, device.recalled) == (1, 2, [1], [1])
    assert session.feed(b"*RCL 0;*SAV 2;:SYST:ERR:CODE?;CODE?;CODE?\n") == b"-314;-222;0\n"


def test_device_without_extras_says_so() -> None:
    session = Instrument(Device()).open_session("x")
    assert session.feed(b"*TST?;*OPT?\n*TRG\n*SAV 0\n") == b"0;0\n"
    assert session.feed(b"SYST:ERR:CODE?;CODE?\n") == b"-211;-113\n"


@pytest.mark.parametrize("wrong", ["", "a,b", "a;b", "caf\xe9", "a\nb", "x" * 73])
def test_identity_that_would_break_idn_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\*IDN\?"):
        Identity("impairlab", wrong)
