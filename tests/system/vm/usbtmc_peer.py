"""A scripted USBTMC device: what `impairlab.drivers.testing.peers` is for TCP, on this kernel's USB device controller.

A connection is what lies between two device clears, or until the script ends: then the device leaves the bus, and comes
back for the next one.
"""

from __future__ import annotations

import os
import queue
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from selectors import EVENT_READ

from impairlab.drivers.testing.peers import Script
from impairlab.sim_hardware.transports.reactor import Reactor
from impairlab.sim_hardware.transports.usbtmc.aio import KernelAio
from impairlab.sim_hardware.transports.usbtmc.codec import BulkOut, Data, Request, response_transfer
from impairlab.sim_hardware.transports.usbtmc.endpoints import Endpoints
from impairlab.sim_hardware.transports.usbtmc.gadget import Gadget, UsbIdentity
from impairlab.sim_hardware.transports.usbtmc.requests import CAPABILITIES, RequestCode, Setup

EVENT = struct.Struct("<8sB3x")
ENABLE, SETUP = 2, 4
MESSAGE_AVAILABLE = 16
READ_WITHIN_NS = 100_000_000
"""How long the last answer is left to be read: a controller's FIFO takes it before the host does."""
VENDOR, PRODUCT = 0x1D6B, 0x0104


class UsbWire:
    """One connection of the peer."""

    def __init__(self, peer: UsbPeer, number: int) -> None:
        self._peer = peer
        self.number = number
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.output: deque[bytes] = deque()
        self.partial = b""
        self.over = False
        self.gone = threading.Event()

    def read_line(self) -> str | None:
        line = self.lines.get()
        if line is None:
            self.over = True
        return line

    def send(self, content: bytes) -> None:
        self.output.append(content)
        self._peer.reactor.wake()

    def close(self) -> None:
        """Leave the bus, as soon as all output was read; return when that is done."""
        if not self.over:
            self.over = True
            self._peer.reactor.wake()
            self.gone.wait()


class UsbPeer:
    def __init__(self, script: Script) -> None:
        self._script = script
        self._gadget = Gadget(UsbIdentity(VENDOR, PRODUCT, "impairlab", "peer", "PEER1"))
        self._aio = KernelAio()
        self._endpoints: Endpoints | None = None
        self._bulk_out = BulkOut(512)
        self._wire: UsbWire | None = None
        self._number = 0
        self._leave_at_ns: int | None = None
        self._request: Request | None = None
        self._threads: list[threading.Thread] = []
        self.reactor = Reactor("usb-peer", on_turn=self._turn, next_due_ns=lambda: self._leave_at_ns, on_end=self._end)
        self.reactor.watch(self._gadget.control, EVENT_READ, lambda _: self._heed_events())
        self.reactor.watch(self._aio.eventfd, EVENT_READ, lambda _: self._complete())
        self._gadget.attach()
        self.reactor.start()

    def close(self) -> None:
        self.reactor.close()
        for thread in self._threads:
            thread.join()

    def _heed_events(self) -> None:
        for setup, kind in EVENT.iter_unpack(os.read(self._gadget.control, EVENT.size * 4)):
            if kind == ENABLE:
                self._endpoints = Endpoints(self._gadget, self._aio, lambda: None)
                self._bulk_out = BulkOut(self._endpoints.packet_size)
            elif kind == SETUP:
                self._answer(Setup.unpack(setup))

    def _answer(self, setup: Setup) -> None:
        match setup.request():
            case RequestCode.GET_CAPABILITIES:
                answer = CAPABILITIES
            case RequestCode.INITIATE_CLEAR:
                self._connect()
                answer = b"\x01"
            case RequestCode.CHECK_CLEAR_STATUS:
                answer = b"\x01\x00"
            case RequestCode.READ_STATUS_BYTE:
                available = bool(self._wire and self._wire.output)
                self._endpoints.notify(bytes([0x80 | setup.value, MESSAGE_AVAILABLE * available]))
                answer = bytes([1, setup.value, 0])
            case _:
                answer = b"\x01"
        os.write(self._gadget.control, answer)

    def _connect(self) -> None:
        """A device clear: the next message begins a connection."""
        self._end_connection()
        self._request = None
        self._bulk_out.forget()
        if self._endpoints.in_busy:
            self._endpoints.take_back()

    def _end_connection(self) -> None:
        if self._wire is not None:
            self._wire.lines.put(None)
            self._wire.gone.set()
        self._wire = None
        self._leave_at_ns = None

    def _take_in(self, data: Data) -> None:
        if self._wire is None:
            self._number += 1
            self._wire = UsbWire(self, self._number)
            self._threads.append(threading.Thread(target=self._serve, args=(self._wire,)))
            self._threads[-1].start()
        self._wire.partial += data.content
        if data.end:
            line, self._wire.partial = self._wire.partial, b""
            self._wire.lines.put(line.decode().removesuffix("\n"))

    def _serve(self, wire: UsbWire) -> None:
        self._script(wire.number, wire)
        wire.close()

    def _complete(self) -> None:
        for done in self._aio.done():
            packet = self._endpoints.completed(done) if self._endpoints is not None else None
            for part in self._bulk_out.feed(packet or b""):
                if isinstance(part, Request):
                    self._request = part
                elif isinstance(part, Data):
                    self._take_in(part)

    def _turn(self, now_ns: int) -> None:
        endpoints, wire = self._endpoints, self._wire
        if endpoints is None:
            return
        if wire is not None:
            if self._request is not None and wire.output and not endpoints.in_busy:
                self._respond(wire.output.popleft())
            if wire.over and not wire.output and not endpoints.in_busy and self._leave_at_ns is None:
                self._leave_at_ns = now_ns + READ_WITHIN_NS
            if self._leave_at_ns is not None and now_ns >= self._leave_at_ns:
                self._replug()
                return
        endpoints.listen()

    def _respond(self, content: bytes) -> None:
        request, self._request = self._request, None
        if len(content) > request.most:
            self._wire.output.appendleft(content[request.most :])
            content = content[: request.most]
        self._endpoints.send(response_transfer(request, content, end=content.endswith(b"\n")))

    def _replug(self) -> None:
        self._endpoints = self._request = None
        self._gadget.detach()
        self._end_connection()
        self._gadget.attach()

    def _end(self) -> None:
        self._end_connection()
        self._gadget.detach()
        self._aio.close()
        self._gadget.close()


@contextmanager
def usbtmc_peer(script: Script) -> Iterator[str]:
    """Serve USBTMC by a script; yields the VISA resource name."""
    peer = UsbPeer(script)
    try:
        yield f"USB0::{VENDOR:#06x}::{PRODUCT:#06x}::PEER1::0::INSTR"
    finally:
        peer.close()
