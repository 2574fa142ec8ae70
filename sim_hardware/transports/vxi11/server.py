"""Serve an instrument by VXI-11: its port mapper, core channel and abort channel, on one thread."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from impairlab.sim_hardware.faults import ArmedFaults, CloseMidReply, Fault, Reboot, Refuse
from impairlab.sim_hardware.scpi.instrument import Instrument
from impairlab.sim_hardware.transports.listeners import Datagrams, Listener
from impairlab.sim_hardware.transports.reactor import Reactor, bound_socket
from impairlab.sim_hardware.transports.vxi11 import rpc
from impairlab.sim_hardware.transports.vxi11.client import Client
from impairlab.sim_hardware.transports.vxi11.connection import Answer, CutOff, Execute, RpcConnection
from impairlab.sim_hardware.transports.vxi11.core import Core
from impairlab.sim_hardware.transports.vxi11.interrupt import InterruptChannel
from impairlab.sim_hardware.transports.vxi11.portmapper import PORTMAPPER_PORT, TCP, UDP, Mapping, PortMapper
from impairlab.sim_hardware.transports.vxi11.portmapper import PROGRAM as PORTMAPPER_PROGRAM
from impairlab.sim_hardware.transports.vxi11.portmapper import VERSION as PORTMAPPER_VERSION
from impairlab.sim_hardware.transports.vxi11.protocol import (
    ABORT_PROGRAM,
    CORE_PROGRAM,
    LEAST_MAX_RECEIVE,
    VERSION,
    CreateInterruptChannel,
    Procedure,
)
from impairlab.sim_hardware.transports.vxi11.xdr import XdrError, unsigned

_ABORT_CALL = rpc.LONGEST_CALL_HEADER + 8


@dataclass(frozen=True, slots=True)
class Vxi11Address:
    """Where a server listens: the host, and a port for each channel; without a port mapper its port is None."""

    host: str
    core: int
    abort: int
    portmapper: int | None


class Vxi11Server:
    """Serves from construction until `close`; a context manager.

    Args:
        instrument: What is served; its clock must be `time.monotonic_ns` for timed operations to end on their own.
        host: Address to listen on. A broadcast reaches only who listens on 0.0.0.0.
        port: Port of the core channel; 0 takes a free one, here and below.
        abort_port: Port of the abort channel.
        portmapper_port: Port of the port mapper, TCP and UDP; clients look for it at 111. None leaves it out.
        devices: Device names that clients may ask for, in any case.
        max_receive: Bytes that one device_write may hold, at least 1024 (rule B.6.3).
        max_links: Links that may be open at once; one more is refused (error 9).
        max_connections: A core connection beyond these is closed as soon as it is accepted; None sets no cap.

    Attributes:
        instrument: As given.
        address: Where it listens.

    Raises:
        OSError: When an address cannot be had.
        ValueError: When `max_receive` is too little.
    """

    def __init__(
        self,
        instrument: Instrument,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        abort_port: int = 0,
        portmapper_port: int | None = PORTMAPPER_PORT,
        devices: Sequence[str] = ("inst0", ""),
        max_receive: int = 16_384,
        max_links: int = 64,
        max_connections: int | None = None,
    ) -> None:
        if max_receive < LEAST_MAX_RECEIVE:
            raise ValueError(f"max_receive is at least {LEAST_MAX_RECEIVE}, not {max_receive}")
        self.instrument = instrument
        self._faults = ArmedFaults()
        self._max_connections = max_connections
        self._core_call = rpc.LONGEST_CALL_HEADER + max_receive + 64
        self._clients: dict[RpcConnection, Client] = {}
        self._others: set[RpcConnection] = set()
        self._reopen_at_ns: int | None = None
        self._deaf_until_ns = 0
        self._reactor = Reactor(
            "vxi11", on_turn=self._act_on_time, next_due_ns=self._next_due_ns, on_end=self._close_all
        )
        self._listeners: list[Listener] = []
        self._datagrams: list[Datagrams] = []
        try:
            core, abort = (
                self._listen(host, port, self._accept_core),
                self._listen(host, abort_port, self._accept_abort),
            )
            self._core = Core(
                instrument,
                self._faults,
                time.monotonic_ns,
                devices=[each.lower().encode("ascii") for each in devices],
                max_receive=max_receive,
                max_links=max_links,
                abort_port=abort,
                open_interrupt=self._open_interrupt,
            )
            mapper = None if portmapper_port is None else self._serve_mapper(host, portmapper_port, core, abort)
        except OSError:
            self._reactor.close()
            raise
        self.address = Vxi11Address(host, core, abort, mapper)
        self._stop_listening = instrument.listen(self._reactor.wake)
        self._reactor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and end the thread. A second call does nothing."""
        if self._reactor.closed:
            return
        self._reactor.close()
        self._stop_listening()

    @property
    def connection_count(self) -> int:
        """How many core connections are open."""
        return len(self._clients)

    @property
    def remote(self) -> bool:
        """Whether the last client that cared wanted remote control (device_remote) and not local (device_local)."""
        return self._core.remote

    def inject(self, fault: Fault, count: int | None = 1) -> None:
        """Let something go wrong, from the next occasion on.

        A reply is what the instrument answers to one message, in as many reads as the client wants: a late or partial
        one lets a read meet its io_timeout. `CloseMidReply` alone counts bytes as they are on the wire, of the reply to
        a device_read. Faults that only a byte stream can have (`Fragments`, `DropHurried`) never strike here.

        Args:
            fault: What. `Refuse` and `Reboot` happen at once, before this returns, and ignore `count`.
            count: How many responses (or, for `Mute`, connections) it strikes; None until `clear_faults`.

        Raises:
            ValueError: When `count` is not positive.
            TimeoutError: When the server's thread is gone.
        """
        match fault:
            case Refuse(for_ns=for_ns):
                self._reactor.request(lambda: self._stop_accepting(for_ns))
            case Reboot(boot_ns=boot_ns, mute_ns=mute_ns):
                self._reactor.request(lambda: self._reboot(boot_ns, mute_ns))
            case _:
                self._faults.arm(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault and accept connections again; what was muted or is held back stays so."""
        self._faults.clear()
        self._reactor.request(self._accept_again)

    def _listen(self, host: str, port: int, accept: Callable[[socket.socket, tuple[str, int]], None]) -> int:
        listener = Listener(bound_socket(host, port), self._reactor.watch, accept)
        self._listeners.append(listener)
        return listener.port

    def _serve_mapper(self, host: str, port: int, core: int, abort: int) -> int:
        bound = self._listen(host, port, self._accept_mapper)
        datagrams = Datagrams(bound_socket(host, bound, socket.SOCK_DGRAM), self._reactor.watch, self._answer_datagram)
        self._datagrams.append(datagrams)
        self._mapper = PortMapper(
            [
                Mapping(PORTMAPPER_PROGRAM, PORTMAPPER_VERSION, TCP, bound),
                Mapping(PORTMAPPER_PROGRAM, PORTMAPPER_VERSION, UDP, bound),
                Mapping(CORE_PROGRAM, VERSION, TCP, core),
                Mapping(ABORT_PROGRAM, VERSION, TCP, abort),
            ]
        )
        return bound

    @property
    def _reached_by(self) -> list[Listener | Datagrams]:
        return [*self._listeners, *self._datagrams]

    def _accept_core(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        if self._max_connections is not None and len(self._clients) >= self._max_connections:
            sock.close()
            return
        client = Client(*peer)
        connection = self._connection(sock, self._core_call, lambda record: self._answer_core(client, record))
        self._clients[connection] = client
        connection.advance()

    def _accept_abort(self, sock: socket.socket, _: tuple[str, int]) -> None:
        self._accept_other(sock, _ABORT_CALL, self._answer_abort)

    def _accept_mapper(self, sock: socket.socket, _: tuple[str, int]) -> None:
        self._accept_other(sock, self._mapper.longest_call, self._mapper.answer)

    def _accept_other(self, sock: socket.socket, longest_call: int, execute: Execute) -> None:
        connection = self._connection(sock, longest_call, execute)
        self._others.add(connection)
        connection.advance()

    def _connection(self, sock: socket.socket, longest_call: int, execute: Execute) -> RpcConnection:
        return RpcConnection(sock, longest_call, execute, self._faults, self._reactor.watch, self._drop, self._is_deaf)

    def _answer_core(self, client: Client, record: bytes) -> Answer:
        asked = _call_of(record, CORE_PROGRAM)
        if not isinstance(asked, rpc.Call):
            return asked
        if asked.procedure == rpc.NULL_PROCEDURE:
            return rpc.success(asked.xid, b"")
        steps = self._core.begin(client, asked.procedure, asked.arguments)
        if steps is None:
            return rpc.procedure_unavailable(asked.xid)
        try:
            result = yield from steps
        except XdrError:
            return rpc.garbage_arguments(asked.xid)
        reply = rpc.success(asked.xid, result)
        fault = self._faults.strike(CloseMidReply) if asked.procedure == Procedure.READ else None
        if fault is not None:
            raise CutOff(reply, fault.keep)
        return reply

    def _answer_abort(self, record: bytes) -> bytes | None:
        asked = _call_of(record, ABORT_PROGRAM)
        if not isinstance(asked, rpc.Call):
            return asked
        if asked.procedure == rpc.NULL_PROCEDURE:
            return rpc.success(asked.xid, b"")
        if asked.procedure != Procedure.ABORT:
            return rpc.procedure_unavailable(asked.xid)
        try:
            outcome = self._core.abort(asked.arguments.signed())
        except XdrError:
            return rpc.garbage_arguments(asked.xid)
        self._reactor.wake()
        return rpc.success(asked.xid, unsigned(outcome))

    def _answer_datagram(self, datagram: bytes) -> bytes | None:
        return self._mapper.answer(datagram, broadcast=True)

    def _open_interrupt(self, host: str, asked: CreateInterruptChannel) -> InterruptChannel:
        return InterruptChannel(host, asked, self._reactor.watch, self._reactor.wake)

    def _drop(self, connection: RpcConnection) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: RpcConnection) -> None:
        self._others.discard(connection)
        client = self._clients.pop(connection, None)
        if client is not None:
            self._core.forget(client)

    def _next_due_ns(self) -> int | None:
        due = [self.instrument.operations.next_due_ns, self._reopen_at_ns]
        due += [each.due_ns for each in self._clients]
        due += [each.due_ns for each in self._listeners]
        return min((each for each in due if each is not None), default=None)

    def _act_on_time(self, now_ns: int) -> None:
        if self._reopen_at_ns is not None and now_ns >= self._reopen_at_ns:
            self._accept_again()
        for listener in self._listeners:
            listener.go_on(now_ns)
        self.instrument.operations.advance()
        for connection in tuple(self._clients):
            if connection.due_ns is not None:
                connection.advance()
        for client in self._clients.values():
            self._request_service(client)

    @staticmethod
    def _request_service(client: Client) -> None:
        if client.interrupt is None or not client.interrupt.established:
            return
        for link in client.links.values():
            handle = link.take_service_request()
            if handle is not None:
                client.interrupt.send(handle)

    def _is_deaf(self) -> bool:
        return time.monotonic_ns() < self._deaf_until_ns

    def _reboot(self, boot_ns: int, mute_ns: int) -> None:
        self._stop_accepting(boot_ns)
        self._deaf_until_ns = time.monotonic_ns() + boot_ns + mute_ns
        for connection in (*self._clients, *self._others):
            self._forget(connection)
            connection.reset()
        self.instrument.power_cycle()

    def _stop_accepting(self, for_ns: int | None) -> None:
        for listener in self._reached_by:
            listener.pause()
        self._reopen_at_ns = None if for_ns is None else time.monotonic_ns() + for_ns

    def _accept_again(self) -> None:
        self._reopen_at_ns = None
        for listener in self._reached_by:
            listener.resume()

    def _close_all(self) -> None:
        for connection in (*self._clients, *self._others):
            self._drop(connection)
        for listener in self._reached_by:
            listener.close()


def _call_of(record: bytes, program: int) -> rpc.Call | bytes | None:
    """Return the call of `program` in a record; or the reply that refuses it, or None where none is due."""
    try:
        asked = rpc.read_call(record)
    except XdrError:
        return None
    if asked.rpc_version != rpc.RPC_VERSION:
        return rpc.rpc_mismatch(asked.xid)
    if asked.program != program:
        return rpc.program_unavailable(asked.xid)
    if asked.version != VERSION:
        return rpc.program_mismatch(asked.xid, VERSION)
    return asked
