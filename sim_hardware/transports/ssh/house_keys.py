"""Keys of a simulated host, and those by which its users log in."""

import base64
import hashlib
from io import StringIO

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def new_host_key() -> paramiko.PKey:
    """Return a new Ed25519 key pair."""
    made = Ed25519PrivateKey.generate()
    text = made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return paramiko.Ed25519Key.from_private_key(StringIO(text))


def fingerprint(key: paramiko.PKey) -> str:
    """Return "SHA256:..." as OpenSSH prints it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def read_public_key(line: str) -> paramiko.PKey:
    """Return the key of a line of OpenSSH's `authorized_keys`, "ssh-ed25519 AAAA... comment".

    Raises:
        ValueError: It is none.
    """
    words = line.split()
    if len(words) < 2:
        raise ValueError(f"{line!r} is no public key: write it as in authorized_keys")
    try:
        key = paramiko.PKey.from_type_string(words[0], base64.b64decode(words[1], validate=True))
    except (paramiko.SSHException, ValueError) as error:
        raise ValueError(f"{line!r} is no public key: {error}") from error
    return key
