"""One TCP connection of a HiSLIP client: messages in and out of a non-blocking socket, with bounded memory."""

import socket
import struct
from collections import deque
from collections.abc import Iterator

from impairlab.sim_hardware.transports.hislip.codec import (
    Decoder,
    FatalCode,
    Message,
    MessageType,
    Oversized,
    PoorlyFormedHeader,
)

MOST_UNSENT = 262_144
"""Bytes waiting for a client that does not read before no more is made or read for it."""

_READ_SIZE = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Gone(Exception):  # noqa: N818 - an event, not an error
    """The connection has ended, from either side."""


class Fatal(Exception):  # noqa: N818 - the standard's own name: what FatalError tells the client
    """The session cannot go on.

    Attributes:
        code: Told to the client.
        text: Told to the client.
    """

    def __init__(self, code: FatalCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    def message(self) -> Message:
        """Return the FatalError to send before closing."""
        return Message(MessageType.FATAL_ERROR, self.code, 0, self.text.encode())


class Channel:
    """Sends and receives messages on a socket.

    Args:
        sock: Non-blocking; owned from here on.
        longest: Bytes of the longest payload taken in.
    """

    def __init__(self, sock: socket.socket, longest: int) -> None:
        self.sock = sock
        self._decoder = Decoder(longest)
        self._unsent: deque[bytes] = deque()
        self._unsent_size = 0
        self._begun = False

    @property
    def has_room(self) -> bool:
        """Whether more should be sent now."""
        return self._unsent_size < MOST_UNSENT

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait for room in the socket."""
        return bool(self._unsent)

    def receive(self) -> Iterator[Message | Oversized]:
        """Yield the messages that have arrived. Raises `Gone` at the end of the stream, `Fatal` where it is none."""
        try:
            data = self.sock.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        try:
            yield from self._decoder.push(data)
        except PoorlyFormedHeader as error:
            raise Fatal(FatalCode.POORLY_FORMED_HEADER, str(error)) from error

    def send(self, message: Message) -> None:
        """Send a message, or as much of it as there is room for now. Raises `Gone` when the peer is."""
        self.send_raw(message.pack())

    def send_raw(self, content: bytes) -> None:
        """Send bytes as they are."""
        self._unsent.append(content)
        self._unsent_size += len(content)
        if len(self._unsent) == 1:
            self.flush()

    def flush(self) -> None:
        """Send what waits. Raises `Gone` when the peer is."""
        while self._unsent:
            try:
                sent = self.sock.send(self._unsent[0])
            except BlockingIOError:
                return
            except OSError as error:
                raise Gone from error
            self._unsent_size -= sent
            if sent == len(self._unsent[0]):
                self._unsent.popleft()
                self._begun = False
            else:
                self._unsent[0] = self._unsent[0][sent:]
                self._begun = True

    def forget_unsent(self) -> None:
        """Drop the messages that wait, but for the rest of one that the client has the beginning of."""
        while len(self._unsent) > self._begun:
            self._unsent_size -= len(self._unsent.pop())

    def close(self) -> None:
        """Close the socket in the ordinary way."""
        self.sock.close()

    def reset(self) -> None:
        """Reset the connection, as a host that has lost its state does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.sock.close()
