"""Where the kernel cannot be a USB device: one clear error, and nothing left behind."""

import errno
from pathlib import Path

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.sim_hardware.transports.usbtmc.aio import KernelAio
from impairlab.sim_hardware.transports.usbtmc.gadget import CONTROLLERS, free_controller


def controller(folder: Path, name: str, function: str) -> None:
    (folder / name).mkdir()
    (folder / name / "function").write_text(function)


def test_a_controller_that_has_no_gadget_is_taken(tmp_path):
    controller(tmp_path, "fe980000.usb", "other\n")
    controller(tmp_path, "musb-hdrc.0", "\n")
    assert free_controller(tmp_path) == "musb-hdrc.0"


def test_none_and_none_free_are_told_apart(tmp_path):
    with pytest.raises(OSError, match="no USB device controller") as raised:
        free_controller(tmp_path)
    assert raised.value.errno == errno.ENODEV
    with pytest.raises(OSError, match="no USB device controller"):
        free_controller(tmp_path / "missing")
    controller(tmp_path, "dummy_udc.0", "other\n")
    with pytest.raises(OSError, match="has a gadget") as raised:
        free_controller(tmp_path)
    assert raised.value.errno == errno.EBUSY


@pytest.mark.skipif(CONTROLLERS.is_dir() and any(CONTROLLERS.iterdir()), reason="this machine can be a USB device")
def test_the_command_line_says_so_in_one_message(capsys):
    assert run_command(["sim", "serve", "--plane", "null", "--port", "0", "--usbtmc"]) == 5
    told = capsys.readouterr().err
    assert told.startswith("cannot be a USB device: this kernel has no USB device controller")
    assert told.count("\n") == 1


def test_transfers_of_the_kernel_are_told_when_they_are_done(tmp_path):
    path = tmp_path / "file"
    with KernelAio() as aio, path.open("w+b", buffering=0) as file:
        written = aio.write(file.fileno(), b"0123456789")
        done = []
        while not done:
            done = aio.done()
        assert [(each.token, each.result, each.content) for each in done] == [(written, 10, b"")]
        read = aio.read(file.fileno(), 4)
        while not (done := aio.done()):
            continue
        assert [(each.token, each.result, each.content) for each in done] == [(read, 4, b"0123")]
        aio.cancel(read)
        assert aio.done() == []
