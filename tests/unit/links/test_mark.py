"""The mark is found whatever comes before it, and nothing else is taken for it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.drivers.links.mark import MOST_DROPPED, Ieee488Marker, MarkNotFoundError, find_mark

S = 1_000_000_000
IDENTITY = "Acme,W100,S1,1.0"


class Peer:
    """A stream whose other side has said something, and answers each question after that; silence takes no time."""

    def __init__(self, said: bytes = b"", *, deaf: int = 0, cut: int = 1_000_000, echo: bool = False) -> None:
        self.pending, self.deaf, self.cut, self.echo = said, deaf, cut, echo
        self.asked: list[str] = []

    def send(self, content: bytes, until_ns: int) -> bool:
        question = content.decode().removesuffix("\n")
        self.asked.append(question)
        if self.echo:
            self.pending += content
        if len(self.asked) > self.deaf:
            self.pending += ";".join(IDENTITY if each == "*IDN?" else "32" for each in question.split(";")).encode()
            self.pending += b"\r\n"
        return True

    def receive(self, until_ns: int) -> bytes | None:
        if not self.pending:
            while time.monotonic_ns() < until_ns:
                continue
            return None
        said, self.pending = self.pending[: self.cut], self.pending[self.cut :]
        return said


LINES = ["1", "0", f"0;{IDENTITY}", IDENTITY, '0,"No error"', "", "login: "]


def find(peer: Peer, patience_ns: int = 20 * S, within_ns: int = 20 * S) -> list[bytes]:
    received: list[bytes] = []

    def record(direction: str, line: bytes) -> None:
        if direction == "received":
            received.append(line)

    find_mark(peer, Ieee488Marker(), patience_ns, time.monotonic_ns() + within_ns, record)
    return received


@given(st.lists(st.sampled_from(LINES)), st.integers(1, 9))
def test_all_that_comes_before_is_dropped(said, cut):
    peer = Peer("".join(f"{line}\r\n" for line in said).encode(), cut=cut)
    assert len(find(peer)) == len(said) + 1
    assert peer.pending == b""
    assert len(peer.asked) == 1


def test_what_is_not_answered_is_asked_anew_and_the_last_answer_counts():
    peer = Peer(b"booting ", deaf=2)
    find(peer, patience_ns=1_000_000)
    assert len(peer.asked) == 4, "the first answer has something before it on its line"
    assert peer.pending == b""


@given(st.lists(st.integers(0, 255), max_size=20))
def test_only_the_answer_to_the_last_question_is_one(numbers):
    marker = Ieee488Marker()
    line = ";".join([*map(str, numbers), IDENTITY])
    for _ in range(16):
        asked = marker.question().count("*ESE?")
        assert marker.is_answer(line) == (len(numbers) == asked)


def test_sixteen_questions_differ():
    marker = Ieee488Marker()
    assert len({marker.question() for _ in range(16)}) == 16


def test_peer_that_talks_without_end():
    with pytest.raises(MarkNotFoundError):
        find(Peer(b"x\n" * MOST_DROPPED, deaf=100))


def test_peer_that_echoes_and_peer_that_is_mute():
    with pytest.raises(MarkNotFoundError) as raised:
        find(Peer(deaf=100, echo=True), within_ns=20_000_000)
    assert raised.value.echoed
    with pytest.raises(MarkNotFoundError) as raised:
        find(Peer(deaf=100), within_ns=20_000_000)
    assert not raised.value.echoed
