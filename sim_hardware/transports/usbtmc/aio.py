"""The kernel's asynchronous I/O: transfers on a gadget's endpoints that can be taken back. See io_submit(2).

A read or write of a FunctionFS endpoint blocks until the host has done its part, which may be never. Submitted here it
is cancelled with `cancel`, and one thread serves all endpoints.
"""

import ctypes
import os
import platform
import struct
from dataclasses import dataclass
from typing import Self

_NUMBERS = {
    "x86_64": (206, 207, 208, 209, 210),
    "aarch64": (0, 1, 4, 2, 3),
    "riscv64": (0, 1, 4, 2, 3),
}
"""io_setup, io_destroy, io_getevents, io_submit and io_cancel by machine (the kernel's syscall tables)."""

_READ, _WRITE = 0, 1
_TELLS_EVENTFD = 1
_CONTROL_BLOCK = struct.Struct("<QIIHhIQQqQII")
_EVENT = struct.Struct("<QQqq")
_IN_PROGRESS = 115
_MOST_EVENTS = 32


@dataclass(frozen=True, slots=True)
class Completion:
    """What became of a transfer.

    Attributes:
        token: What `read` or `write` returned.
        result: Bytes moved; below 0 the error, negated.
        content: What was read.
    """

    token: int
    result: int
    content: bytes


class KernelAio:
    """A context of asynchronous transfers; a context manager.

    Attributes:
        eventfd: Becomes readable when a transfer is done.

    Raises:
        OSError: When the kernel has no such thing, or no more of it.
    """

    def __init__(self) -> None:
        numbers = _NUMBERS.get(platform.machine())
        if numbers is None:
            raise OSError(95, f"asynchronous transfers are not known on {platform.machine()}")
        self._setup, self._destroy, self._getevents, self._submit, self._cancel = numbers
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        self._context = ctypes.c_ulong(0)
        self._under_way: dict[int, tuple[ctypes.Array[ctypes.c_char], ctypes.Array[ctypes.c_char], bool]] = {}
        self._last_token = 0
        self.eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            self._call(self._setup, ctypes.c_uint(_MOST_EVENTS), ctypes.byref(self._context))
        except OSError:
            os.close(self.eventfd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take everything back and end."""
        self._call(self._destroy, self._context)
        self._under_way.clear()
        os.close(self.eventfd)

    def read(self, fd: int, most: int) -> int:
        """Begin to read up to `most` bytes; return the token of the transfer."""
        return self._begin(fd, _READ, ctypes.create_string_buffer(most), most)

    def write(self, fd: int, content: bytes) -> int:
        """Begin to write; return the token of the transfer."""
        return self._begin(fd, _WRITE, ctypes.create_string_buffer(content, len(content) + 1), len(content))

    def _begin(self, fd: int, opcode: int, buffer: ctypes.Array[ctypes.c_char], size: int) -> int:
        self._last_token += 1
        token = self._last_token
        block = ctypes.create_string_buffer(
            _CONTROL_BLOCK.pack(
                token, 0, 0, opcode, 0, fd, ctypes.addressof(buffer), size, 0, 0, _TELLS_EVENTFD, self.eventfd
            )
        )
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(block))
        self._under_way[token] = block, buffer, opcode == _READ
        try:
            self._call(self._submit, self._context, ctypes.c_long(1), pointers)
        except OSError:
            del self._under_way[token]
            raise
        return token

    def cancel(self, token: int) -> None:
        """Take a transfer back; it is done soon, with an error, unless it was done already."""
        under_way = self._under_way.get(token)
        if under_way is None:
            return
        event = ctypes.create_string_buffer(_EVENT.size)
        try:
            self._call(self._cancel, self._context, ctypes.byref(under_way[0]), event)
        except OSError as error:
            if error.errno not in {_IN_PROGRESS, 22, 11}:  # EINVAL: done already; EAGAIN: as good as done
                raise

    def done(self) -> list[Completion]:
        """Return what was completed since the last call, in order; never waits."""
        try:
            os.eventfd_read(self.eventfd)
        except BlockingIOError:
            return []
        events = ctypes.create_string_buffer(_EVENT.size * _MOST_EVENTS)
        now = (ctypes.c_long * 2)(0, 0)
        count = self._call(
            self._getevents, self._context, ctypes.c_long(0), ctypes.c_long(_MOST_EVENTS), events, ctypes.byref(now)
        )
        return [self._completion(*_EVENT.unpack_from(events.raw, number * _EVENT.size)) for number in range(count)]

    def _completion(self, token: int, _block: int, result: int, _more: int) -> Completion:
        _, buffer, is_read = self._under_way.pop(token)
        return Completion(token, result, buffer.raw[: max(0, result)] if is_read else b"")

    def _call(self, number: int, *arguments: object) -> int:
        result: int = self._syscall(ctypes.c_long(number), *arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result
