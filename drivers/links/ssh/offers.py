"""What an SSH peer offers before anything is agreed on: its key-exchange message is in the clear (RFC 4253 7.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PARTS = ("key exchange", "host key", "cipher to the server", "cipher to us")
"""The first name-lists of SSH_MSG_KEXINIT, in its order: without one in common for each there is no connection."""

_KEXINIT = 20
_COOKIE = 16
_LONGEST_PACKET = 35_000


def words_before_ssh(heard: bytes) -> bytes:
    """Return the lines that came instead of, or before, an SSH version line (RFC 4253 4.2)."""
    before: list[bytes] = []
    for line in heard.splitlines(keepends=True):
        if line.startswith(b"SSH-"):
            break
        before.append(line)
    return b"".join(before)


def speaks_ssh(heard: bytes) -> bool:
    """Whether an SSH version line came."""
    return heard.startswith(b"SSH-") or b"\nSSH-" in heard


def read_offers(heard: bytes) -> Mapping[str, Sequence[str]]:
    """Return what the peer offers for each of PARTS, given all that it sent; empty when that is not there in full."""
    start = 0 if heard.startswith(b"SSH-") else heard.find(b"\nSSH-") + 1
    end = heard.find(b"\n", start)
    packet = heard[end + 1 :]
    if end < 0 or len(packet) < 6:
        return {}
    length, padding, kind = int.from_bytes(packet[:4], "big"), packet[4], packet[5]
    if kind != _KEXINIT or length > _LONGEST_PACKET or len(packet) < 4 + length:
        return {}
    at, offers = 6 + _COOKIE, {}
    last = 4 + length - padding
    for part in PARTS:
        size = int.from_bytes(packet[at : at + 4], "big")
        if at + 4 + size > last:
            return {}
        offers[part] = packet[at + 4 : at + 4 + size].decode("ascii", "replace").split(",")
        at += 4 + size
    return offers


def without_common(theirs: Mapping[str, Sequence[str]], ours: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line for each part in which nothing is offered by both."""
    return [
        f"{part}: it offers {', '.join(theirs[part]) or 'nothing'}; we offer {', '.join(ours[part])}"
        for part in theirs
        if not set(theirs[part]) & set(ours[part])
    ]
