"""What the gadget tells the host that it is, in the form that FunctionFS takes it. No I/O.

Source: linux/usb/functionfs.h; USB 2.0, 9.6; USBTMC 1.0, 5.5 and 5.6; USB488 1.0, 5.
"""

import struct

ENDPOINT_FILES = ("ep1", "ep2", "ep3")
"""What FunctionFS calls Bulk-OUT, Bulk-IN and Interrupt-IN: it numbers them in the order of the descriptors."""
NOTIFICATION_SIZE = 2

_BULK_OUT, _BULK_IN, _INTERRUPT_IN = 0x01, 0x82, 0x83

_DESCRIPTORS_V2, _STRINGS = 3, 2
_FULL_AND_HIGH_SPEED = 3
_INTERFACE, _ENDPOINT = 4, 5
_BULK, _INTERRUPT = 2, 3
_CLASS, _SUBCLASS, _USB488 = 0xFE, 0x03, 0x01
_ENGLISH = 0x0409


def descriptors() -> bytes:
    """Return the interface and its three endpoints, for full and for high speed."""
    speeds = [_speed(bulk=64, interval=1), _speed(bulk=512, interval=4)]
    counts = struct.pack("<II", *(len(each) for each in speeds))
    return _headed(_DESCRIPTORS_V2, struct.pack("<I", _FULL_AND_HIGH_SPEED) + counts, speeds)


def strings() -> bytes:
    """Return the name of the interface."""
    text = struct.pack("<H", _ENGLISH) + b"USBTMC\0"
    return _headed(_STRINGS, struct.pack("<II", 1, 1), [[text]])


def _speed(*, bulk: int, interval: int) -> list[bytes]:
    endpoints = [
        (_BULK_OUT, _BULK, bulk, 0),
        (_BULK_IN, _BULK, bulk, 0),
        (_INTERRUPT_IN, _INTERRUPT, NOTIFICATION_SIZE, interval),
    ]
    interface = struct.pack("<9B", 9, _INTERFACE, 0, 0, len(endpoints), _CLASS, _SUBCLASS, _USB488, 1)
    return [interface, *(struct.pack("<BBBBHB", 7, _ENDPOINT, *each) for each in endpoints)]


def _headed(magic: int, head: bytes, groups: list[list[bytes]]) -> bytes:
    body = head + b"".join(b"".join(group) for group in groups)
    return struct.pack("<II", magic, 8 + len(body)) + body
