"""Serve an instrument on a pseudo-terminal: one line, one session, one thread.

Line feed ends a message in both directions, and a carriage return before it is white space, unless the instrument ends
its lines otherwise. ^C outside of a block is device clear. A pseudo-terminal has no modem lines and carries no break:
`AccessServer` has both.
"""

import re
import selectors
import time
from collections import deque
from pathlib import Path
from typing import Literal, Self

from impairlab.sim_hardware.faults import (
    ArmedFaults,
    Chatter,
    CloseMidReply,
    Fault,
    Garbage,
    LateReply,
    Mute,
    PartialReply,
    Reboot,
    Refuse,
    Repeat,
    Rewrite,
)
from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.instrument import Instrument
from impairlab.sim_hardware.transports.reactor import Reactor
from impairlab.sim_hardware.transports.serial.line import PacedLine
from impairlab.sim_hardware.transports.serial.noise import LineNoise, ParityNoise
from impairlab.sim_hardware.transports.serial.port import PtyPort

DEFAULT_BAUD = 9600
_CLEAR, _XON, _XOFF = b"\x03\x11\x13"
_PIECES = re.compile(rb"\x03|[^\x03\r\n]*[\r\n]|[^\x03\r\n]+")
_MOST_ON_THE_LINE = 256
_PLUG_REST_NS = 50_000_000

End = Literal[b"\n", b"\r", b"\r\n"]


