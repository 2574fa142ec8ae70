"""The broadcast question of VXI-11 and what is made of the answers."""

import socket
import struct
import threading

import pytest

from impairlab.drivers.discovery import vxi11
from impairlab.drivers.discovery.found import Found, MeansUnavailable
from impairlab.sim_hardware.transports.vxi11 import rpc
from impairlab.sim_hardware.transports.vxi11.portmapper import Mapping, PortMapper

XID = 7
ACCEPTED = struct.pack(">7I", XID, 1, 0, 0, 0, 0, 1024)


def test_the_question_byte_for_byte():
    words = [7, 0, 2, 100000, 2, 3, 0, 0, 0, 0, 0x0607AF, 1, 6, 0]
    assert vxi11.question(7) == b"".join(each.to_bytes(4, "big") for each in words)


def test_a_port_mapper_answers_the_question():
    mapper = PortMapper([Mapping(0x0607AF, 1, 6, 1024)])
    assert vxi11.port_told(mapper.answer(vxi11.question(XID), broadcast=True), XID) == 1024


def test_a_verifier_before_the_answer_is_skipped():
    reply = struct.pack(">5I", XID, 1, 0, 2, 5) + b"abcde\0\0\0" + struct.pack(">2I", 0, 1024)
    assert vxi11.port_told(reply, XID) == 1024


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        ACCEPTED[:-1],
        struct.pack(">7I", XID + 1, 1, 0, 0, 0, 0, 1024),
        struct.pack(">7I", XID, 0, 0, 0, 0, 0, 1024),
        struct.pack(">7I", XID, 1, 1, 0, 0, 0, 1024),
        struct.pack(">7I", XID, 1, 0, 0, 0, 1, 1024),
        struct.pack(">7I", XID, 1, 0, 0, 0, 0, 0),
        struct.pack(">7I", XID, 1, 0, 0, 0, 0, 65536),
        struct.pack(">7I", XID, 1, 0, 0, 0xFFFFFFFF, 0, 1024),
        rpc.program_unavailable(XID),
    ],
    ids=["nothing", "short", "other call", "a call", "denied", "refused", "no port", "too large", "verifier", "no map"],
)
def test_no_port_is_told(reply):
    assert vxi11.port_told(ACCEPTED, XID) == 1024
    assert vxi11.port_told(reply, XID) is None


@pytest.fixture
def mapper():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)

        def answer():
            asked, who = sock.recvfrom(1024)
            xid = asked[:4]
            sock.sendto(b"noise", who)
            for _ in range(2):
                sock.sendto(xid + ACCEPTED[4:], who)

        thread = threading.Thread(target=answer)
        thread.start()
        yield sock.getsockname()[1]
        thread.join()


def test_who_answers_is_found_once(mapper):
    found = vxi11.find(1_000_000_000, ["127.0.0.1"], mapper)
    assert found == [Found("TCPIP::127.0.0.1::inst0::INSTR", "vxi11")]


def test_nobody_to_ask():
    with pytest.raises(MeansUnavailable, match="VXI-11: nobody can be asked: no network"):
        vxi11.find(1, [])


def test_who_does_not_say_who_it_is_stays_as_found():
    found = Found("tcp://127.0.0.1:1", "vxi11")
    assert vxi11.identified(found, 100_000_000) is found
