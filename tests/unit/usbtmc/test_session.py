"""What a host's transfers and control requests do to the instrument, on pipes that a test reads."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impairlab.sim_hardware.faults import ArmedFaults, CloseMidReply, LateReply, Mute, PartialReply
from impairlab.sim_hardware.scpi import SECOND, Action, Device, Identity, Instrument, Numeric, Personality, Query, Word
from impairlab.sim_hardware.transports.usbtmc.requests import RequestCode, Setup
from impairlab.sim_hardware.transports.usbtmc.session import MOST_RESPONSE, UsbtmcSession

PACKET = 64
SUCCESS, PENDING, BUSY, FAILED, NOT_IN_PROGRESS = 1, 2, 0x20, 0x80, 0x81
TO_ENDPOINT = {1, 2, 3, 4}


class Lamp(Device):
    identity = Identity("impairlab", "Lamp", "L1", "1.0")

    def commands(self):
        return [
            Action("GLOW", self.glow, Numeric(SECOND, minimum=0, maximum=100)),
            Query("LONG?", self.long, Numeric(minimum=1, maximum=1_000_000)),
        ]

    def power_on(self, instrument):
        self.instrument = instrument
        self.triggers = 0

    def long(self, at, length):
        return Word("0123456789" * (int(length) // 10))

    def glow(self, at, seconds):
        self.instrument.operations.start("glow", int(seconds * 1_000_000_000))

    def trigger(self):
        self.triggers += 1


class Pipes:
    """Keeps what is sent until the test reads it, as a host does."""

    def __init__(self) -> None:
        self.on_in: list[bytes] = []
        self.on_interrupt: list[bytes] = []
        self.halted = False
        self.unplugged = 0

    @property
    def in_busy(self) -> bool:
        return bool(self.on_in)

    @property
    def interrupt_busy(self) -> bool:
        return bool(self.on_interrupt)

    def send(self, transfer: bytes) -> None:
        self.on_in.append(transfer)

    def take_back(self) -> None:
        self.on_in.clear()

    def notify(self, packet: bytes) -> None:
        assert not self.on_interrupt
        self.on_interrupt.append(packet)

    def halt_out(self) -> None:
        self.halted = True

    def unplug(self) -> None:
        self.unplugged += 1


class Host:
    """The other end of the bus, on model time."""

    def __init__(self, personality: Personality | None = None) -> None:
        self.now_ns = 0
        self.lamp = Lamp()
        self.instrument = Instrument(self.lamp, personality, clock=lambda: self.now_ns)
        self.pipes = Pipes()
        self.faults = ArmedFaults()
        self.session = UsbtmcSession(
            self.instrument.open_session("USB"), self.pipes, packet_size=PACKET, faults=self.faults,
            clock=lambda: self.now_ns,
        )  # fmt: skip
        self.tag = 0

    def transfer(self, kind: int, size: int, attributes: int = 0, content: bytes = b"", character: int = 0) -> None:
        self.tag = self.tag % 255 + 1
        header = bytes([kind, self.tag, 255 - self.tag, 0]) + size.to_bytes(4, "little")
        self.raw(header + bytes([attributes, character, 0, 0]) + content + bytes(-len(content) % 4))

    def raw(self, transfer: bytes) -> None:
        for at in range(0, len(transfer), PACKET):
            self.session.receive(transfer[at : at + PACKET])
            self.advance()

    def advance(self) -> None:
        self.instrument.operations.advance()
        self.session.advance()
        while self.session.next_due_ns == 0:
            self.session.advance()

    def write(self, message: bytes, *, end: bool = True) -> None:
        self.transfer(1, len(message), end, message)

    def request(self, most: int = 4096, stop_at: int | None = None) -> None:
        self.transfer(2, most, 0 if stop_at is None else 2, b"", stop_at or 0)

    def collect(self) -> tuple[bytes, int]:
        """Read the transfer that waits: its content and attributes."""
        self.advance()
        transfer = self.pipes.on_in.pop(0)
        size = int.from_bytes(transfer[4:8], "little")
        assert transfer[:3] == bytes([2, self.tag, 255 - self.tag])
        assert len(transfer) == 12 + size + -size % 4
        self.advance()
        return transfer[12 : 12 + size], transfer[8]

    def read(self, most: int = 4096, stop_at: int | None = None) -> tuple[bytes, int]:
        self.request(most, stop_at)
        return self.collect()

    def ask(self, message: bytes) -> bytes:
        self.write(message)
        content, attributes = self.read()
        assert attributes & 1
        return content

    def control(self, code: int, value: int = 0, length: int = 24) -> bytes | None:
        answer = self.session.control(Setup(0xA2 if code in TO_ENDPOINT else 0xA1, code, value, 0, length))
        self.advance()
        return answer


@pytest.fixture
def host() -> Host:
    return Host()


def test_question_and_answer(host):
    assert host.ask(b"*IDN?\n") == b"impairlab,Lamp,L1,1.0\n"
    assert host.ask(b"*ESE 5;*ESE?") == b"5\n"
    host.write(b"*ESE", end=False)
    host.write(b" 6;*ESE?", end=True)
    assert host.read() == (b"6\n", 1)


def test_a_long_answer_comes_in_as_many_transfers_as_the_host_asks_for(host):
    host.write(b"LONG? 40000")
    got = b""
    for _ in range(10):
        piece, attributes = host.read(1 << 20)
        assert len(piece) <= MOST_RESPONSE
        got += piece
        if attributes & 1:
            break
    assert got == b"0123456789" * 4000 + b"\n"
    host.write(b"*IDN?")
    assert host.read(4) == (b"impa", 0)
    assert host.read(4096, ord(",")) == (b"irlab,", 2)
    assert host.read() == (b"Lamp,L1,1.0\n", 1)


@pytest.mark.parametrize("units", range(45, 255, 13))
def test_a_message_of_many_turns_is_answered_without_being_looked_at_again(host, units):
    host.write(b"*ESE?;" * (units - 1) + b"*ESE?")
    host.request()
    assert host.pipes.in_busy
    assert host.collect() == (b"0;" * (units - 1) + b"0\n", 1)


def test_reading_before_the_answer_is_there_is_waiting_for_it(host):
    host.write(b"GLOW 3;*OPC?")
    host.request()
    assert not host.pipes.in_busy
    host.now_ns += 3_000_000_000
    assert host.collect() == (b"1\n", 1)


def test_unterminated_interrupted_and_after_an_indefinite_answer(host):
    host.request()
    host.write(b"SYST:ERR?")
    assert host.read() == (b'-420,"Query UNTERMINATED"\n', 1)
    host.write(b"*IDN?")
    assert host.ask(b"SYST:ERR?") == b'-410,"Query INTERRUPTED"\n'
    host.write(b"*IDN?;*ESE?")
    host.read()
    assert host.ask(b"SYST:ERR?").startswith(b"-440")
    host.write(b"*IDN?")
    host.request()
    assert host.pipes.in_busy
    assert host.ask(b"SYST:ERR?") == b'-410,"Query INTERRUPTED"\n'


def test_both_buffers_full_is_a_deadlock_and_the_device_stays_alive():
    host = Host(Personality(input_buffer=200, output_queue=100))
    for _ in range(12):
        host.write(b"LONG? 90;LONG? 90;LONG? 90;" + b"*ESE 1;" * 20, end=True)
    host.control(RequestCode.INITIATE_CLEAR)
    errors = {host.ask(b"SYST:ERR?").partition(b",")[0] for _ in range(10)}
    assert b"-430" in errors or b"-410" in errors


def test_a_message_of_a_gigabyte_is_refused_and_the_next_one_understood(host):
    host.raw(
        bytes([1, 9, 246, 0])
        + (1 << 30).to_bytes(4, "little")
        + bytes([1, 0, 0, 0])
        + (b"*ESE 1;" * 20_000)[: 2000 * PACKET - 12]
    )
    host.tag = 9
    assert host.control(RequestCode.INITIATE_ABORT_BULK_OUT, 9, 2) == bytes([SUCCESS, 9])
    assert host.pipes.halted
    assert host.ask(b"SYST:ERR?").startswith(b"-363")
    assert host.ask(b"*ESE?") == b"0\n"


def test_a_block_that_does_not_come_is_given_up(host):
    for size, content, error in ((1 << 27, b"*ESE #9100000000", b"-363"), (150, b"*ESE #3120abc", b"-161")):
        host.raw(bytes([1, 9, 246, 0]) + size.to_bytes(4, "little") + bytes([1, 0, 0, 0]) + content)
        assert host.pipes.halted
        assert host.ask(b"SYST:ERR?").startswith(error), error
        assert host.ask(b"SYST:ERR?").startswith(b"0,")


def test_a_transfer_that_ends_early_halts_the_endpoint_and_is_told(host):
    host.raw(bytes([1, 9, 246, 0, 99, 0, 0, 0, 1, 0, 0, 0]) + b"*ESE 9")
    host.write(b"*ESE 1", end=False)
    host.raw(b"\xff" * 12)
    assert host.pipes.halted
    assert host.ask(b"*ESE?") == b"0\n"
    assert host.ask(b"SYST:ERR?").startswith(b"-360")


def test_device_clear_empties_everything_and_keeps_settings(host):
    host.write(b"*ESE 3")
    host.write(b"*IDN?")
    host.request()
    host.write(b"*ESE 9", end=False)
    assert host.control(RequestCode.INITIATE_CLEAR) == bytes([SUCCESS])
    assert host.pipes.halted
    assert not host.pipes.in_busy
    assert host.control(RequestCode.CHECK_CLEAR_STATUS) == bytes([SUCCESS, 0])
    assert host.ask(b"*ESE?") == b"3\n"


def test_status_byte_comes_on_the_interrupt_endpoint(host):
    host.write(b"*IDN?")
    assert host.control(RequestCode.READ_STATUS_BYTE, 2) == bytes([SUCCESS, 2, 0])
    assert host.pipes.on_interrupt == [bytes([0x82, 0x10])]
    assert host.control(RequestCode.READ_STATUS_BYTE, 3) == bytes([BUSY, 3, 0])
    host.pipes.on_interrupt.clear()
    assert host.control(RequestCode.READ_STATUS_BYTE, 1) == bytes([FAILED, 1, 0])
    assert host.control(RequestCode.READ_STATUS_BYTE, 128) == bytes([FAILED, 128, 0])


def test_service_is_requested_once_for_each_reason(host):
    host.write(b"*CLS;*SRE 4")
    host.write(b"NO:SUCH")
    assert host.pipes.on_interrupt == [bytes([0x81, 0x44])]
    host.pipes.on_interrupt.clear()
    host.write(b"NO:SUCH")
    assert host.pipes.on_interrupt == []
    host.write(b"*CLS")
    host.write(b"NO:SUCH")
    assert host.pipes.on_interrupt == [bytes([0x81, 0x44])]


def test_trigger(host):
    host.transfer(128, 0)
    assert host.lamp.triggers == 1


def test_a_read_is_aborted_by_its_tag_and_the_answer_stays(host):
    assert host.control(RequestCode.INITIATE_ABORT_BULK_IN, 1, 2) == bytes([FAILED, 1])
    host.write(b"GLOW 3;*OPC?")
    host.request()
    other = host.tag + 1
    assert host.control(RequestCode.INITIATE_ABORT_BULK_IN, other, 2) == bytes([NOT_IN_PROGRESS, other])
    assert host.control(RequestCode.INITIATE_ABORT_BULK_IN, host.tag, 2) == bytes([SUCCESS, host.tag])
    assert host.control(RequestCode.CHECK_ABORT_BULK_IN_STATUS) == bytes([PENDING, 1]) + bytes(6)
    assert host.pipes.on_in.pop() == b""
    assert host.control(RequestCode.CHECK_ABORT_BULK_IN_STATUS) == bytes([SUCCESS, 0]) + bytes(6)
    host.now_ns += 3_000_000_000
    assert host.read() == (b"1\n", 1)


def test_nothing_to_abort_on_the_way_out(host):
    assert host.control(RequestCode.INITIATE_ABORT_BULK_OUT, 1, 2) == bytes([FAILED, 1])
    assert host.control(RequestCode.CHECK_ABORT_BULK_OUT_STATUS)[0] == SUCCESS


def test_remote_and_local(host):
    assert host.control(RequestCode.REN_CONTROL, 1, 1) == bytes([SUCCESS])
    assert host.session.remote
    host.control(RequestCode.LOCAL_LOCKOUT)
    host.control(RequestCode.GO_TO_LOCAL)
    assert (host.session.remote, host.session.lockout) == (False, True)
    host.control(RequestCode.REN_CONTROL, 0)
    assert not host.session.lockout


def test_what_is_no_request_is_stalled(host):
    assert host.control(64) is None
    assert host.session.control(Setup(0x21, 5, 0, 0, 0)) is None


def test_messages_wait_while_another_has_the_lock(host):
    other = host.instrument.open_session("LAN")
    host.instrument.lock.lock_exclusive(other)
    assert not host.session.wants_input
    host.instrument.lock.unlock(other)
    assert host.session.wants_input


def test_faults_of_a_reply(host):
    host.faults.arm(LateReply(5), 1)
    host.write(b"*ESE?")
    host.request()
    assert not host.pipes.in_busy
    assert host.session.next_due_ns == 5
    host.now_ns = 5
    assert host.collect() == (b"0\n", 1)
    host.faults.arm(PartialReply(keep=4), 1)
    host.write(b"*IDN?")
    assert host.read() == (b"impa", 0)
    host.request()
    assert not host.pipes.in_busy
    host.control(RequestCode.INITIATE_CLEAR)
    host.faults.arm(CloseMidReply(keep=4), 1)
    host.write(b"*IDN?")
    host.request()
    assert host.pipes.on_in.pop()[12:] == b"impa"
    host.advance()
    assert host.pipes.unplugged == 0
    host.now_ns = host.session.next_due_ns
    host.advance()
    assert host.pipes.unplugged == 1
    host.faults.arm(Mute(), 1)
    host.write(b"*IDN?")
    host.request()
    assert not host.pipes.in_busy
    host.control(RequestCode.INITIATE_CLEAR)
    assert host.ask(b"*ESE?") == b"0\n"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=PACKET),
            st.builds(
                lambda kind, tag, size, flags, rest: bytes([kind, tag, 255 - tag, 0]) + size.to_bytes(4, "little")
                + bytes([flags, 10, 0, 0]) + rest,
                st.sampled_from([1, 2, 128]), st.integers(1, 255), st.integers(0, 200) | st.integers(0, 2**32 - 1),
                st.integers(0, 3), st.sampled_from([b"", b"*IDN?\n", b"LONG? 900;", b"*ESE #9999", b"GLOW 1;*WAI\n"]),
            ),
            st.tuples(st.sampled_from([0xA1, 0xA2, 0x21]), st.integers(0, 255), st.integers(0, 65535)),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_whatever_a_host_does_the_device_answers_after_a_clear(events):
    host = Host(Personality(input_buffer=300, output_queue=500))
    for event in events:
        if isinstance(event, tuple):
            kind, code, value = event
            answer = host.session.control(Setup(kind, code, value, 0, 24))
            assert answer is None or len(answer) <= 24
        else:
            host.session.receive(event[:PACKET])
        host.advance()
        if len(events) % 2:
            host.pipes.on_in.clear()
            host.pipes.on_interrupt.clear()
        assert len(host.pipes.on_in) <= 2
    host.control(RequestCode.INITIATE_CLEAR)
    host.pipes.on_in.clear()
    host.tag = 0
    assert host.ask(b"*CLS;*IDN?") == b"impairlab,Lamp,L1,1.0\n"
