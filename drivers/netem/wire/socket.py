"""RouteSocket: requests to the kernel's rtnetlink, many in one system call, and its acknowledgements."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence

from .attributes import WireError
from .messages import DONE, DUMP, ERROR, KernelRefused, Message, Request, messages, refusal

_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_LONGEST_BATCH = 128 * 1024
_LONGEST_ANSWER = 128 * 1024
_PATIENCE = struct.pack("@ll", 10, 0)
"""Of a call that the kernel answers at once. Set on the socket: Python's own time-out costs a system call each."""


class RouteSocket:
    """A netlink socket of the network namespace in which it is made; a context manager that closes it.

    Raises:
        OSError: The system has no netlink.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
        self._buffer = bytearray(_LONGEST_ANSWER)
        self._sequence = 0

    def __enter__(self) -> RouteSocket:  # noqa: PYI034 - as of `Host`
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it. A second call does nothing."""
        self._socket.close()

    def change(self, requests: Sequence[Request]) -> None:
        """Have the kernel do all of these, in their order, in one system call where they fit into one.

        Raises:
            KernelRefused: It refused one; those before it and after it were done. The first refusal is raised.
        """
        refused: KernelRefused | None = None
        for batch in _batches(requests):
            first = self._sequence + 1
            self._socket.send(b"".join(request.encode(first + at) for at, request in enumerate(batch)))
            self._sequence += len(batch)
            waiting = set(range(first, first + len(batch)))
            while waiting:
                for message in self._receive():
                    if message.kind == ERROR and message.sequence in waiting:
                        waiting.remove(message.sequence)
                        refused = refused or refusal(message)
        if refused is not None:
            raise refused

    def ask(self, request: Request) -> Iterator[Message]:
        """Yield what the kernel answers to one question.

        Raises:
            KernelRefused: It refused.
        """
        self._sequence += 1
        sequence = self._sequence
        self._socket.send(request.encode(sequence))
        many = request.flags & DUMP == DUMP
        answers: list[Message] = []
        while True:
            for message in self._receive():
                if message.sequence != sequence:
                    continue
                if message.kind == DONE:
                    return (yield from answers)
                if message.kind == ERROR:
                    refused = refusal(message)
                    if refused is not None:
                        raise refused
                    return (yield from answers)
                answers.append(message)
                if not many:
                    return (yield from answers)

    def _receive(self) -> Iterator[Message]:
        size, _, flags, _ = self._socket.recvmsg_into([self._buffer])
        if flags & socket.MSG_TRUNC:
            raise WireError(f"an answer of more than {_LONGEST_ANSWER} bytes")
        try:
            yield from messages(bytes(memoryview(self._buffer)[:size]))
        except struct.error as error:
            raise WireError(str(error)) from error


def _batches(requests: Sequence[Request]) -> Iterator[list[Request]]:
    batch: list[Request] = []
    size = 0
    for request in requests:
        if batch and size + len(request.body) > _LONGEST_BATCH:
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request.body) + 64
    if batch:
        yield batch
