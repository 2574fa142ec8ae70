"""The certificate that an instrument ships with: signed by itself, and trusted by nobody who has not been told to."""

import datetime as dt
import ssl
import tempfile
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_VALID_DAYS = 30


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
