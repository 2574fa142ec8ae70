"""A USB device of this machine's own: a gadget in configfs with one function, which FunctionFS hands to us.

Source: the kernel's Documentation/usb/gadget_configfs.rst and functionfs.rst.
"""

import errno
import os
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from impairlab.sim_hardware.transports.usbtmc.descriptors import ENDPOINT_FILES, descriptors, strings

CONTROLLERS = Path("/sys/class/udc")
GADGETS = Path("/sys/kernel/config/usb_gadget")

_ENGLISH = "0x409"


@dataclass(frozen=True, slots=True)
class UsbIdentity:
    """What a device tells the host about itself.

    Attributes:
        vendor: idVendor.
        product: idProduct.
        manufacturer: iManufacturer.
        model: iProduct.
        serial: iSerialNumber.
    """

    vendor: int
    product: int
    manufacturer: str
    model: str
    serial: str


def free_controller(controllers: Path = CONTROLLERS) -> str:
    """Return a USB device controller that no gadget is bound to.

    Raises:
        OSError: ENODEV where the machine has none, EBUSY where all are taken.
    """
    there = sorted(controllers.iterdir()) if controllers.is_dir() else []
    if not there:
        raise OSError(
            errno.ENODEV, "this kernel has no USB device controller (/sys/class/udc is empty; dummy_hcd simulates one)"
        )
    for each in there:
        if not (each / "function").read_text().strip():
            return each.name
    raise OSError(errno.EBUSY, f"every USB device controller has a gadget: {', '.join(each.name for each in there)}")


class Gadget:
    """A device with a USBTMC interface, not yet on the bus; needs root.

    Args:
        identity: What it tells the host.
        controller: Which USB device controller; a free one.

    Attributes:
        control: The file of endpoint 0: events, and control requests.
        bulk_out: The file of an endpoint, as the next two.
        bulk_in: See bulk_out.
        interrupt_in: See bulk_out.

    Raises:
        OSError: No controller, no configfs, no permission.
    """

    def __init__(self, identity: UsbIdentity, controller: str | None = None) -> None:
        self._controller = controller or free_controller()
        if not GADGETS.is_dir():
            raise OSError(errno.ENODEV, f"{GADGETS} is not there: the module libcomposite, and configfs mounted")
        self._attached = False
        with ExitStack() as undo:
            name = f"impairlab-{os.getpid()}-{identity.serial}"
            self._folder = _made(GADGETS / name, undo)
            _describe(self._folder, identity, undo)
            function = _made(self._folder / "functions" / f"ffs.{name}", undo)
            configuration = _made(self._folder / "configs" / "c.1", undo)
            link = configuration / function.name
            link.symlink_to(function)
            undo.callback(link.unlink)
            where = Path(tempfile.mkdtemp(prefix="impairlab-usb-"))
            undo.callback(where.rmdir)
            _mount(name, where)
            undo.callback(subprocess.run, ["umount", "--lazy", str(where)], check=False, capture_output=True)
            self.control = _opened(where / "ep0", undo)
            os.write(self.control, descriptors())
            os.write(self.control, strings())
            self.bulk_out, self.bulk_in, self.interrupt_in = (_opened(where / each, undo) for each in ENDPOINT_FILES)
            self._undo = undo.pop_all()

    def attach(self) -> None:
        """Plug it in."""
        if not self._attached:
            (self._folder / "UDC").write_text(self._controller)
            self._attached = True

    def detach(self) -> None:
        """Unplug it: every transfer ends."""
        if self._attached:
            self._attached = False
            (self._folder / "UDC").write_text("\n")

    def close(self) -> None:
        """Unplug and remove it."""
        self.detach()
        self._undo.close()


def _made(folder: Path, undo: ExitStack) -> Path:
    folder.mkdir()
    undo.callback(folder.rmdir)
    return folder


def _describe(folder: Path, identity: UsbIdentity, undo: ExitStack) -> None:
    (folder / "idVendor").write_text(f"{identity.vendor:#06x}")
    (folder / "idProduct").write_text(f"{identity.product:#06x}")
    texts = _made(folder / "strings" / _ENGLISH, undo)
    (texts / "manufacturer").write_text(identity.manufacturer)
    (texts / "product").write_text(identity.model)
    (texts / "serialnumber").write_text(identity.serial)


def _mount(name: str, where: Path) -> None:
    command = ["mount", "-t", "functionfs", name, str(where)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - nothing of a user's
    if done.returncode:
        raise OSError(errno.ENODEV, f"FunctionFS cannot be mounted: {done.stderr.strip()}")


def _opened(path: Path, undo: ExitStack) -> int:
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    undo.callback(os.close, fd)
    return fd
