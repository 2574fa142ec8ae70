"""The simulated appliance as a USB device under a kernel that can be one: in a virtual machine, with three clients."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
MODULES = ["dummy_hcd", "usb_f_fs", "usbtmc"]
"""A USB controller and a device controller wired to each other, gadgets made of programs, and the kernel's client."""
WITHIN_S = 400


@pytest.mark.timeout(900)
def test_real_clients_take_it_for_an_instrument(run_in_vm):
    pytest.importorskip("usb", reason="pyusb is not installed, which PyVISA-py needs for USB")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "pytest_timeout", "--noconftest"]
    outcome = run_in_vm(
        [*command, "--quiet", "--durations=3", str(FOLDER / "vm" / "guest_usbtmc.py")],
        modules=MODULES,
        within_s=WITHIN_S,
        folder=FOLDER.parents[1],
        environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert outcome.status == 0, str(outcome)
    assert " passed" in outcome.output, str(outcome)
    assert "skipped" not in outcome.output, str(outcome)
