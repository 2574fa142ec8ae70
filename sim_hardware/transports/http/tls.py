"""A conversation inside of TLS."""

import ssl
from collections.abc import Iterator

from impairlab.sim_hardware.transports.conversations import Conversation

_DECRYPTED_AT_ONCE = 16_384


class TlsConversation:
    """What one connection says inside of TLS; see `Conversation`.

    The records of the handshake are replies, too: a fault that strikes the next reply of a new connection strikes them.

    Args:
        inner: What is said.
        context: For a server.
    """

    def __init__(self, inner: Conversation, context: ssl.SSLContext) -> None:
        self._inner = inner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._failed = False

    @property
    def is_over(self) -> bool:
        """Whether the connection is closed once everything is sent."""
        return self._failed or self._inner.is_over

    @property
    def idle_close_ns(self) -> int | None:
        """How long the connection may be silent."""
        return self._inner.idle_close_ns

    def greet(self) -> bytes:
        """The client begins."""
        return b""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Take in records and yield records."""
        self._incoming.write(data)
        try:
            while not self.is_over and (content := self._tls.read(_DECRYPTED_AT_ONCE)):
                for reply in self._inner.receive(content):
                    yield self._encrypted(reply)
        except ssl.SSLWantReadError:
            pass  # the rest of a record, or of the handshake, is still to come
        except ssl.SSLError:
            self._failed = True
        if pending := self._outgoing.read():
            yield pending

    def _encrypted(self, reply: bytes) -> bytes:
        while reply:
            reply = reply[self._tls.write(reply) :]
        return self._outgoing.read()

    def close(self) -> None:
        """End what is said."""
        self._inner.close()
