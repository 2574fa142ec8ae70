"""A conversation inside of TLS, and the self-signed certificate that an instrument ships with."""

import datetime as dt
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from impairlab.sim_hardware.transports.conversations import Conversation

_VALID_DAYS = 30
_DECRYPTED_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A new key and a certificate that it has signed itself.

    Attributes:
        context: For a server.
        certificate: As PEM, for a client that trusts this one and no other.
        fingerprint: SHA-256 of the certificate as hexadecimal digits, for a client that pins it.
    """

    context: ssl.SSLContext
    certificate: str
    fingerprint: str

    @classmethod
    def made_for(cls, host: str) -> Self:
        """Make one for an IP address, valid for 30 days from yesterday on."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(yesterday)
            .not_valid_after(yesterday + dt.timedelta(days=_VALID_DAYS))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:  # the ssl module reads keys from files and from nowhere else
            chain = Path(folder) / "chain.pem"
            chain.touch(mode=0o600)
            chain.write_bytes(secret + pem)
            context.load_cert_chain(chain)
        return cls(context, pem.decode(), certificate.fingerprint(hashes.SHA256()).hex())


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
