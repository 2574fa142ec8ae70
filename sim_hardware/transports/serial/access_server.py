"""Serve an instrument's serial port behind an access server (RFC 2217): a line with rate, parity, lines and a break.

A break is device clear. A client with another rate or parity than the instrument's is not understood: its messages are
lost, -362 or -361. With RTS/CTS the instrument sends only while RTS is on, and takes CTS off while whole messages wait
for a held parser. One client at a time.
"""

import selectors
import socket
import time
from typing import Literal, Self

from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.instrument import Instrument
from impairlab.sim_hardware.transports.listeners import Listener
from impairlab.sim_hardware.transports.reactor import Reactor, bound_socket
from impairlab.sim_hardware.transports.serial.com_port import PARITIES, ComPort
from impairlab.sim_hardware.transports.serial.line import PacedLine
from impairlab.sim_hardware.transports.serial.telnet import (
    BINARY,
    COM_PORT,
    DO,
    DONT,
    IAC,
    SUPPRESS_GO_AHEAD,
    WILL,
    WONT,
    Option,
    Subnegotiation,
    TelnetReader,
    escaped,
)

Parity = Literal["none", "odd", "even"]

_READ_SIZE = 4096
_MOST_WAITING = 4096
_OFFERED = {BINARY, SUPPRESS_GO_AHEAD, COM_PORT}
_FRAMING, _PARITY = -362, -361


class AccessServer:
    """A listening socket, and behind it the one serial line of an instrument; serves from construction until `close`.

    Args:
        instrument: What is served.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        baud: The instrument's rate in bit/s, with eight bits and one stop bit.
        parity: The instrument's.

    Raises:
        OSError: When the address cannot be had.
    """

    def __init__(
        self,
        instrument: Instrument,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        baud: int = 9600,
        parity: Parity = "none",
    ) -> None:
        self._instrument = instrument
        self._baud = baud
        self._parity = PARITIES[parity]
        self._in = PacedLine(baud)
        self._out = PacedLine(baud)
        self._client: socket.socket | None = None
        self._unsent = bytearray()
        self._agreed: set[tuple[int, int]] = set()
        self._clear_to_send = True
        self._noisy = False
        self._begin_anew()
        sock = bound_socket(host, port)
        self._session = instrument.open_session("ASRL")
        self._reactor = Reactor(
            "access-server", on_turn=self._on_turn, next_due_ns=self._next_due_ns, on_end=self._on_end
        )
        self._listener = Listener(sock, self._reactor.watch, self._accept)
        self.address: tuple[str, int] = (host, self._listener.port)
        self._stop_listening = instrument.listen(self._reactor.wake)
        self._reactor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and end the thread. A second call does nothing."""
        self._reactor.close()
        self._stop_listening()

    def _begin_anew(self) -> None:
        self._port = ComPort(self._device_clear, self._forget)
        self._reader = TelnetReader()
        self._unsent.clear()
        self._agreed.clear()

    def _accept(self, sock: socket.socket, _: tuple[str, int]) -> None:
        if self._client is not None:
            sock.close()
            return
        self._client = sock
        self._begin_anew()
        self._watch()

    def _on_events(self, events: int) -> None:
        client = self._client
        if client is None:
            return
        try:
            if events & selectors.EVENT_WRITE:
                del self._unsent[: client.send(self._unsent)]
            stream = client.recv(_READ_SIZE) if events & selectors.EVENT_READ else None
        except BlockingIOError:
            return
        except OSError:
            stream = b""
        if stream == b"":
            self._hang_up()
            return
        for each in self._reader.feed(stream or b""):
            match each:
                case bytes():
                    self._in.put(each, time.monotonic_ns())
                case Option():
                    self._negotiate(each)
                case Subnegotiation(content=content):
                    self._unsent += self._port.answer(content)

    def _negotiate(self, asked: Option) -> None:
        """Agree to what is offered here, and refuse the rest; a settled option is not spoken of again."""
        theirs = asked.verb in {WILL, WONT}
        agreed = asked.verb in {WILL, DO} and asked.option in _OFFERED
        settled = (asked.verb, asked.option) in self._agreed
        self._agreed.discard((WILL if theirs else DO, asked.option))
        if agreed:
            self._agreed.add((asked.verb, asked.option))
        if not settled and asked.verb in {WILL, DO}:
            verb = (DO if agreed else DONT) if theirs else (WILL if agreed else WONT)
            self._unsent += bytes((IAC, verb, asked.option))

    def _next_due_ns(self) -> int | None:
        if self._session.is_ready:
            return 0
        due = (self._instrument.operations.next_due_ns, self._in.next_due_ns, self._out.next_due_ns,
               self._listener.due_ns)  # fmt: skip
        return min((each for each in due if each is not None), default=None)

    def _on_turn(self, now_ns: int) -> None:
        self._listener.go_on(now_ns)
        self._instrument.operations.advance()
        if arrived := self._in.take(now_ns):
            self._receive(arrived)
        self._session.write(b"")
        for reply in self._session.read():
            self._out.put(reply, now_ns)
        if self._port.flow == "rtscts" and not self._port.rts:
            self._out.stop()
        else:
            self._out.resume(now_ns)
        sent = self._out.take(now_ns)
        if self._client is not None:
            self._unsent += escaped(sent)
            self._tell_clear_to_send()
        self._watch()

    def _receive(self, arrived: bytes) -> None:
        noise = self._noise()
        if noise is None:
            self._noisy = False
            self._session.write(arrived)
        elif not self._noisy:
            self._noisy = True
            self._session.report(ScpiError(noise))

    def _noise(self) -> int | None:
        """Return the error that the instrument's receiver sees; None where the settings fit."""
        if (self._port.baud, self._port.bits) != (self._baud, 8):
            return _FRAMING
        return None if self._port.parity == self._parity else _PARITY

    def _device_clear(self) -> None:
        self._session.clear()
        self._forget()

    def _forget(self) -> None:
        self._in.clear()
        self._out.clear()

    def _tell_clear_to_send(self) -> None:
        clear = self._session.accepts_input
        if (WILL, COM_PORT) in self._agreed and clear is not self._clear_to_send:
            self._clear_to_send = clear
            self._unsent += self._port.modem_state(clear_to_send=clear, changed=True)

    def _watch(self) -> None:
        if self._client is not None:
            room = len(self._in) < _MOST_WAITING and len(self._unsent) < _MOST_WAITING
            wanted = selectors.EVENT_READ * room | selectors.EVENT_WRITE * bool(self._unsent)
            self._reactor.watch(self._client, wanted, self._on_events)

    def _hang_up(self) -> None:
        if self._client is not None:
            self._reactor.watch(self._client, 0, self._on_events)
            self._client.close()
            self._client = None
            self._out.clear()

    def _on_end(self) -> None:
        self._hang_up()
        self._listener.close()
        self._session.close()