class SerialServer:
    """An instrument's serial port; serves from construction until `close`.

    Args:
        instrument: What is served.
        link: Name of the port, a symbolic link that outlives unplugging under the same name.
        baud: Bits per second in both directions, 8N1. The client's own setting is not looked at.
        end: What ends an answer. A message ends in a line feed, and where this is a carriage return, in that too.
        echo: Whether every character comes back.
        xon_xoff: Whether XON and XOFF stop the flow, in both directions; binary blocks cannot be sent then.
        boot_messages: What is sent when the power comes.

    Raises:
        OSError: When the link cannot be made.
        ValueError: When the rate is not positive.
    """

    def __init__(
        self,
        instrument: Instrument,
        link: Path,
        *,
        baud: int = DEFAULT_BAUD,
        end: End = b"\n",
        echo: bool = False,
        xon_xoff: bool = False,
        boot_messages: bytes = b"",
    ) -> None:
        self.instrument = instrument
        self.link = link
        self._end = end
        self._echo = echo
        self._xon_xoff = xon_xoff
        self._boot_messages = boot_messages
        self._faults = ArmedFaults()
        self._noise: deque[LineNoise] = deque()
        self._in = PacedLine(baud)
        self._out = PacedLine(baud)
        self._scheduled: deque[tuple[int, bytes]] = deque()
        self._losing_message = False
        self._told_to_stop = False
        self._muted = False
        self._deaf_until_ns = 0
        self._plug_at_ns: int | None = None
        self._unplug_when_sent = False
        self._port = PtyPort(link)
        self._port.plug()
        self._session = instrument.open_session(f"ASRL{link}")
        self._reactor = Reactor(
            f"serial-{link.name}", on_turn=self._on_turn, next_due_ns=self._next_due_ns, on_end=self._on_end
        )
        self._stop_listening = instrument.listen(self._reactor.wake)
        self._out.put(boot_messages, time.monotonic_ns())
        self._watch()
        self._reactor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the port away and end the thread. A second call does nothing."""
        self._reactor.close()
        self._stop_listening()

    def unplug(self) -> None:
        """Let the port vanish, until `plug`; the instrument stays on."""
        self._reactor.request(lambda: self._unplug(None))

    def plug(self) -> None:
        """Let the port come back under its name, as soon as that can be made."""
        self._reactor.request(self._plug)

    def disturb(self, noise: LineNoise) -> None:
        """Let noise strike the next message."""
        self._noise.append(noise)

    def inject(self, fault: Fault, count: int | None = 1) -> None:
        """Let something go wrong, see `ScpiServer.inject`.

        `Refuse` unplugs the port for its time, `CloseMidReply` for a moment; `Mute` lasts until the port is plugged
        again. `Fragments` and `DropHurried` never strike.

        Raises:
            ValueError: When `count` is not positive.
            TimeoutError: When the server's thread is gone.
        """
        match fault:
            case Refuse(for_ns=for_ns):
                self._reactor.request(lambda: self._unplug(for_ns))
            case Reboot(boot_ns=boot_ns, mute_ns=mute_ns):
                self._reactor.request(lambda: self._reboot(boot_ns + mute_ns))
            case _:
                self._faults.arm(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault, noise included, and plug the port."""
        self._faults.clear()
        self._noise.clear()
        self._reactor.request(self._plug)

    def _next_due_ns(self) -> int | None:
        if self._session.is_ready:
            return 0
        due = [self.instrument.operations.next_due_ns, self._in.next_due_ns, self._out.next_due_ns, self._plug_at_ns]
        due.extend(at for at, _ in list(self._scheduled)[:1])
        return min((each for each in due if each is not None), default=None)

    def _on_turn(self, now_ns: int) -> None:
        if self._plug_at_ns is not None and now_ns >= self._plug_at_ns:
            self._plug()
        self.instrument.operations.advance()
        if arrived := self._in.take(now_ns):
            self._receive(arrived, now_ns)
        self._session.write(b"")
        for reply in self._session.read():
            self._schedule(reply, now_ns)
        while self._scheduled and self._scheduled[0][0] <= now_ns:
            self._out.put(self._scheduled.popleft()[1], now_ns)
        if (sent := self._out.take(now_ns)) and self._port.plugged:
            self._port.write(sent)
        if self._unplug_when_sent and not self._out and not self._scheduled:
            self._unplug(0)
        self._control_flow(now_ns)
        self._watch()

    def _receive(self, arrived: bytes, now_ns: int) -> None:
        if self._xon_xoff:
            arrived = self._heed_flow_control(arrived, now_ns)
        if self._echo:
            self._out.put(arrived, now_ns)
        if now_ns < self._deaf_until_ns:
            return
        if not self._muted and self._faults.strike(Mute) is not None:
            self._muted = True
        if self._muted:
            return
        for piece in _PIECES.findall(arrived):
            self._take_in(piece)

    def _take_in(self, piece: bytes) -> None:
        if piece[0] == _CLEAR and not self._session.is_in_block:
            self._session.clear()
            self._losing_message = False
            self._scheduled.clear()
            self._out.clear()
            return
        if self._noise and self._session.is_between_messages and not self._losing_message:
            code = -361 if isinstance(self._noise.popleft(), ParityNoise) else -362
            self._session.report(ScpiError(code))
            self._losing_message = True
        if self._losing_message:
            self._losing_message = not piece.endswith((b"\n", self._end))
            return
        if piece.endswith(b"\r") and self._end == b"\r":
            self._session.write(piece[:-1])
            piece = b"\r" if self._session.is_in_block else b"\n"
        self._session.write(piece)

    def _schedule(self, reply: bytes, now_ns: int) -> None:
        reply = reply.removesuffix(b"\n") + self._end
        at_ns = max(now_ns, self._scheduled[-1][0]) if self._scheduled else now_ns
        match self._faults.strike(LateReply, Garbage, PartialReply, CloseMidReply, Repeat, Chatter, Rewrite):
            case LateReply(after_ns=after_ns):
                at_ns += after_ns
            case Garbage(content=content):
                reply = content
            case PartialReply(keep=keep):
                reply = reply[:keep]
            case CloseMidReply(keep=keep):
                reply = reply[:keep]
                self._unplug_when_sent = True
            case Repeat(times=times):
                reply *= times
            case Chatter(content=content, pause_ns=pause_ns):
                self._scheduled.append((at_ns, content))
                at_ns += pause_ns
            case Rewrite(pattern=pattern, replacement=replacement):
                reply = re.sub(pattern, replacement, reply)
        self._scheduled.append((at_ns, reply))

    def _heed_flow_control(self, arrived: bytes, now_ns: int) -> bytes:
        for character in arrived:
            if character == _XOFF:
                self._out.stop()
            elif character == _XON:
                self._out.resume(now_ns)
        return arrived.translate(None, bytes((_XON, _XOFF)))

    def _control_flow(self, now_ns: int) -> None:
        """Tell the client to stop while whole messages wait for a held parser."""
        if self._xon_xoff and self._session.accepts_input is self._told_to_stop:
            self._told_to_stop = not self._told_to_stop
            self._out.put(bytes((_XOFF if self._told_to_stop else _XON,)), now_ns)

    def _on_events(self, _: int) -> None:
        self._in.put(self._port.read(), time.monotonic_ns())

    def _watch(self) -> None:
        if self._port.plugged:
            room = len(self._in) < _MOST_ON_THE_LINE
            self._reactor.watch(self._port.near, selectors.EVENT_READ * room, self._on_events)

    def _unplug(self, for_ns: int | None) -> None:
        self._unplug_when_sent = False
        self._plug_at_ns = None if for_ns is None else time.monotonic_ns() + for_ns
        if self._port.plugged:
            self._reactor.watch(self._port.near, 0, self._on_events)
            self._port.unplug()
        self._in.clear()
        self._out.clear()
        self._scheduled.clear()

    def _plug(self) -> None:
        self._plug_at_ns = None
        if not self._port.plugged:
            try:
                self._port.plug()
            except OSError:  # no folder or no pseudo-terminal is left; one may be soon
                self._plug_at_ns = time.monotonic_ns() + _PLUG_REST_NS
                return
            self._muted = False
            self._session.clear()
            self._losing_message = False
            self._out.resume(time.monotonic_ns())

    def _reboot(self, deaf_ns: int) -> None:
        now_ns = time.monotonic_ns()
        self._deaf_until_ns = now_ns + deaf_ns
        for each in (self._in, self._out, self._scheduled):
            each.clear()
        self._session.clear()
        self.instrument.power_cycle()
        self._muted = self._losing_message = False
        self._out.put(self._boot_messages, now_ns)

    def _on_end(self) -> None:
        self._unplug(None)
        self._session.close()
