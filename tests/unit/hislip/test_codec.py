"""HiSLIP messages on a byte stream, against vectors that were not made here."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.transports.hislip.codec import (
    HEADER_SIZE,
    Decoder,
    Header,
    Message,
    MessageType,
    Oversized,
    PoorlyFormedHeader,
)

FOLDER = Path(os.environ.get("IMPAIRLAB_VECTORS", Path(__file__).parents[3].parent / "shared" / "vectors"))
VECTORS_FILE = FOLDER / "scpi.json"
VECTORS = json.loads(VECTORS_FILE.read_text()) if VECTORS_FILE.exists() else {}
needs_vectors = pytest.mark.skipif(not VECTORS, reason=f"needs {VECTORS_FILE}")


@needs_vectors
def test_every_header_of_the_vectors_is_read_and_written() -> None:
    assert len(VECTORS["hislip_headers"]) == 22
    for vector in VECTORS["hislip_headers"]:
        content = bytes.fromhex(vector["hex"])
        header = Header.unpack(content)
        expected = Header(vector["type"], vector["control"], vector["parameter"], vector["length"])
        assert header == expected, vector["name"]
        assert header.pack() == content, vector["name"]


@needs_vectors
def test_every_invalid_header_of_the_vectors_is_refused_or_waited_for() -> None:
    assert len(VECTORS["hislip_invalid_headers"]) == 11
    for vector in VECTORS["hislip_invalid_headers"]:
        content = bytes.fromhex(vector["hex"])
        with pytest.raises(PoorlyFormedHeader):
            Header.unpack(content)
        decoder = Decoder(longest=100)
        if vector["reason"] == "short":
            assert list(decoder.push(content)) == [], vector["name"]
        else:
            with pytest.raises(PoorlyFormedHeader):
                list(decoder.push(content))


def test_messages_before_a_poor_header_are_not_lost() -> None:
    decoder = Decoder(longest=100)
    good = Message(MessageType.DATA_END, 1, 0xFFFFFF00, b"*IDN?")
    stream = decoder.push(good.pack() + b"GET / HTTP/1.1\r\n\r\n")
    assert next(stream) == good
    with pytest.raises(PoorlyFormedHeader, match="GE"):
        next(stream)


def test_exabyte_is_announced_at_once_and_none_of_it_is_kept() -> None:
    decoder = Decoder(longest=1000)
    huge = Header(MessageType.DATA, 0, 0xFFFFFF00, 1 << 60)
    assert list(decoder.push(huge.pack())) == [Oversized(huge)]
    for _ in range(1000):
        assert list(decoder.push(bytes(4096))) == []
        assert decoder.buffered == 0


def test_stream_goes_on_after_an_oversized_message() -> None:
    decoder = Decoder(longest=10)
    after = Message(MessageType.TRIGGER, 0, 0xFFFFFF02)
    big = Message(MessageType.DATA, 0, 0xFFFFFF00, bytes(11))
    assert list(decoder.push(big.pack() + after.pack())) == [
        Oversized(Header(MessageType.DATA, 0, 0xFFFFFF00, 11)),
        after,
    ]


MESSAGES = st.builds(
    Message,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=60),
)


@given(st.lists(MESSAGES, max_size=8), st.integers(1, 50))
def test_pieces_of_any_size_make_the_same_messages(messages: list[Message], piece: int) -> None:
    decoder = Decoder(longest=60)
    content = b"".join(message.pack() for message in messages)
    found = [each for at in range(0, len(content), piece) for each in decoder.push(content[at : at + piece])]
    assert found == messages
    assert decoder.buffered == 0


@given(st.lists(st.binary(max_size=100), max_size=20), st.integers(0, 200))
def test_no_bytes_are_too_strange(chunks: list[bytes], longest: int) -> None:
    decoder = Decoder(longest)
    try:
        for chunk in chunks:
            for found in decoder.push(chunk):
                assert isinstance(found, Oversized) or len(found.payload) <= longest
            assert decoder.buffered <= HEADER_SIZE + longest
    except PoorlyFormedHeader:
        return
