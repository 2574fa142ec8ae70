"""Whatever bytes arrive, on a stream or with END: no crash, bounded buffers, and a working instrument afterwards."""

from functools import cache

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.scpi import (
    AfterCommandError,
    ErrorQueues,
    Instrument,
    MessageSession,
    Personality,
)
from impairlab.sim_hardware.scpi.framing import NewLineInString

SEEDS = [
    b"*IDN?;*OPC?\n*ESE 1;*ESE?\n*STB?;*ESR?\n",
    b'PATH1:AB:COND "DEL:MEAN 45 MS;DEL:STAT ON";APPL;*OPC?;COND?;COND:STAG?\n',
    b"path4:ba:flow8:loss:mod gell;gell:tob 1e-3;tog .25;:syst:err:all?\n",
    b":PATH2:AB:DEL:TABL -1,0,0,2.5;DIST TABL;MEAN? MAX;MEAN UP;SPR DEF;SPR #HFF;SPR #Q17;SPR #B101\n",
    b'PATH1:AB:FLOW2:FILT:SOUR:ADDR "10.1.0.0/16";PORT 4789;:PATH1:AB:FLOW2:FILT:DEF "STAT 1;DEST:ADDR ""::1"""\n',
    b"TRIG:SOUR BUS;:INIT:CONT ON;:INIT;*TRG;:ABOR;:STAT:OPER:PTR 65535;NTR 1;ENAB 32;COND?;EVEN?\n",
    b"*SAV 3;:MEM:STAT:NAME 3,'slow;\n';*RCL 3;:MEM:STAT:CAT?;*LRN?\n",
    b"SYST:LOCK:REQ?;OWN?;REL;:SYST:HELP:HEAD?;:STAT:CLE:ALL;:PATH1:AB:STAT?\n",
    b"A #15ab\ncd;#0x\n;(@1!2:3!4,5);(1,2:5);1E33000;1" + b"0" * 300 + b" MAHZ;9.9,E37;'\"''\n",
    b"*SRE 255;*CLS;*WAI;*OPC;*RST;*PSC 0;*TST?;*OPT?;:SYST:COMM:TCP:CONT?\n",
]
"""The first two bytes that are put before each choose a personality and how the rest is cut up."""

_INPUT_BUFFER = 300
_OUTPUT_QUEUE = 500
_LONGEST_ANSWER = 20_000


class ForgetfulPlane(NullPlane):
    """Keeps no record of what it was told, so that memory does not grow with the number of inputs."""

    def program(self, entries, at_ns):
        switch_ns = super().program(entries, at_ns)
        self.programs.clear()
        return switch_ns

    def clear_statistics(self, target):
        """Do nothing."""


def check(data: bytes) -> None:
    """Feed `data` to an appliance just switched on. Raises AssertionError, or whatever the appliance raises."""
    choices, content = data[:2].ljust(2, b"\0"), data[2:]
    size = 1 + choices[1] % 64
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    instrument = _instrument(choices[0] % 16)
    instrument.power_cycle()
    if choices[0] & 1:
        _as_messages(instrument, pieces)
    else:
        _as_stream(instrument, pieces)
    with instrument.open_session("afterwards") as session:
        assert session.feed(b"*CLS;*IDN?\n") == b"impairlab,IL-8,SIM0001,1.0\n"


@cache
def _instrument(choice: int) -> Instrument:
    personality = Personality(
        after_command_error=AfterCommandError.CONTINUE if choice & 2 else AfterCommandError.SKIP_REST,
        error_queues=ErrorQueues.PER_SESSION if choice & 4 else ErrorQueues.SHARED,
        new_line_in_string=NewLineInString.IS_DATA if choice & 8 else NewLineInString.ENDS_MESSAGE,
        error_queue_length=4,
        input_buffer=_INPUT_BUFFER,
        output_queue=_OUTPUT_QUEUE,
    )
    return SimulatedAppliance(ForgetfulPlane(paths=("1", "2")), personality=personality).instrument


def _as_stream(instrument: Instrument, pieces: list[bytes]) -> None:
    with instrument.open_session("stream") as session:
        session.turn_units = 5
        for piece in pieces:
            session.turn(piece)
            assert session.output.size <= _OUTPUT_QUEUE + _LONGEST_ANSWER
            assert session._backlog_size <= 2 * _INPUT_BUFFER
            assert len(session._framer._buffer) <= _INPUT_BUFFER + len(piece)
            assert len(session.errors) <= 4
        session.clear()
        session.feed(b"SYST:LOCK:REL;*CLS\n")
        assert session.feed(b"SYST:VERS?\n") == b"1999.0\n"


def _as_messages(instrument: Instrument, pieces: list[bytes]) -> None:
    with instrument.open_session("messages") as session:
        exchange = MessageSession(session)
        for number, piece in enumerate(pieces):
            exchange.write(piece, end=number % 3 == 2)
            if number % 5 == 4:
                exchange.trigger()
            if number % 2:
                chunk = exchange.read(1 + number % 40)
                assert chunk is None or chunk.data
            assert session.output.size <= _OUTPUT_QUEUE + _LONGEST_ANSWER
            assert 0 <= exchange.serial_poll() <= 255
        exchange.clear()
        exchange.write(b"SYST:VERS?", end=True)
        assert exchange.read(100) is not None
