"""A glider, what PyVISA's own test suite talks to: it keeps a message and returns it.

Run, it serves until stdin ends: VXI-11 and the raw socket at their own ports, or with `hislip` HiSLIP at a free one.
RECEIVE and RCVSLOWSRQ keep the message that follows, whatever its bytes; SEND returns it, and SENDSLOWSRQ does 0.2 s
later and requests service.
"""

import json
import re
import sys

from impairlab.sim_hardware.scpi import Declaration, Device, Identity, Instrument, ScpiServer, Session
from impairlab.sim_hardware.scpi.commands import Entry
from impairlab.sim_hardware.scpi.header import HeaderPattern
from impairlab.sim_hardware.scpi.operations import Later
from impairlab.sim_hardware.transports.hislip import HislipServer
from impairlab.sim_hardware.transports.vxi11 import Vxi11Server

SLOW_NS = 200_000_000
MESSAGE_AVAILABLE = 16


class Exchange(Declaration):
    """A command that may answer although it has no question mark."""

    def __init__(self, header, run):
        self._entry = Entry(HeaderPattern(header), lambda at, _: run(at.session))

    def entries(self):
        yield self._entry


class GliderSession(Session):
    """A session whose next message may be one to keep."""

    kept = b""
    message = None

    def write(self, data, *, end=False):
        with self.instrument.guard:
            pieces = re.findall(rb"[^\n]*\n|[^\n]+", data) or [b""]
            for number, piece in enumerate(pieces, 1):
                self._write_piece(piece, end=end and number == len(pieces))

    def _write_piece(self, piece, *, end):
        if self.message is None or not piece:
            super().write(piece, end=end)
            return
        self.message += piece
        if end or piece.endswith(b"\n"):
            self.kept, self.message = self.message.removesuffix(b"\n"), None

    def receive(self):
        self.message = b""

    def send(self):
        return self.kept.decode("latin-1")

    def send_slowly(self):
        reply, text = Later(), self.send()
        self.instrument.status.service_enable |= MESSAGE_AVAILABLE
        self.instrument.operations.start("slow", SLOW_NS, lambda: reply.settle(text))
        return reply


class Glider(Device):
    """No settings at all."""

    identity = Identity("impairlab", "Glider", "G1", "1.0")

    def commands(self):
        return [
            Exchange(":RECEIVE", GliderSession.receive),
            Exchange(":SEND", GliderSession.send),
            Exchange(":RCVSLOWSRQ", GliderSession.receive),
            Exchange(":SENDSLOWSRQ", GliderSession.send_slowly),
        ]


class GliderInstrument(Instrument):
    """Opens sessions of that kind."""

    def open_session(self, name):
        session = super().open_session(name)
        session.__class__ = GliderSession
        return session


def main():
    instrument = GliderInstrument(Glider())
    if sys.argv[1:] == ["hislip"]:
        with HislipServer(instrument, port=0) as hislip:
            print(json.dumps({"port": hislip.address[1]}), flush=True)  # noqa: T201 - whoever started it reads this
            sys.stdin.read()
        return
    with ScpiServer(instrument, "0.0.0.0"), Vxi11Server(instrument, "0.0.0.0") as vxi11:
        print(json.dumps({"core": vxi11.address.core}), flush=True)  # noqa: T201 - whoever started it reads this
        sys.stdin.read()


if __name__ == "__main__":
    main()
